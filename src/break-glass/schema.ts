/** The table of broken glass. The text of record is migrations/; a test compares both column by column. */
import { integer, pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

export const findings = ["justified", "unjustified"] as const;

export const breakGlass = pgSchema("postern").table(
  "break_glass",
  {
    contractId: text("contract_id").notNull(),
    approvalId: text("approval_id").notNull(),
    seatIssuer: text("seat_issuer").notNull(),
    seatSubject: text("seat_subject").notNull(),
    purpose: text("purpose").notNull(),
    type: text("type").notNull(),
    subject: text("subject").notNull(),
    minutes: integer("minutes").notNull(),
    openedAt: timestamp("opened_at", { withTimezone: true, mode: "string" }),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }),
    closedAt: timestamp("closed_at", { withTimezone: true, mode: "string" }),
    told: text("told", { enum: ["nothing", "ended", "review_missing"] })
      .notNull()
      .default("nothing"),
    takenUntil: timestamp("taken_until", { withTimezone: true, mode: "string" }),
    finding: text("finding", { enum: findings }),
    reviewedIssuer: text("reviewed_issuer"),
    reviewedSubject: text("reviewed_subject"),
    reviewedAt: timestamp("reviewed_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.approvalId] })],
);
