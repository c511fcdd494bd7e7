/**
 * Tables of wrapped keys; no key lies here in the clear. The text of record is migrations/; a test compares both column by column.
 */
import { integer, pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

const postern = pgSchema("postern");

/**
 * Share A of each epoch, wrapped by the root key; `null` once destroyed. Share B lies in another store, share C, if any, with the merchant.
 * Retired: nothing is wrapped under it any more, and nobody opens it. Destroyed: the shares that lie here are gone.
 */
export const keyEpoch = postern.table(
  "key_epoch",
  {
    contractId: text("contract_id").notNull(),
    epoch: integer("epoch").notNull(),
    shareA: bytea("share_a"),
    commitmentA: text("commitment_a").notNull(),
    commitmentB: text("commitment_b").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    retiredAt: timestamp("retired_at", { withTimezone: true, mode: "string" }),
    destroyedAt: timestamp("destroyed_at", { withTimezone: true, mode: "string" }),
    commitmentC: text("commitment_c"),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.epoch] })],
);

/**
 * Locator, index and pseudonym keys: random, wrapped by the contract key. `index` is the one that searches ask with; `index_beside` stands while a rotation
 * moves the index, and imports write rows of both. Generation: of an index key, which rows are its own; 1 of the others.
 */
export const contractKey = postern.table(
  "contract_key",
  {
    contractId: text("contract_id").notNull(),
    purpose: text("purpose").notNull(),
    epoch: integer("epoch").notNull(),
    wrapped: bytea("wrapped").notNull(),
    generation: integer("generation").notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.purpose] })],
);

export const subjectKey = postern.table(
  "subject_key",
  {
    contractId: text("contract_id").notNull(),
    subject: text("subject").notNull(),
    epoch: integer("epoch").notNull(),
    wrapped: bytea("wrapped").notNull(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.subject] })],
);

/** Keys of the logs, wrapped by the root key. They outlive contracts. */
export const auditKey = postern.table(
  "audit_key",
  {
    log: text("log").notNull(),
    purpose: text("purpose").notNull(),
    wrapped: bytea("wrapped").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.purpose] })],
);
