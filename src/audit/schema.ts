/**
 * Tables of the log. `flush`, `seq`, `subtree`, `checkpoint` and `cosignature` are append-only by trigger and by grant, but for months whose
 * retention is over (migration 0005); the `search…` ones, `upkeep` and `pruning` are derived.
 * The text of record is migrations/; a test compares both column by column.
 */
import { sql } from "drizzle-orm";
import { bigint, boolean, index, jsonb, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

const audit = pgSchema("audit");

export const log = audit.table("log", {
  log: text("log").primaryKey(),
  origin: text("origin").notNull(),
  state: text("state", { enum: ["open", "frozen"] }).notNull(),
  size: bigint("size", { mode: "number" }).notNull(),
  root: bytea("root").notNull(),
  range: bytea("range").notNull(),
  /** Entries below it are gone. */
  minIndex: bigint("min_index", { mode: "number" }).notNull().default(0),
});

/** The intake: entries are durable once their flush lies here, under the id of its first one. */
export const flush = audit.table(
  "flush",
  {
    log: text("log").notNull(),
    flushId: text("flush_id").notNull(),
    head: text("head").notNull(),
    /** `entriesOfFlush` reads it. */
    entries: bytea("entries").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.flushId] })],
);

/** Names of flushes that wait for their places in the tree. */
export const pending = audit.table(
  "pending",
  {
    log: text("log").notNull(),
    flushId: text("flush_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.flushId] })],
);

/** `index` is the place of the flush's first entry; the others follow. */
export const seq = audit.table(
  "seq",
  {
    log: text("log").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
    flushId: text("flush_id").notNull(),
    leafHashes: bytea("leaf_hashes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.index] }), uniqueIndex("seq_once").on(table.log, table.flushId)],
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

/** What witnesses signed under a checkpoint: lines of a signed note. */
export const cosignature = audit.table(
  "cosignature",
  {
    log: text("log").notNull(),
    size: bigint("size", { mode: "number" }).notNull(),
    witness: text("witness").notNull(),
    line: text("line").notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.size, table.witness] })],
);

/** `upkeep.ts` says what of. */
export const upkeep = audit.table("upkeep", {
  log: text("log").primaryKey(),
  numberedUntil: timestamp("numbered_until", { withTimezone: true, mode: "string" }),
  seal: bytea("seal"),
  halted: text("halted"),
  announced: bigint("announced", { mode: "number" }).notNull().default(0),
  announcedAt: timestamp("announced_at", { withTimezone: true, mode: "string" }),
});

/** `pruning.ts` says what of. */
export const pruning = audit.table("pruning", {
  log: text("log").primaryKey(),
  month: text("month").notNull(),
  firstKept: bigint("first_kept", { mode: "number" }).notNull(),
  root: bytea("root").notNull(),
  carried: text("carried").notNull(),
  entryLog: text("entry_log").notNull(),
  entryId: text("entry_id"),
  done: boolean("done").notNull(),
  leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
  proofLog: text("proof_log"),
  proofId: text("proof_id"),
});

export const search = audit.table(
  "search",
  {
    log: text("log").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
    time: timestamp("time", { withTimezone: true, mode: "string" }).notNull(),
    event: text("event").notNull(),
    effect: text("effect").notNull(),
    actor: text("actor").notNull(),
    purpose: text("purpose"),
    /** Of `searchFields`; empty where nothing was asked of. */
    fieldsId: text("fields_id"),
    /** That an entry of the gateway log names. */
    contract: text("contract"),
  },
  (table) => [
    primaryKey({ columns: [table.log, table.index] }),
    index("search_by_actor").on(table.log, table.actor, table.index),
    index("search_by_contract").on(table.log, table.contract, table.index).where(sql`${table.contract} is not null`),
  ],
);

/** Policy path → treatment, once for all entries that say the same. */
export const searchFields = audit.table(
  "search_fields",
  {
    log: text("log").notNull(),
    fieldsId: text("fields_id").notNull(),
    fields: jsonb("fields").$type<Readonly<Record<string, string>>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.log, table.fieldsId] })],
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
