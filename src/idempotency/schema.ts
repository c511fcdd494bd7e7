/** Requests of owners that came with an Idempotency-Key. The text of record is migrations/; a test compares both column by column. */
import { pgSchema, primaryKey, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

export const idempotency = pgSchema("postern").table(
  "idempotency",
  {
    principal: bytea("principal").notNull(),
    name: bytea("name").notNull(),
    request: bytea("request").notNull(),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }).notNull(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }).notNull(),
    answer: bytea("answer"),
  },
  (table) => [primaryKey({ columns: [table.principal, table.name] })],
);
