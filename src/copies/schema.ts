/** Where sinks stand. The text of record is migrations/; a test compares both column by column. */
import { bigint, pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

export const sinkCursor = pgSchema("postern").table(
  "sink_cursor",
  {
    log: text("log").notNull(),
    sink: text("sink").notNull(),
    /** The first place that the sink does not have yet. */
    next: bigint("next", { mode: "number" }).notNull(),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
    /** What it will never take, and was passed over. */
    dead: bigint("dead", { mode: "number" }).notNull(),
    lastError: text("last_error"),
    failingSince: timestamp("failing_since", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.log, table.sink] })],
);
