/**
 * The one table of four-eyes requests. The text of record is migrations/; a test compares both column by column.
 */
import { pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

const postern = pgSchema("postern");

/** What is asked for. */
export const approvalActions = [
  "activate",
  "break_glass",
  "grant_roles",
  "change_policy",
  "purge",
  "partial_purge",
  "release_hold",
  "amend",
  "terminate",
  "resume",
] as const;

export const approval = postern.table(
  "approval",
  {
    contractId: text("contract_id").notNull(),
    approvalId: text("approval_id").notNull(),
    action: text("action", {
      enum: approvalActions,
    }).notNull(),
    digest: text("digest").notNull(),
    state: text("state", { enum: ["requested", "approved", "rejected", "withdrawn", "expired"] }).notNull(),
    requestedIssuer: text("requested_issuer").notNull(),
    requestedSubject: text("requested_subject").notNull(),
    requestedAt: timestamp("requested_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }).notNull(),
    decidedIssuer: text("decided_issuer"),
    decidedSubject: text("decided_subject"),
    decidedAt: timestamp("decided_at", { withTimezone: true, mode: "string" }),
    reason: text("reason"),
    decidedReason: text("decided_reason"),
    takenUntil: timestamp("taken_until", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.approvalId] })],
);
