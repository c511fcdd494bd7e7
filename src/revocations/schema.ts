/** The table of what is refused everywhere. The text of record is migrations/; a test compares both column by column. */
import { index, pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

export const revocationKinds = ["person", "token", "key", "issuer", "vendor"] as const;

export const revocation = pgSchema("postern").table(
  "revocation",
  {
    kind: text("kind", { enum: revocationKinds }).notNull(),
    issuer: text("issuer").notNull(),
    name: text("name").notNull(),
    revocationId: text("revocation_id").notNull().unique(),
    reason: text("reason").notNull(),
    revokedAt: timestamp("revoked_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.kind, table.issuer, table.name] }), index().on(table.expiresAt)],
);
