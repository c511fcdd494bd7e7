/** The table of passkeys. The text of record is migrations/; a test compares both column by column. */
import { bigint, index, pgSchema, text, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

export const passkey = pgSchema("postern").table(
  "passkey",
  {
    passkeyId: bytea("passkey_id").primaryKey(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    name: text("name").notNull(),
    publicKey: bytea("public_key").notNull(),
    counter: bigint("counter", { mode: "number" }).notNull(),
    registeredAt: timestamp("registered_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    usedAt: timestamp("used_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [index().on(table.issuer, table.subject)],
);
