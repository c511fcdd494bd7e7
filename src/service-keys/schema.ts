/** The table of service keys. The text of record is migrations/; a test compares both column by column. */
import { pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

export const serviceKey = pgSchema("postern").table(
  "service_key",
  {
    contractId: text("contract_id").notNull(),
    keyId: text("key_id").notNull().unique(),
    name: text("name").notNull(),
    scopes: text("scopes").notNull(),
    digest: bytea("digest").notNull(),
    previousDigest: bytea("previous_digest"),
    previousUntil: timestamp("previous_until", { withTimezone: true, mode: "string" }),
    createdIssuer: text("created_issuer").notNull(),
    createdSubject: text("created_subject").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }).notNull(),
    revokedAt: timestamp("revoked_at", { withTimezone: true, mode: "string" }),
    lastUsedAt: timestamp("last_used_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.keyId] })],
);
