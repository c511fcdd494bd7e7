/** Connectors of contracts. The text of record is migrations/; a test compares both column by column. */
import { pgSchema, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
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
