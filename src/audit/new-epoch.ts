/**
 * The way on for a log whose database was set back for good: a new epoch, which carries on from the entries that are there.
 * plan: read the anchor → read the log → was it set back, and is what is left ours?
 * open: lock → number `log.epoch_opened` as the first entry under the new origin → move the anchor
 *
 * Crash order. The entry, its place and the new origin are one transaction. Until the anchor has moved the log stays halted, as the anchor knows another
 * origin; whoever repeats the act finds the epoch begun (sealed by the log key, its first entry names the anchor's head) and only moves the anchor.
 * The other way round the anchor could hold an entry that no database has.
 * A log that is not set back has no way here: not one that grew, nor one that was rewritten.
 */
import { equalBytes, type Signer, toBase64 } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { AnchoredHead } from "./anchor.ts";
import { type LostInterval, type Opened, originOf, readOpened, readOrigin } from "./epoch.ts";
import { entriesOfFlush } from "./flush.ts";
import { LogHalted } from "./halted.ts";
import { openLog, selectEntriesAt } from "./postgres.ts";
import { checkAnchored, type PublisherParts, type StoredHead, sealOf, selectStored, signedNote } from "./publish.ts";
import { baseOf, numberFlushes, readEntry } from "./sequencer.ts";
import { type CompactRange, emptyRange, rangeRoot } from "./tree.ts";
import { type SealingParts, sealAlone } from "./writer.ts";

export interface EpochParts extends PublisherParts {
  /** Of the keeper's writer. */
  readonly writer: SealingParts;
}

export interface EpochPlan {
  readonly log: string;
  /** What the database's log calls itself, and how many entries it holds. */
  readonly origin: string;
  readonly kept: number;
  /** What was published last, as its checkpoint says; witnesses saw no more. */
  readonly published: { readonly origin: string; readonly size: number; readonly root: string; readonly checkpoint: string };
  readonly lost: LostInterval;
  /** The origin of the new epoch. */
  readonly next: string;
  /** It is in the database already, and the anchor does not know of it: somebody did not live to finish. */
  readonly begun: boolean;
}

/** `not_halted`: it is what was published. `not_set_back`: it is another log, or a changed one, on which nothing may be built. */
export type EpochRefusal = "not_halted" | "not_set_back";

export async function planEpoch(parts: EpochParts, log: string): Promise<Result<EpochPlan, EpochRefusal>> {
  const anchored = await parts.anchor.read(log);
  const stored = await selectStored(parts.database, log).catch(haltOrThrow);
  if (anchored === null) return refuse("not_halted");
  if (stored === null || !(await isOurs(stored, parts.signer))) return refuse("not_set_back");
  const origin = stored.origin === "" ? readOrigin(anchored.origin).base : stored.origin;
  const [found, known] = [readOrigin(origin), readOrigin(anchored.origin)];
  if (found.base !== known.base) return refuse("not_set_back");
  const { size, root } = { size: anchored.range.size, root: rangeRoot(anchored.range) };
  const checkpoint = await signedNote(anchored.origin, anchored.range, parts.signer);
  const published = { origin: anchored.origin, size, root: toBase64(root), checkpoint };
  const begun = found.epoch > known.epoch ? await selectBegun(parts.database, stored, anchored) : null;
  if (begun) return ok({ log, origin, kept: begun.kept, published, lost: begun.lost, next: origin, begun: true });
  if (found.epoch > known.epoch || stored.size >= size || stored.frozen)
    return refuse((await isAnchored(parts, stored, anchored)) ? "not_halted" : "not_set_back");
  const next = originOf({ base: known.base, epoch: known.epoch + 1 });
  // Of an epoch that this database has not seen everything is lost that came behind the one before.
  const from = origin === anchored.origin ? stored.size : Math.min(stored.size, anchored.begun);
  return ok({ log, origin, kept: stored.size, published, lost: { from, to: size }, next, begun: false });
}

/** `order`: id of the entry in the gateway log that ordered it. Throws LogHalted where the log is not the planned one any more. */
export async function openEpoch(parts: EpochParts, plan: EpochPlan, order: string): Promise<void> {
  const { log, next, kept } = plan;
  const range = plan.begun ? (await selectStored(parts.database, log)).range : await begin(parts, plan, order);
  if (range?.size !== kept + 1) throw changed(log);
  await parts.anchor.advance(log, { origin: next, begun: kept, range });
}

async function begin({ database, signer, writer }: EpochParts, plan: EpochPlan, order: string): Promise<CompactRange> {
  const { log, origin, kept, lost, next, published } = plan;
  const flush = await sealAlone(writer, next, {
    event: "log.epoch_opened",
    actor: { role: "system" },
    outcome: { effect: "allow", code: "opened" },
    facts: {
      ...{ before: published.origin, published: published.size, root: published.root, checkpoint: published.checkpoint },
      ...{ kept, lost_from: lost.from, order },
    },
  });
  return database.transaction(async (tx) => {
    await openLog(tx, log, origin);
    const [locked] = await tx.query("select state, origin, size, root, range, now() from audit.log where log = $1 for update", [log]);
    if (locked?.[0] !== "open" || locked[1] !== origin || Number(locked[2]) !== kept) throw changed(log);
    const range = kept === 0 ? emptyRange : await baseOf(tx, log, locked, signer);
    await tx.query("insert into audit.flush (log, flush_id, head, entries) values ($1, $2, $3, $4)", [
      ...[log, flush.id, flush.head],
      flush.entries,
    ]);
    await tx.query("update audit.log set origin = $2 where log = $1", [log, next]);
    const entries = entriesOfFlush(flush.entries);
    // Nothing that waits has its place by this, and the heads of the new epoch are all new.
    const grown = await numberFlushes(
      tx,
      { log, origin: next, range, signer },
      { flushes: [{ id: flush.id, entries }], until: 0, closing: false },
    );
    await tx.query("update audit.upkeep set announced = 0 where log = $1", [log]);
    return grown;
  });
}

/** What it left behind is what its newest checkpoint says, or what was sealed since. */
async function isOurs({ origin, size, range, newest, seal }: StoredHead, signer: Signer): Promise<boolean> {
  if (size === 0 || range === null) return newest === null;
  if (newest !== null && newest.size >= size) return newest.note === (await signedNote(origin, range, signer));
  return equalBytes(seal, await sealOf(origin, range, signer));
}

async function isAnchored({ database }: EpochParts, stored: StoredHead, anchored: AnchoredHead): Promise<boolean> {
  const checked = await checkAnchored(database, stored, anchored).catch(haltOrThrow);
  return checked !== null;
}

/** `null` = its last entry does not open the epoch behind the anchored head. */
async function selectBegun(database: Queryable, { log, size }: StoredHead, anchored: AnchoredHead): Promise<Opened | null> {
  const [last] = await selectEntriesAt(database, log, [size - 1]);
  const entry = last?.bytes ? readEntry(last.bytes) : null;
  const opened = entry && readOpened(entry);
  if (opened === null || opened.before !== anchored.origin || opened.kept !== size - 1) return null;
  return equalBytes(opened.root, rangeRoot(anchored.range)) ? opened : null;
}

function changed(log: string): LogHalted {
  return new LogHalted(log, "it changed while its new epoch was being opened; look at it again");
}

function haltOrThrow(error: unknown): null {
  if (error instanceof LogHalted) return null;
  throw error;
}
