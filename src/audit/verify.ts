/**
 * Verifies an export with nothing but the export and the keys that the reader trusts: no gateway, no database, no network, no clock.
 *
 * opening → keys → what was pruned → what was seen before → tile by tile [ checkpoints and heads → entries → writers → flushes → tree ] → state → what stands behind
 *
 * One pass: an export streams by. What is held is one tile, the tree's range with a root for every 256 entries, and for the ids and the writers of the
 * whole log some tens of bytes each.
 */
import { toBase64, type VerifySignature } from "../crypto/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Entry } from "./entry.ts";
import { isSameLog, readOrigin } from "./epoch.ts";
import { type ExportReader, type Opening, readExport, type TileContents } from "./export-contents.ts";
import { openHead } from "./head.ts";
import { type LeftEdge, wholeEdge } from "./left-edge.ts";
import type { Manifest } from "./manifest.ts";
import { type NoteKey, noteKey, parseVkey } from "./note.ts";
import { ArchiveUnreadable, type Member } from "./tar.ts";
import { logKeyOf, parseNamedKey, type Trust } from "./trust.ts";
import { createFindings, type Findings, type Verdict } from "./verdict.ts";
import { type CheckedEntry, createEntryCheck } from "./verify-entries.ts";
import { createEpochCheck } from "./verify-epochs.ts";
import { createFlushCheck, type OpenedLine } from "./verify-flushes.ts";
import { checkPruned, type PrunedCheck } from "./verify-pruned.ts";
import { checkQuorum } from "./verify-quorum.ts";
import { createSeenCheck } from "./verify-seen.ts";
import { type ChosenTree, createArchiveCheck, createTreeCheck, createUpperTileCheck, openLatest } from "./verify-tree.ts";
import { createWriterCheck } from "./verify-writers.ts";

export interface VerifyRequest {
  /** As `readBundle` reads it. */
  readonly bundle: AsyncIterable<Member>;
  /** `null` = check the export against the keys that it names itself; the verdict says so. */
  readonly trust: Trust | null;
  /** Texts of checkpoints and promises that were kept from before. */
  readonly seen: readonly string[];
  readonly verifySignature: VerifySignature;
  /** Each entry that can be read, in order. */
  readonly onEntry?: (entry: Entry) => void;
  /** Each archived checkpoint that holds by itself, behind the entries that it is about. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  /** Says what else is wrong with a log that was read to its end. */
  readonly judge?: (findings: Findings, log: Pick<Verdict, "size" | "prunedBefore" | "lost">) => void;
  /** Called after each tile with the entries checked so far and the export's own count. */
  readonly onProgress?: (entries: number, size: number) => void;
}

/** Of an archive that cannot be read to its end the verdict says that alone. Throws what `bundle` throws otherwise. */
export async function verifyExport(request: VerifyRequest): Promise<Verdict> {
  const findings = createFindings();
  try {
    return verdict(request.trust, await verifyMembers(request, findings), findings);
  } catch (error) {
    if (!(error instanceof ArchiveUnreadable)) throw error;
    const unreadable = createFindings();
    unreadable.add(null, "archive_unreadable", error.message);
    return verdict(request.trust, nothing, unreadable);
  }
}

type Log = Pick<
  Verdict,
  "origin" | "size" | "root" | "prunedBefore" | "seenPruned" | "entries" | "flushes" | "checkpoints" | "withheld" | "lost"
>;

const nothing: Log = {
  origin: "",
  size: 0,
  root: "",
  prunedBefore: 0,
  seenPruned: 0,
  entries: 0,
  flushes: 0,
  checkpoints: 0,
  withheld: 0,
  lost: [],
};

async function verifyMembers(request: VerifyRequest, findings: Findings): Promise<Log> {
  const { trust, seen, verifySignature, onProgress, onEntry, onCheckpoint } = request;
  const reader = readExport(request.bundle, findings);
  const opening = await reader.opening();
  if (opening === null) {
    await reader.end();
    return nothing;
  }
  const { manifest } = opening;
  const { origin, size, min_index: prunedBefore, extract } = manifest;
  const isExtract = extract !== undefined;
  const { logKey, writerKeys } = chooseKeys(trust, opening, findings);
  const notes = { origin, logKey, verifySignature, findings };
  const latest = await openLatest(opening, notes);
  await checkQuorum({ note: opening.checkpoint, trust, verifySignature, findings });
  const edge = await openEdge(reader, manifest, { trust, verifySignature, findings });
  if (edge === null) {
    await reader.end();
    return { ...nothing, origin, size, prunedBefore };
  }
  const kept = await createSeenCheck(seen, writerKeys, notes);
  const archive = createArchiveCheck(notes);
  const epochs = createEpochCheck(origin, edge.first, findings);
  const checkEntry = createEntryCheck({ epochs, isExtract }, findings);
  // Of a writer of whom only some entries are shown it cannot be told whether one is missing; its signed flushes are whole all the same.
  const writers = isExtract ? null : createWriterCheck(edge, epochs, findings);
  const flushes = createFlushCheck(epochs, edge.first, findings);
  const tree = createTreeCheck({ manifest, latest, edge, kept: kept.checkpoints, findings });
  const end = createEndCheck(findings);
  const counts = { entries: 0, flushes: 0, checkpoints: 0, withheld: 0 };

  for await (const { start, slots, heads, checkpoints } of reader.tiles(manifest)) {
    const archived = await archive.open(checkpoints, start, start + slots.length);
    flushes.expect(await openHeads(heads, writerKeys, verifySignature));
    const entries = slots.map(checkEntry);
    for (const checked of entries) {
      writers?.add(checked);
      flushes.add(checked);
      kept.add(checked);
      end.add(checked);
      if (checked.entry !== null) onEntry?.(checked.entry);
      else if (isExtract && checked.slot.bytes.length === 0) counts.withheld++;
    }
    for (const { origin: signed, size: at } of archived)
      if (!epochs.signs(signed, at)) findings.add(null, "archived_checkpoint", `the archived checkpoint of size ${at} is of another epoch`);
    for (const checkpoint of archived) onCheckpoint?.(checkpoint);
    tree.add(entries, archived);
    counts.entries += slots.length;
    counts.flushes += heads.length;
    counts.checkpoints += checkpoints.length;
    onProgress?.(counts.entries, size);
  }
  writers?.end();
  flushes.end(size);
  end.end(manifest);
  epochs.end();
  if (size > edge.first) archive.end(opening.checkpoint);
  const chosen = tree.end();
  const seenPruned = kept.end(chosen, { edge, epochs });
  await checkRest(reader, chosen, findings);
  const log = { origin, size, root: toBase64(chosen.root), prunedBefore, seenPruned, ...counts, lost: epochs.lost() };
  request.judge?.(findings, log);
  return log;
}

