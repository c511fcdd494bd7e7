/**
 * Tables of sealed records and their blind index. The text of record is migrations/; a test compares both column by column.
 */
import { sql } from "drizzle-orm";
import { index, integer, pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

const postern = pgSchema("postern");

// What an index is said to be for, a statement must say as well to use it: the lookup by a primary key shall have no other way (migrations/0001-spine.sql).
/** One ciphertext per sensitivity level that the record has fields of. */
export const record = postern.table(
  "record",
  {
    contractId: text("contract_id").notNull(),
    type: text("type").notNull(),
    locator: text("locator").notNull(),
    subject: text("subject").notNull(),
    version: integer("version").notNull(),
    level0: bytea("level0"),
    level1: bytea("level1"),
    level2: bytea("level2"),
    level3: bytea("level3"),
    writtenAt: timestamp("written_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    shop: text("shop"),
    purpose: text("purpose"),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.type, table.locator] }),
    index("record_by_age").on(table.contractId, table.type, table.writtenAt).where(sql`written_at > '-infinity'`),
    index("record_by_subject").on(table.contractId, table.subject).where(sql`subject > ''`),
  ],
);

export const blindIndex = postern.table(
  "blind_index",
  {
    contractId: text("contract_id").notNull(),
    type: text("type").notNull(),
    field: text("field").notNull(),
    value: bytea("value").notNull(),
    locator: text("locator").notNull(),
    generation: integer("generation").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.type, table.field, table.value, table.locator] }),
    index("blind_index_by_record").on(table.contractId, table.type, table.locator).where(sql`locator > ''`),
  ],
);
