/** The tables of seats' uses, and of what they ask for in vain. The text of record is migrations/; a test compares both column by column. */
import { boolean, index, integer, pgSchema, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";

const postern = pgSchema("postern");

export const seatUse = postern.table(
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

export const seatMiss = postern.table(
  "seat_miss",
  {
    contractId: text("contract_id").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    countId: uuid("count_id").notNull().defaultRandom(),
    seenAt: timestamp("seen_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    misses: integer("misses").notNull(),
    noted: boolean("noted").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.issuer, table.subject, table.countId] }), index().on(table.seenAt)],
);
