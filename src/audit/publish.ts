/**
 * Publishes what is numbered:  read the anchor → read the log → is it the anchored one, grown? → sign → move the anchor → store the checkpoint.
 * Any number may run, beside any number that number. Signs nothing over a database that was set back or rewritten: it halts.
 *
 * Crash order. What is signed was committed by whoever numbered it. The anchor moves before anybody can see the checkpoint: a crash between leaves an
 * anchor at what the database holds, and the next run signs the same note (Ed25519 is deterministic). The other way round a checkpoint could be
 * in somebody's hands of which the anchor knows nothing, and a database that was set back to before it would pass.
 * The anchor is read before the log: the log only grows, so one that is shorter than an anchor read earlier was set back.
 */
import { equalBytes, type Signer, utf8 } from "../crypto/index.ts";
import type { Cell, Database, Queryable } from "../storage/index.ts";
import type { Anchor, AnchoredHead } from "./anchor.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { LogHalted } from "./halted.ts";
import { type CompactRange, extendRange, hashesFromBytes, parseRange, rangeRoot } from "./tree.ts";

export interface PublisherParts {
  readonly database: Database;
  /** The log key. */
  readonly signer: Signer;
  readonly anchor: Anchor;
}

const pageFlushes = 256;

/** Throws LogHalted. Does nothing where everything is published. */
export async function publish({ database, signer, anchor }: PublisherParts, log: string): Promise<void> {
  const anchored = await anchor.read(log);
  const stored = await selectStored(database, log);
  if (anchored !== null) await checkAnchored(database, stored, anchored);
  const { size, newest, range } = stored;
  if (size === 0 || range === null) return;
  const note = await signedNote(stored.origin, range, signer);
  if (newest?.size === size) {
    if (newest.note !== note) throw new LogHalted(log, "its row is not what its newest checkpoint says");
  } else if (newest !== null && newest.size > size) {
    throw new LogHalted(log, "a checkpoint stands past its end");
  } else if (!equalBytes(stored.seal, await sealOf(stored.origin, range, signer))) {
    throw new LogHalted(log, "its row is not what was numbered last, or its newest checkpoint is gone");
  }
  if (anchored?.range.size !== size) await anchor.advance(log, { origin: stored.origin, begun: anchored?.begun ?? 0, range });
  if (newest?.size !== size) await database.query(publishText, [log, size, note, stored.seal]);
}

/** What a checkpoint of that range is, to the byte. */
export function signedNote(origin: string, range: CompactRange, signer: Signer): Promise<string> {
  return signCheckpoint({ origin, size: range.size, root: rangeRoot(range), extensions: [] }, signer);
}

/** The log key's word that this was numbered; no note, and nothing that anybody else would take for a checkpoint. */
export function sealOf(origin: string, range: CompactRange, signer: Signer): Promise<Uint8Array> {
  const text = `postern-numbered/1\n${origin}\n${range.size}\n`;
  const root = rangeRoot(range);
  const message = new Uint8Array(utf8(text).length + root.length);
  message.set(utf8(text));
  message.set(root, message.length - root.length);
  return signer.sign(message);
}

export interface StoredHead {
  readonly log: string;
  readonly origin: string;
  /** Nothing is numbered behind its end. */
  readonly frozen: boolean;
  readonly size: number;
  /** `null` = nothing is numbered. */
  readonly range: CompactRange | null;
  readonly seal: Uint8Array;
  readonly newest: { readonly size: number; readonly note: string } | null;
}

/** One statement, so that all of it is of one moment. Throws LogHalted where row and range contradict each other. */
export async function selectStored(database: Queryable, log: string): Promise<StoredHead> {
  const [row] = await database.query(storedText, [log]);
  if (!row) return { log, origin: "", frozen: false, size: 0, range: null, seal: new Uint8Array(), newest: null };
  const [origin, state, sizeCell, root, rangeBytes, seal, newestSize, note] = row;
  const size = Number(sizeCell);
  const range = size === 0 ? null : storedRange(log, size, rangeBytes, root);
  const newest = newestSize === null ? null : { size: Number(newestSize), note: String(note) };
  return { log, origin: String(origin), frozen: state === "frozen", size, range, seal: bytesOf(seal), newest };
}

/** Throws LogHalted where row and range contradict each other. */
export function storedRange(log: string, size: number, rangeBytes: Cell | undefined, root: Cell | undefined): CompactRange {
  const range = parseRange(size, bytesOf(rangeBytes));
  if (!range) throw new LogHalted(log, "its compact range does not fit its size");
  if (!equalBytes(rangeRoot(range), bytesOf(root))) throw new LogHalted(log, "its compact range does not give its root");
  return range;
}

/** Throws LogHalted unless the stored log is the anchored one and what was numbered since. */
export async function checkAnchored(database: Database, { log, origin, size, range }: StoredHead, anchored: AnchoredHead): Promise<void> {
  const published = anchored.range.size;
  if (size < published && (size === 0 || origin === anchored.origin)) {
    throw new LogHalted(
      log,
      `the database was set back: it holds ${size} entries, and ${published} were published; restore the newest one`,
    );
  }
  if (origin !== anchored.origin) throw new LogHalted(log, `it calls itself ${origin}, and ${anchored.origin} was published`);
  const grown = size === published ? anchored.range : await grownRange(database, log, anchored.range, size);
  if (grown.size !== size || range === null || !equalBytes(rangeRoot(grown), rangeRoot(range)))
    throw new LogHalted(log, "the database holds another history than the one that was published; restore the one that was");
}

async function grownRange(database: Database, log: string, from: CompactRange, to: number): Promise<CompactRange> {
  let range = from;
  while (range.size < to) {
    const rows = await database.query(leavesText, [log, range.size, to, pageFlushes]);
    for (const [index, hashes] of rows) {
      const leaves = hashesFromBytes(bytesOf(hashes));
      if (Number(index) !== range.size || leaves === null) return range;
      range = extendRange(range, leaves);
    }
    if (rows.length === 0) return range;
  }
  return range;
}

function bytesOf(cell: Cell | undefined): Uint8Array {
  return cell instanceof Uint8Array ? cell : new Uint8Array();
}

const storedText = `select l.origin, l.state, l.size, l.root, l.range, u.seal, c.size, c.note, now() from audit.log l
  left join audit.upkeep u on u.log = l.log
  left join lateral (select size, note from audit.checkpoint where log = l.log order by size desc limit 1) c on true
  where l.log = $1`;
/** The seal has done its service; one that somebody set meanwhile is about entries that are not published yet. */
const publishText = `with published as (insert into audit.checkpoint (log, size, note) values ($1, $2, $3) on conflict do nothing)
  update audit.upkeep set seal = null where log = $1 and seal = $4`;
const leavesText = `select index, leaf_hashes, now() from audit.seq where log = $1 and index >= $2 and index < $3 order by index limit $4`;
