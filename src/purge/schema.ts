/**
 * Tables of the end: one job a contract, and its certificate. The text of record is migrations/; a test compares both column by column.
 */
import { integer, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";

const postern = pgSchema("postern");

export const purgeJob = postern.table(
  "purge_job",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    basis: text("basis", { enum: ["term_ended", "owners"] }).notNull(),
    step: text("step").notNull(),
    notBefore: timestamp("not_before", { withTimezone: true, mode: "string" }).notNull(),
    fence: integer("fence").notNull().default(0),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
    facts: text("facts").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId] }), uniqueIndex("purge_job_one").on(table.contractId)],
);

export const certificate = postern.table(
  "certificate",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    jws: text("jws").notNull(),
    horizonAt: timestamp("horizon_at", { withTimezone: true, mode: "string" }).notNull(),
    finalJws: text("final_jws"),
    closedAt: timestamp("closed_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId] })],
);