/** `null` = the roots of what was pruned are not there, which was said. */
async function openEdge(reader: ExportReader, manifest: Manifest, check: PrunedCheck): Promise<LeftEdge | null> {
  if (manifest.min_index === 0) return wholeEdge;
  const part = await reader.pruned(manifest);
  return part && checkPruned(manifest, part, check);
}

interface Keys {
  readonly logKey: NoteKey | null;
  readonly writerKeys: ReadonlyMap<string, Uint8Array>;
}

/** A trust file's keys, and those alone, where there is one. */
function chooseKeys(trust: Trust | null, { manifest, keys }: Opening, findings: Findings): Keys {
  if (trust !== null) {
    return { logKey: trustedKey(trust, manifest.origin, findings), writerKeys: trust.writers };
  }
  const logKey = parseVkey(keys?.log ?? "");
  if (logKey === null) findings.add(null, "log_not_trusted", "the export names no verifier key of the log");
  const writerKeys = new Map((keys?.writers ?? []).flatMap((named) => parseNamedKey(named) ?? []).map(({ kid, key }) => [kid, key]));
  return { logKey, writerKeys };
}

/** An epoch that the reader was not told of is verified under the key that they know, and named: whoever opens one shall not pass unnoticed. */
function trustedKey(trust: Trust, origin: string, findings: Findings): NoteKey | null {
  const named = logKeyOf(trust, origin);
  if (named !== null) return named;
  const other = [trust.log, trust.gateway].find(({ name }) => isSameLog(name, origin));
  if (other === undefined) {
    findings.add(null, "log_not_trusted", "the trust file names neither this log nor its gateway log");
    return null;
  }
  const { epoch } = readOrigin(origin);
  findings.add(null, "epoch_not_trusted", `the log is in epoch ${epoch}, which the trust file does not name: ask why, and for a new one`);
  return noteKey(origin, other.publicKey);
}

/** All of a tile at once: signatures are most of the work, and a runtime may verify them side by side. */
function openHeads(
  lines: TileContents["heads"],
  writerKeys: ReadonlyMap<string, Uint8Array>,
  verifySignature: VerifySignature,
): Promise<OpenedLine[]> {
  return Promise.all(
    lines.map(async (line) => ({ line, head: line.head === null ? null : await openHead(line.head, writerKeys, verifySignature) })),
  );
}

/** A log is frozen by its last entry and nothing comes after that. */
function createEndCheck(findings: Findings) {
  let endedAt: number | null = null;
  let last: CheckedEntry | null = null;
  return {
    add(checked: CheckedEntry): void {
      const { index } = checked.slot;
      if (endedAt === index - 1) findings.add(index, "entry_after_freeze", "an entry stands after the one that ends the log");
      if (checked.entry?.event === "purge.verified") endedAt ??= index;
      last = checked;
    },
    end({ state, min_index: first, size }: Manifest): void {
      // Of a log of which nothing is left, its last entry is not there to be asked.
      const ended = first > 0 && first === size ? state === "frozen" : last?.entry?.event === "purge.verified";
      if (ended && state === "open") findings.add(null, "log_row_mismatch", "the log has ended and its stored state is not frozen");
      if (!ended && state === "frozen") findings.add(null, "log_row_mismatch", "the log's stored state is frozen and it has not ended");
      if (state === "halted")
        findings.add(null, "log_halted", "the gateway stopped numbering: the stored log is not the one that it signed last");
    },
  };
}

/** The tiles of higher levels are those of the tree; whatever was accepted is in the tree. */
async function checkRest(reader: ExportReader, tree: ChosenTree, findings: Findings): Promise<void> {
  const checkTile = createUpperTileCheck(tree, findings);
  for await (const { tile, hashes } of reader.upperTiles()) checkTile(tile, hashes);
  for (const { id } of await reader.orphans()) {
    const name = /^[0-9a-f-]{36}$/.test(id) ? ` ${id}` : "";
    findings.add(null, "entry_not_in_tree", `the accepted flush${name} is neither waiting nor in the tree`);
  }
  await reader.end();
}

function verdict(trust: Trust | null, log: Log, findings: Findings): Verdict {
  const problems = findings.kept();
  return {
    ok: findings.count() === 0,
    keys: trust === null ? "not pinned" : "pinned",
    ...log,
    problems,
    problemsFound: findings.count(),
    firstBad: problems[0]?.index ?? null,
  };
}
