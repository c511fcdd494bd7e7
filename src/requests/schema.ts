/** The table of data subjects' requests. The text of record is migrations/; a test compares both column by column. */
import { pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

const postern = pgSchema("postern");

export const subjectRequest = postern.table(
  "subject_request",
  {
    contractId: text("contract_id").notNull(),
    requestId: text("request_id").notNull(),
    kind: text("kind", { enum: ["access", "correction", "erasure"] }).notNull(),
    type: text("type").notNull(),
    locator: text("locator").notNull(),
    subject: text("subject").notNull(),
    note: bytea("note"),
    receivedAt: timestamp("received_at", { withTimezone: true, mode: "string" }).notNull(),
    dueAt: timestamp("due_at", { withTimezone: true, mode: "string" }).notNull(),
    outcome: text("outcome", { enum: ["done", "refused"] }),
    closedAt: timestamp("closed_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.requestId] })],
);
