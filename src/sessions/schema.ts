/** The table of sessions. The text of record is migrations/; a test compares both column by column. */
import { index, pgSchema, text, timestamp } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

export const session = pgSchema("postern").table(
  "session",
  {
    sessionId: bytea("session_id").primaryKey(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    providerSubject: text("provider_subject").notNull(),
    providerSession: text("provider_session"),
    openedAt: timestamp("opened_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    usedAt: timestamp("used_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    endsAt: timestamp("ends_at", { withTimezone: true, mode: "string" }).notNull(),
    steppedUpAt: timestamp("stepped_up_at", { withTimezone: true, mode: "string" }),
    challenge: bytea("challenge"),
    challengeUntil: timestamp("challenge_until", { withTimezone: true, mode: "string" }),
  },
  (table) => [index().on(table.issuer, table.subject), index().on(table.issuer, table.providerSubject), index().on(table.endsAt)],
);
