/** The table of erased data subjects. The text of record is migrations/; a test compares both column by column. */
import { sql } from "drizzle-orm";
import { bigint, integer, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";

const postern = pgSchema("postern");

/** `rules`: type → instant. */
export const partialPurge = postern.table(
  "partial_purge",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    basis: text("basis", { enum: ["retention", "owners"] }).notNull(),
    step: text("step", { enum: ["asked", "requested", "deleted", "done", "abandoned"] }).notNull(),
    rules: text("rules").notNull(),
    records: bigint("records", { mode: "number" }).notNull().default(0),
    indexRows: bigint("index_rows", { mode: "number" }).notNull().default(0),
    subjectKeys: bigint("subject_keys", { mode: "number" }).notNull().default(0),
    epoch: integer("epoch"),
    fence: integer("fence").notNull().default(0),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
    orderedAt: timestamp("ordered_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    deletedAt: timestamp("deleted_at", { withTimezone: true, mode: "string" }),
    notBefore: timestamp("not_before", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.jobId] }),
    uniqueIndex("partial_purge_one").on(table.contractId, table.basis).where(sql`step not in ('done', 'abandoned')`),
  ],
);

export const erasure = postern.table(
  "erasure",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    subject: text("subject").notNull(),
    type: text("type").notNull(),
    step: text("step", { enum: ["requested", "erased", "done", "abandoned"] }).notNull(),
    epoch: integer("epoch"),
    records: bigint("records", { mode: "number" }).notNull().default(0),
    indexRows: bigint("index_rows", { mode: "number" }).notNull().default(0),
    fence: integer("fence").notNull().default(0),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
    orderedAt: timestamp("ordered_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    erasedAt: timestamp("erased_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.jobId] }),
    uniqueIndex("erasure_one").on(table.contractId, table.subject).where(sql`step not in ('done', 'abandoned')`),
  ],
);
