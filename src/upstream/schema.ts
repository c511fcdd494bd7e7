/** Connectors of contracts, and what was written by them. The text of record is migrations/; a test compares both column by column. */
import { index, integer, pgSchema, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

export const connector = pgSchema("postern").table(
  "connector",
  {
    contractId: text("contract_id").notNull(),
    name: text("name").notNull(),
    compiled: text("compiled").notNull(),
    credential: bytea("credential").notNull(),
    registeredAt: timestamp("registered_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.name] })],
);

export const connectorRefusal = pgSchema("postern").table(
  "connector_refusal",
  {
    contractId: text("contract_id").notNull(),
    name: text("name").notNull(),
    refusedAt: timestamp("refused_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.name, table.refusedAt] })],
);

export const upstreamWrite = pgSchema("postern").table(
  "upstream_write",
  {
    contractId: text("contract_id").notNull(),
    name: bytea("name").notNull(),
    attempt: integer("attempt").notNull(),
    step: text("step").notNull(),
    request: bytea("request"),
    answer: bytea("answer"),
    writtenAt: timestamp("written_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.name, table.attempt, table.step] }), index().on(table.writtenAt)],
);

export const upstreamAnswer = pgSchema("postern").table(
  "upstream_answer",
  {
    contractId: text("contract_id").notNull(),
    connector: text("connector").notNull(),
    answerId: uuid("answer_id").notNull().defaultRandom(),
    name: bytea("name").notNull(),
    askedAt: timestamp("asked_at", { withTimezone: true, mode: "string" }).notNull(),
    answer: bytea("answer"),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.connector, table.answerId] }),
    index().on(table.contractId, table.connector, table.name, table.askedAt),
    index().on(table.askedAt),
  ],
);
