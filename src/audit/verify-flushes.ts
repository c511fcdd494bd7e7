/**
 * What the writers signed before anything was numbered: which entries a flush has, in which order, as which of the writer's.
 * This is what a database's owner cannot make up, and what closes the time between acceptance and the tree.
 */
import { equalBytes, fromBase64 } from "../crypto/index.ts";
import { flushEntriesMax } from "./flush.ts";
import type { Head } from "./head.ts";
import { type HeadLine, prunedOf } from "./manifest.ts";
import { hashesFromBytes, hashTree, inclusionProof, rootAt, rootFromInclusion } from "./tree.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";
import type { EpochCheck } from "./verify-epochs.ts";

/** A line of an export's heads, its head opened: `null` = not signed by a known writer key. */
export interface OpenedLine {
  readonly line: HeadLine;
  readonly head: Head | null;
}

export interface FlushCheck {
  /** Lines of flushes that begin at places yet to come, in order. */
  expect(lines: readonly OpenedLine[]): void;
  /** The places in order, from the first. */
  add(checked: CheckedEntry): void;
  /** `size`: places that the log is said to have. */
  end(size: number): void;
}

/** A flush whose places are going by. */
interface Passing extends OpenedLine {
  /** Leaf hashes of its first places, of which nothing else is left. */
  readonly pruned: readonly Uint8Array[];
  readonly held: CheckedEntry[];
  /** Places gone by, pruned ones among them; `held` are the first `flushEntriesMax` of the others. */
  count: number;
}

/** `first`: the first place that was kept. Every place belongs to a flush, and every flush holds exactly what its head was signed over. Where one reaches into the next, the next one has the place. */
export function createFlushCheck(epochs: Pick<EpochCheck, "admits">, first: number, findings: Findings): FlushCheck {
  const suspects = createSuspects(findings);
  let lines: readonly OpenedLine[] = [];
  /** Of `lines` that have begun. */
  let begun = 0;
  let passing: Passing | null = null;

  const close = () => {
    if (passing !== null) checkFlush(passing, { epochs, suspects, findings });
    passing = null;
  };
  return {
    expect(opened) {
      lines = [...lines.slice(begun), ...opened];
      begun = 0;
    },
    add(checked) {
      const { index, bytes } = checked.slot;
      const opened = lines[begun];
      if (opened !== undefined && Math.max(opened.line.index, first) === index) {
        if (passing !== null && endOf(passing) > index)
          findings.add(index, "flush_places", "a flush reaches into the places of the next one, or past the log's size");
        close();
        begun++;
        const pruned = prunedOf(opened.line);
        passing = { ...opened, pruned, held: [], count: pruned.length };
      }
      if (passing !== null && endOf(passing) <= index) close();
      if (passing === null) {
        if (bytes.length > 0) findings.add(index, "head_missing", "it is in no flush");
      } else {
        passing.count++;
        if (passing.held.length < flushEntriesMax) passing.held.push(checked);
      }
      suspects.listen(checked);
    },
    end(size) {
      if (passing !== null && endOf(passing) > size)
        findings.add(size, "flush_places", "a flush reaches into the places of the next one, or past the log's size");
      close();
      suspects.end();
    },
  };
}

function endOf({ line }: Passing): number {
  return line.index + line.size;
}

interface Against {
  readonly epochs: Pick<EpochCheck, "admits">;
  readonly suspects: Suspects;
  readonly findings: Findings;
}

function checkFlush(flush: Passing, against: Against): void {
  const { line, head, held, pruned } = flush;
  const { epochs, findings } = against;
  const { index, size } = line;
  const first = pruned.length > 0 ? null : (held[0]?.entry ?? null);
  if (first !== null && (line.id !== first.id || line.seq_id !== first.id))
    findings.add(index, "entry_id_mismatch", "its flush is stored under an id that is not its first entry's");
  if (line.entries !== null && line.entries !== size)
    findings.add(index + Math.min(line.entries, size), "flush_places", `a flush of ${line.entries} entries has ${size} places`);
  if (line.head === null) findings.add(index, "head_missing", "its flush has no head");
  else if (head === null) findings.add(index, "head_signature", "its flush head is not signed by a known writer key");
  else if (!epochs.admits(head.origin, index)) findings.add(index, "head_mismatch", "its flush head is of another log");
  else checkHead(head, flush, against);
}

