/**
 * Tables of the log. `raw`, `seq`, `subtree` and `checkpoint` are append-only by trigger and by grant; `search` and `searchSubject` are derived.
 * The text of record is migrations/; a test compares both column by column.
 */
import { bigint, index, integer, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

const audit = pgSchema("audit");

export const log = audit.table("log", {
  log: text("log").primaryKey(),
  origin: text("origin").notNull(),
  state: text("state", { enum: ["open", "frozen"] }).notNull(),
  size: bigint("size", { mode: "number" }).notNull(),
  root: bytea("root").notNull(),
  range: bytea("range").notNull(),
});

/** The intake: an entry is durable once it lies here. */
export const raw = audit.table(
  "raw",
  {
    log: text("log").notNull(),
    entryId: text("entry_id").notNull(),
    bytes: bytea("bytes").notNull(),
    head: text("head").notNull(),
    position: integer("position").notNull(),
    path: bytea("path").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.entryId] })],
);

/** Names of entries that wait for their place in the tree. */
export const pending = audit.table(
  "pending",
  {
    log: text("log").notNull(),
    entryId: text("entry_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.entryId] })],
);

export const seq = audit.table(
  "seq",
  {
    log: text("log").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
    entryId: text("entry_id").notNull(),
    leafHash: bytea("leaf_hash").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.index] }), uniqueIndex("seq_once").on(table.log, table.entryId)],
);

export const subtree = audit.table(
  "subtree",
  {
    log: text("log").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
    root: bytea("root").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.index] })],
);

export const checkpoint = audit.table(
  "checkpoint",
  {
    log: text("log").notNull(),
    size: bigint("size", { mode: "number" }).notNull(),
    note: text("note").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.size] })],
);

export const search = audit.table(
  "search",
  {
    log: text("log").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
    time: timestamp("time", { withTimezone: true, mode: "string" }).notNull(),
    event: text("event").notNull(),
    effect: text("effect").notNull(),
    actor: text("actor").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.index] }), index("search_by_actor").on(table.log, table.actor, table.index)],
);

export const searchSubject = audit.table(
  "search_subject",
  {
    log: text("log").notNull(),
    subject: text("subject").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.subject, table.index] })],
);
