/** The table of seats' uses. The text of record is migrations/; a test compares both column by column. */
import { boolean, index, pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

export const seatUse = pgSchema("postern").table(
  "seat_use",
  {
    contractId: text("contract_id").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    seenAt: timestamp("seen_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    network: text("network").notNull(),
    country: text("country"),
    token: text("token").notNull(),
    noted: boolean("noted").notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.issuer, table.subject, table.seenAt, table.network] }),
    index().on(table.seenAt),
  ],
);