function checkHead(head: Head, { line, pruned, held, count }: Passing, { suspects, findings }: Against): void {
  for (const [i, { slot, entry }] of held.entries()) {
    if (entry !== null && entry.log !== head.origin) findings.add(slot.index, "head_mismatch", "its flush head is of another epoch");
    if (entry !== null && entry.writer.id !== head.writer) findings.add(slot.index, "head_mismatch", "its flush head is of another writer");
    else if (entry !== null && entry.writer.n !== head.n + pruned.length + i)
      findings.add(slot.index, "head_mismatch", "its place in the flush is not its writer's count");
  }
  if (count !== head.size) {
    const place = line.index + Math.min(count, head.size);
    findings.add(place, "head_mismatch", `its writer signed a flush of ${head.size} entries, this one has ${count}`);
    return;
  }
  const leaves = [...pruned, ...held.map(({ leaf }) => leaf)];
  if (count === leaves.length && equalBytes(rootAt(hashTree(leaves)), head.root)) return;
  if (pruned.length > 0 && held.every(({ leaf, slot }) => equalBytes(leaf, slot.leaf))) {
    findings.add(
      null,
      "pruned_edge",
      "the first flush that was kept is not the one that its writer signed: a hash of its pruned entries was changed",
    );
    return;
  }
  suspects.add({ start: line.index, head, leaves, stored: [...pruned, ...held.map(({ slot }) => slot.leaf)] }, held);
}

/** A flush that is not the one its head was signed over. */
interface Suspect {
  readonly start: number;
  readonly head: Head;
  readonly leaves: readonly Uint8Array[];
  readonly stored: readonly Uint8Array[];
}

interface Suspects {
  add(suspect: Suspect, held: readonly CheckedEntry[]): void;
  /** Entries after the flush, one of which is its writer's next. */
  listen(checked: CheckedEntry): void;
  end(): void;
}

/** So many wait for what their writers say next; of others it is not waited for. */
const suspectsMax = 64;

/** Which entries of a flush were changed is told best by its writer's next entry, so it is told when that has come, or at the log's end. */
function createSuspects(findings: Findings): Suspects {
  const waiting: { readonly suspect: Suspect; readonly links: Map<number, string> }[] = [];
  const tell = ({ suspect, links }: { readonly suspect: Suspect; readonly links: Links }) => {
    for (const i of changedIn(suspect, links))
      findings.add(suspect.start + i, "head_mismatch", "it is not the entry that its writer signed the flush head over");
  };
  return {
    add(suspect, held) {
      const links = new Map<number, string>();
      for (const checked of held) link(links, suspect.head, checked);
      if (waiting.length < suspectsMax) waiting.push({ suspect, links });
      else tell({ suspect, links });
    },
    listen(checked) {
      for (const { suspect, links } of waiting) link(links, suspect.head, checked);
    },
    end: () => waiting.forEach(tell),
  };
}

/** By the writer's number: the leaf hash that its next entry gives for an entry. The first that says so counts. */
type Links = ReadonlyMap<number, string>;

function link(links: Map<number, string>, head: Head, { entry }: CheckedEntry): void {
  if (entry?.writer.prev === undefined || entry.writer.id !== head.writer) return;
  const n = entry.writer.n - 1;
  if (n >= head.n && n < head.n + head.size && !links.has(n)) links.set(n, entry.writer.prev);
}

/**
 * Which entries of a flush are not the ones that its head was signed over. The writer's next entry, or else the stored leaf hash, says what each was;
 * if the signed root follows when that takes the entry's place, it is proven. Otherwise the likeliest.
 */
function changedIn({ head, leaves, stored }: Suspect, links: Links): readonly number[] {
  const claims = leaves.map((leaf, i) => hashOrNull(links.get(head.n + i)) ?? stored[i] ?? leaf);
  const doubtful = leaves.flatMap((leaf, i) => (equalBytes(leaf, claims[i] ?? leaf) ? [] : [i]));
  const tree = hashTree(leaves);
  const leadsToRoot = (i: number) => {
    const root = rootFromInclusion(claims[i] ?? head.root, i, leaves.length, inclusionProof(tree, i));
    return root !== null && equalBytes(root, head.root);
  };
  const one = doubtful.find(leadsToRoot);
  if (one !== undefined) return [one];
  if (equalBytes(rootAt(hashTree(claims)), head.root)) return doubtful;
  const last = leaves.length - 1;
  const [likeliest = last] = doubtful;
  // The last one, for which nobody speaks, is all that speaks against the one before it.
  return [likeliest === last - 1 && !links.has(head.n + last) ? last : likeliest];
}

/** `null` = none, or not 32 bytes of canonical base64. */
function hashOrNull(text: string | undefined): Uint8Array | null {
  try {
    return text === undefined ? null : fromBase64(text);
  } catch {
    return null;
  }
}

/** Whether `path` leads from the leaf at `position` to the head's root. */
export function isInFlush(leaf: Uint8Array, position: number, path: Uint8Array, head: Head): boolean {
  const hashes = hashesFromBytes(path);
  const root = hashes === null ? null : rootFromInclusion(leaf, position, head.size, hashes);
  return root !== null && equalBytes(root, head.root);
}
