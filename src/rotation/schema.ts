/** The table of rotations. The text of record is migrations/; a test compares both column by column. */

import { sql } from "drizzle-orm";
import { bigint, integer, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";

const postern = pgSchema("postern");

export const rotation = postern.table(
  "rotation",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    epoch: integer("epoch").notNull(),
    step: text("step").notNull(),
    after: text("after").notNull().default(""),
    rewrapped: bigint("rewrapped", { mode: "number" }).notNull().default(0),
    fence: integer("fence").notNull().default(0),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
    facts: text("facts").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.jobId] }),
    uniqueIndex("rotation_one").on(table.contractId).where(sql`step not in ('share_a', 'abandoned')`),
  ],
);
