/**
 * The tree over the entries against everything that was signed or stored about it: the checkpoint, the log's row, the tiles, every archived checkpoint.
 */
import { equalBytes, toBase64, type VerifySignature } from "../crypto/index.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import type { Contents } from "./export-contents.ts";
import type { NoteKey, NoteRefusal } from "./note.ts";
import { tilePath, tileWidth } from "./tiles.ts";
import { type HashTree, hashesToBytes, hashTree, rangeAt, rootAt } from "./tree.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";

/** Why a note does not count. */
export const noteReasons = {
  malformed: "is not a checkpoint",
  unsigned: "is not signed by the log's key",
  wrong_signature: "has a wrong signature",
  ambiguous_key: "cannot be told which key signed it",
} as const satisfies Record<NoteRefusal, string>;

export interface TreeCheck {
  readonly contents: Contents;
  readonly entries: readonly CheckedEntry[];
  /** `null` = no key of this log is known, which was said already. */
  readonly logKey: NoteKey | null;
  readonly verifySignature: VerifySignature;
  readonly findings: Findings;
}

/** Comes after the checks of entries and writers, because it adds a place only where they found none. Returns the tree that the rest compares with. */
export async function checkTree(check: TreeCheck): Promise<HashTree> {
  const { contents, entries, findings } = check;
  const latest = await openLatest(check);
  const archived = await openArchived(check);
  const signed = latest === null ? archived : [...archived, latest];
  let tree = hashTree(entries.map(({ leaf }) => leaf));
  const wrong = signed.filter((checkpoint) => !matches(tree, checkpoint));
  if (wrong.length > 0) {
    // One entry's changed bytes are that entry's problem; the tree is whole if the stored leaf hashes still give every signed root.
    const stored = hashTree(contents.slots.map(({ leaf }) => leaf));
    if (signed.every((checkpoint) => matches(stored, checkpoint))) tree = stored;
    else if (latest === null || wrong.includes(latest)) locateChange(tree, signed, findings);
    else
      for (const { size } of wrong)
        findings.add(null, "archived_checkpoint", `the archived checkpoint of size ${size} is not of these entries`);
  }
  checkLogRow(contents, tree, findings);
  checkUpperTiles(contents, tree, findings);
  return tree;
}

async function openLatest({ contents, logKey, verifySignature, findings }: TreeCheck): Promise<Checkpoint | null> {
  const { manifest, checkpoint: note, checkpoints } = contents;
  if (checkpoints.at(-1)?.note !== note)
    findings.add(null, "archived_checkpoint", "the latest archived checkpoint is not the export's checkpoint");
  if (logKey === null) return null;
  const opened = await openCheckpoint(note, [logKey], verifySignature);
  if (!opened.ok) {
    findings.add(null, "checkpoint_signature", `the checkpoint ${noteReasons[opened.refusal]}`);
    return null;
  }
  const { origin, size, root } = opened.value;
  if (origin !== manifest.origin) findings.add(null, "checkpoint_mismatch", "the checkpoint is of another log");
  if (size !== manifest.size)
    findings.add(null, "checkpoint_mismatch", `the checkpoint is of ${size} entries, the manifest says ${manifest.size}`);
  if (toBase64(root) !== manifest.root) findings.add(null, "log_row_mismatch", "the stored root is not the checkpoint's");
  return opened.value;
}

/** Those that hold by themselves, ascending by size. */
async function openArchived({ contents, logKey, verifySignature, findings }: TreeCheck): Promise<Checkpoint[]> {
  const opened: Checkpoint[] = [];
  let last = -1;
  for (const { size, note } of contents.checkpoints) {
    const name = `the archived checkpoint of size ${size}`;
    if (size <= last) findings.add(null, "archived_checkpoint", `${name} is out of order`);
    last = size;
    if (logKey === null) continue;
    const result = await openCheckpoint(note, [logKey], verifySignature);
    if (!result.ok) findings.add(null, "archived_checkpoint", `${name} ${noteReasons[result.refusal]}`);
    else if (result.value.origin !== contents.manifest.origin) findings.add(null, "archived_checkpoint", `${name} is of another log`);
    else if (result.value.size !== size) findings.add(null, "archived_checkpoint", `${name} says ${result.value.size}`);
    else opened.push(result.value);
  }
  return opened;
}

/** The first signed size whose root is not ours bounds the change from above, the last one whose root is ours from below. */
function locateChange(tree: HashTree, signed: readonly Checkpoint[], findings: Findings): void {
  let start = 0;
  for (const checkpoint of signed) {
    if (matches(tree, checkpoint)) {
      start = Math.max(start, checkpoint.size);
      continue;
    }
    const end = Math.max(start + 1, checkpoint.size);
    const place = findings.within(start, end) ? null : start;
    findings.add(
      place,
      "tree_changed",
      `the entries do not give the signed root of size ${checkpoint.size}: one of places ${start} to ${end - 1} was changed, taken out or put in`,
    );
    return;
  }
}

function matches(tree: HashTree, { size, root }: Checkpoint): boolean {
  return size <= tree.size && equalBytes(rootAt(tree, size), root);
}

function checkLogRow({ manifest }: Contents, tree: HashTree, findings: Findings): void {
  if (manifest.root !== toBase64(rootAt(tree))) findings.add(null, "log_row_mismatch", "the stored root is not that of the entries");
  if (manifest.range !== toBase64(hashesToBytes(rangeAt(tree).hashes)))
    findings.add(null, "log_row_mismatch", "the stored compact range is not that of the entries");
}

function checkUpperTiles(contents: Contents, tree: HashTree, findings: Findings): void {
  for (const { tile, hashes } of contents.upperTiles) {
    const layer = tree.layers[tile.level * Math.log2(tileWidth)] ?? [];
    const start = tile.index * tileWidth;
    const wrong = hashes.findIndex((hash, i) => !equalBytes(hash, layer[start + i] ?? new Uint8Array(0)));
    if (wrong < 0) continue;
    const width = tileWidth ** tile.level;
    const first = (start + wrong) * width;
    findings.add(
      null,
      "tile_mismatch",
      `${tilePath(tile)}: the stored root over places ${first} to ${first + width - 1} is not that of the entries`,
    );
  }
}
