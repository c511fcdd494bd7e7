/**
 * What the writers signed before anything was numbered: which entries a flush has, in which order, as which of the writer's.
 * This is what a database's owner cannot make up, and what closes the time between acceptance and the tree.
 */
import { equalBytes, fromBase64, type VerifySignature } from "../crypto/index.ts";
import type { FlushSlots } from "./export-contents.ts";
import { type Head, openHead } from "./head.ts";
import { hashesFromBytes, hashTree, inclusionProof, rootAt, rootFromInclusion } from "./tree.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";

/** Opens heads, each distinct one once. */
export type HeadOpener = (jws: string) => Promise<Head | null>;

export function headOpener(writerKeys: ReadonlyMap<string, Uint8Array>, verify: VerifySignature): HeadOpener {
  const opened = new Map<string, Promise<Head | null>>();
  return (jws) => {
    const known = opened.get(jws);
    if (known !== undefined) return known;
    const head = openHead(jws, writerKeys, verify);
    opened.set(jws, head);
    return head;
  };
}

export interface FlushCheck {
  readonly flushes: readonly FlushSlots[];
  /** Of all places, in order. */
  readonly entries: readonly CheckedEntry[];
  readonly origin: string;
  readonly openHead: HeadOpener;
  readonly findings: Findings;
}

/** Every place belongs to a flush, and every flush holds exactly what its head was signed over. */
export async function checkFlushes({ flushes, entries, origin, openHead: open, findings }: FlushCheck): Promise<void> {
  const links = linksOf(entries);
  for (const { line, slots } of flushes) {
    const held = slots.flatMap(({ index }) => entries[index] ?? []);
    if (line === null) {
      for (const { slot } of held) if (slot.bytes.length > 0) findings.add(slot.index, "head_missing", "it is in no flush");
      continue;
    }
    const { index, size } = line;
    const first = held[0]?.entry ?? null;
    if (first !== null && (line.id !== first.id || line.seq_id !== first.id))
      findings.add(index, "entry_id_mismatch", "its flush is stored under an id that is not its first entry's");
    if (line.entries !== null && line.entries !== size)
      findings.add(index + Math.min(line.entries, size), "flush_places", `a flush of ${line.entries} entries has ${size} places`);
    if (line.head === null) {
      findings.add(index, "head_missing", "its flush has no head");
      continue;
    }
    const head = await open(line.head);
    if (head === null) findings.add(index, "head_signature", "its flush head is not signed by a known writer key");
    else if (head.origin !== origin) findings.add(index, "head_mismatch", "its flush head is of another log");
    else checkHead(head, { start: index, held }, links, findings);
  }
}

interface Flush {
  readonly start: number;
  readonly held: readonly CheckedEntry[];
}

function checkHead(head: Head, { start, held }: Flush, links: Links, findings: Findings): void {
  for (const [i, { slot, entry }] of held.entries()) {
    if (entry !== null && entry.writer.id !== head.writer) findings.add(slot.index, "head_mismatch", "its flush head is of another writer");
    else if (entry !== null && entry.writer.n !== head.n + i)
      findings.add(slot.index, "head_mismatch", "its place in the flush is not its writer's count");
  }
  if (held.length !== head.size) {
    const place = start + Math.min(held.length, head.size);
    findings.add(place, "head_mismatch", `its writer signed a flush of ${head.size} entries, this one has ${held.length}`);
    return;
  }
  const leaves = held.map(({ leaf }) => leaf);
  if (equalBytes(rootAt(hashTree(leaves)), head.root)) return;
  for (const i of changedIn(held, head, links))
    findings.add(start + i, "head_mismatch", "it is not the entry that its writer signed the flush head over");
}

/** By writer and number: the leaf hash that the writer's next entry gives for it. */
type Links = ReadonlyMap<string, string>;

function linksOf(entries: readonly CheckedEntry[]): Links {
  const links = new Map<string, string>();
  for (const { entry } of entries) {
    if (entry?.writer.prev === undefined) continue;
    const key = linkKey(entry.writer.id, entry.writer.n - 1);
    if (!links.has(key)) links.set(key, entry.writer.prev);
  }
  return links;
}

function linkKey(writer: string, n: number): string {
  return `${writer}/${n}`;
}

/**
 * Which entries of a flush are not the ones that its head was signed over. The writer's next entry, or else the stored leaf hash, says what each was;
 * if the signed root follows when that takes the entry's place, it is proven. Otherwise the likeliest.
 */
function changedIn(held: readonly CheckedEntry[], head: Head, links: Links): readonly number[] {
  const leaves = held.map(({ leaf }) => leaf);
  const claims = held.map(({ slot }, i) => hashOrNull(links.get(linkKey(head.writer, head.n + i))) ?? slot.leaf);
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
  return [likeliest === last - 1 && !links.has(linkKey(head.writer, head.n + last)) ? last : likeliest];
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
