/**
 * Moves the log into the sinks:  which logs have more → lease a position → read a batch → deliver → move the position.
 * Crash order: the position moves after the delivery, so a crash between them brings the batch again: at least once, never not at all.
 * The log is the buffer: what waits for a sink waits there, and here lies one batch for each. Whatever fails here fails here: nothing waits for a sink.
 */
import { readEntry, selectEntriesAt } from "../audit/index.ts";
import { type Database, DatabaseUnavailable } from "../storage/index.ts";
import type { Copied } from "./copy.ts";
import {
  movePosition,
  notePosition,
  type SinkStanding,
  selectBehind,
  selectStanding,
  type TakenPosition,
  takePosition,
} from "./postgres.ts";
import { type DeadLetter, type Sink, SinkUnavailable } from "./sink.ts";

const batchEntries = 500;
const batchBytes = 1_000_000;
/** For one sink in one run: then the next run looks again whether it should still be fed. */
const batchesPerRun = 200;
const waitMinMs = 1_000;
const waitMaxMs = 60_000;

export interface PumpParts {
  readonly database: Database;
  readonly sinks: readonly Sink[];
  /** Milliseconds. */
  readonly now: () => number;
  /** From 0 to 1: spreads the retries of many processes. */
  readonly random: () => number;
}

export interface Pump {
  /** Feeds every sink as far as it takes, once. Throws only where the database fails. */
  run(): Promise<void>;
  standing(): Promise<{ readonly [sink: string]: SinkStanding }>;
}

export function createPump({ database, sinks, now, random }: PumpParts): Pump {
  const waits = new Map<string, { failures: number; until: number }>();

  const feed = async (sink: Sink): Promise<void> => {
    const { failures, until } = waits.get(sink.name) ?? { failures: 0, until: 0 };
    if (now() < until) return;
    try {
      await drain(database, sink);
      waits.delete(sink.name);
    } catch (error) {
      if (!(error instanceof SinkUnavailable)) throw error;
      const wait = Math.min(waitMaxMs, waitMinMs * 2 ** failures) * (0.5 + random() / 2);
      waits.set(sink.name, { failures: failures + 1, until: now() + wait });
    }
  };

  return {
    async run() {
      const fed = await Promise.allSettled(sinks.map(feed));
      const failed = fed.find((outcome) => outcome.status === "rejected");
      if (failed) throw failed.reason;
    },
    async standing() {
      const standings = await Promise.all(sinks.map(async ({ name }) => [name, await selectStanding(database, name)] as const));
      return Object.fromEntries(standings);
    },
  };
}

/** Throws SinkUnavailable at the first batch that is not taken: what is behind it waits. */
async function drain(database: Database, sink: Sink): Promise<void> {
  let left = batchesPerRun;
  for (const log of await selectBehind(database, sink.name)) {
    for (let more = true; more && left > 0; left--) {
      const position = await takePosition(database, log, sink.name);
      if (!position) break;
      more = await pass(database, sink, position);
    }
  }
}

/** One batch. Answers whether there is more. */
async function pass(database: Database, sink: Sink, position: TakenPosition): Promise<boolean> {
  const { batch, unreadable, next } = await readBatch(database, position);
  let dead: readonly DeadLetter[];
  try {
    dead = batch.length === 0 ? [] : await sink.deliver(batch);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error;
    const reason = error instanceof SinkUnavailable ? error.message : "a fault of ours";
    await notePosition(database, position, reason);
    throw error instanceof SinkUnavailable ? error : new SinkUnavailable(reason);
  }
  const lastDead = dead.at(-1)?.reason ?? (unreadable > 0 ? "not an entry of ours" : null);
  await movePosition(database, position, { next, dead: dead.length + unreadable, lastDead });
  return next > position.next && next < position.size;
}

/** By place, from the log itself: no derived table can make an entry go missing. */
async function readBatch(database: Database, { log, next: begun, size, minIndex }: TakenPosition) {
  const from = Math.max(begun, minIndex);
  const places = Array.from({ length: Math.min(batchEntries, size - from) }, (_, i) => from + i);
  const batch: Copied[] = [];
  let [bytesHeld, unreadable, next] = [0, 0, from];
  for (const { index, bytes } of await selectEntriesAt(database, log, places)) {
    bytesHeld += bytes?.length ?? 0;
    if (bytesHeld > batchBytes && batch.length > 0) break;
    const entry = bytes && readEntry(bytes);
    if (entry) batch.push({ index, entry, details: null });
    else unreadable++;
    next = index + 1;
  }
  return { batch, unreadable, next };
}
