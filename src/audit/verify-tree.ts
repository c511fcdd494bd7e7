/**
 * The tree over the entries against everything that was signed or stored about it: the checkpoint, the log's row, the tiles, every archived checkpoint.
 * It grows twice, over the leaves as recomputed and over the leaves as stored, once they differ; of either it holds a range and a root for every 256.
 */
import { equalBytes, toBase64, type VerifySignature } from "../crypto/index.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { belongsTo, originsUpTo } from "./epoch.ts";
import type { Opening } from "./export-contents.ts";
import { type GrowingTree, treeOfTiles } from "./growing-tree.ts";
import type { LeftEdge } from "./left-edge.ts";
import type { CheckpointLine, Manifest } from "./manifest.ts";
import { type NoteKey, type NoteRefusal, noteKey } from "./note.ts";
import { type Tile, tilePath, tileWidth } from "./tiles.ts";
import { hashesToBytes, subtreeRoots } from "./tree.ts";
import { type Findings, problemsMax } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";

/** Why a note does not count. */
export const noteReasons = {
  malformed: "is not a checkpoint",
  unsigned: "is not signed by the log's key",
  wrong_signature: "has a wrong signature",
  ambiguous_key: "cannot be told which key signed it",
} as const satisfies Record<NoteRefusal, string>;

/** Whose notes count, and how that is told. */
export interface NoteCheck {
  readonly origin: string;
  /** `null` = no key of this log is known, which was said already. */
  readonly logKey: NoteKey | null;
  readonly verifySignature: VerifySignature;
  readonly findings: Findings;
}

/** The same key under the names that the log has had, its present one among them. */
export function keysOfEpochs({ name, publicKey }: NoteKey): NoteKey[] {
  return originsUpTo(name).map((origin) => noteKey(origin, publicKey));
}

/** The checkpoint that the whole export stands under. `null` = none that counts, which was said. */
export async function openLatest({ manifest, checkpoint: note }: Opening, check: NoteCheck): Promise<Checkpoint | null> {
  const { logKey, verifySignature, findings } = check;
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

export interface ArchiveCheck {
  /** The checkpoints of sizes from `start` to `end`. Answers those that hold by themselves. */
  open(lines: readonly CheckpointLine[], start: number, end: number): Promise<Checkpoint[]>;
  /** `note`: the one that the whole export stands under. */
  end(note: string): void;
}

export function createArchiveCheck({ origin, logKey, verifySignature, findings }: NoteCheck): ArchiveCheck {
  const keys = logKey && keysOfEpochs(logKey);
  let last: CheckpointLine = { size: -1, note: "" };
  return {
    async open(lines, start, end) {
      const opened: Checkpoint[] = [];
      const results = await Promise.all(lines.map(({ note }) => keys && openCheckpoint(note, keys, verifySignature)));
      for (const [i, line] of lines.entries()) {
        const name = `the archived checkpoint of size ${line.size}`;
        const result = results[i] ?? null;
        const isInOrder = line.size > last.size && line.size <= end && (line.size > start || start === 0);
        last = line;
        if (!isInOrder) findings.add(null, "archived_checkpoint", `${name} is out of order`);
        else if (result?.ok === false) findings.add(null, "archived_checkpoint", `${name} ${noteReasons[result.refusal]}`);
        else if (result?.ok && !belongsTo(result.value.origin, origin))
          findings.add(null, "archived_checkpoint", `${name} is of another log`);
        else if (result?.ok && result.value.size !== line.size)
          findings.add(null, "archived_checkpoint", `${name} says ${result.value.size}`);
        else if (result?.ok) opened.push(result.value);
      }
      return opened;
    },
    end(note) {
      if (last.note !== note) findings.add(null, "archived_checkpoint", "the latest archived checkpoint is not the export's checkpoint");
    },
  };
}

/** A size whose root somebody claims. */
export type Claim = Pick<Checkpoint, "size" | "root">;

/** Whether a claim holds for the leaves as recomputed, and as stored. */
interface Held {
  readonly recomputed: boolean;
  readonly stored: boolean;
}

export interface TreeParts {
  readonly manifest: Manifest;
  readonly latest: Checkpoint | null;
  readonly edge: LeftEdge;
  /** What somebody kept from before. */
  readonly kept: readonly Claim[];
  readonly findings: Findings;
}

/** The tree that the rest is compared with. */
export interface ChosenTree {
  readonly size: number;
  readonly root: Uint8Array;
  readonly tileRoots: readonly Uint8Array[];
  /** Of what was kept from before. `null` = it is about what was pruned. */
  holds(kept: Claim): boolean | null;
}

export interface TreeCheck {
  /** Of one tile, with the signed sizes that end in it. */
  add(entries: readonly CheckedEntry[], archived: readonly Checkpoint[]): void;
  /** Comes after the checks of entries and writers, because it adds a place only where they found none. */
  end(): ChosenTree;
}

export function createTreeCheck({ manifest, latest, edge, kept, findings }: TreeParts): TreeCheck {
  const recomputed = treeOfTiles(edge.roots);
  let stored = recomputed;
  const held = new Map<Claim, Held>();
  const signed = createSignedSizes(edge.first);
  const known = latest === null ? kept : [...kept, latest];

  const answer = (claim: Claim) => {
    const same = equalBytes(recomputed.root(), claim.root);
    held.set(claim, { recomputed: same, stored: stored === recomputed ? same : equalBytes(stored.root(), claim.root) });
  };
  for (const claim of known) if (claim.size === edge.first) answer(claim);

  return {
    add(entries, archived) {
      const start = recomputed.range().size;
      const leaves = entries.map(({ leaf }) => leaf);
      const asStored = entries.map(({ slot }) => slot.leaf);
      if (stored === recomputed && leaves.some((leaf, i) => !equalBytes(leaf, asStored[i] ?? leaf))) stored = recomputed.copy();
      const claims = [...archived, ...known.filter(({ size }) => size > start && size <= start + leaves.length)];
      let from = 0;
      const growTo = (to: number) => {
        recomputed.add(leaves.slice(from, to));
        if (stored !== recomputed) stored.add(asStored.slice(from, to));
        from = to;
      };
      for (const claim of claims.toSorted((a, b) => a.size - b.size)) {
        growTo(claim.size - start);
        answer(claim);
      }
      growTo(leaves.length);
      for (const checkpoint of archived) {
        signed.add(checkpoint.size, held.get(checkpoint));
        held.delete(checkpoint);
      }
    },
    end() {
      if (latest !== null) signed.add(latest.size, held.get(latest));
      const isLatestRight = latest !== null && held.get(latest)?.recomputed === true;
      // One entry's changed bytes are that entry's problem; the tree is whole if the stored leaf hashes still give every signed root.
      const which = signed.wrong().length > 0 && signed.allStored() ? "stored" : "recomputed";
      if (which === "recomputed" && !isLatestRight) locateChange(signed, edge.first, findings);
      else if (which === "recomputed")
        for (const size of signed.wrong())
          findings.add(null, "archived_checkpoint", `the archived checkpoint of size ${size} is not of these entries`);
      const tree = which === "stored" ? stored : recomputed;
      checkLogRow(manifest, tree, findings);
      const holds = (claim: Claim) => (claim.size < edge.first ? null : held.get(claim)?.[which] === true);
      return { size: tree.range().size, root: tree.root(), tileRoots: tree.tileRoots(), holds };
    },
  };
}

/** What became of the signed sizes. */
interface SignedSizes {
  /** Ascending. `held` undefined: the tree does not reach so far. */
  add(size: number, held: Held | undefined): void;
  /** Sizes whose root the entries do not give: the first, as many as a verdict shows. */
  wrong(): readonly number[];
  /** The last size before the first wrong one whose root they give. */
  lastRight(): number;
  allStored(): boolean;
}

function createSignedSizes(first: number): SignedSizes {
  const wrong: number[] = [];
  let lastRight = first;
  let allStored = true;
  return {
    add(size, held) {
      if (!held?.stored) allStored = false;
      if (held?.recomputed && wrong.length === 0) lastRight = Math.max(lastRight, size);
      else if (!held?.recomputed && wrong.length < problemsMax) wrong.push(size);
    },
    wrong: () => wrong,
    lastRight: () => lastRight,
    allStored: () => allStored,
  };
}

/** The first signed size whose root is not ours bounds the change from above, the last one whose root is ours from below. */
function locateChange(signed: SignedSizes, first: number, findings: Findings): void {
  const [size] = signed.wrong();
  if (size === undefined) return;
  const start = signed.lastRight();
  const end = Math.max(start + 1, size);
  if (first > 0 && start === first && !findings.within(start, end)) {
    const reason = `the roots kept of what was pruned and the entries behind them do not give the signed root of size ${size}: one of either was changed`;
    findings.add(null, "pruned_edge", reason);
    return;
  }
  const place = findings.within(start, end) ? null : start;
  findings.add(
    place,
    "tree_changed",
    `the entries do not give the signed root of size ${size}: one of places ${start} to ${end - 1} was changed, taken out or put in`,
  );
}

function checkLogRow(manifest: Manifest, tree: GrowingTree, findings: Findings): void {
  if (manifest.root !== toBase64(tree.root())) findings.add(null, "log_row_mismatch", "the stored root is not that of the entries");
  if (manifest.range !== toBase64(hashesToBytes(tree.range().hashes)))
    findings.add(null, "log_row_mismatch", "the stored compact range is not that of the entries");
}

/** Answers for each tile of level 1 and higher, level by level, whether it holds the roots that follow from the tree. */
export function createUpperTileCheck({ tileRoots }: ChosenTree, findings: Findings) {
  let roots = tileRoots;
  let level = 1;
  return (tile: Tile, hashes: readonly Uint8Array[]): void => {
    for (; level < tile.level; level++) roots = subtreeRoots(roots, tileWidth);
    const start = tile.index * tileWidth;
    const wrong = hashes.findIndex((hash, i) => !equalBytes(hash, roots[start + i] ?? new Uint8Array(0)));
    if (wrong < 0) return;
    const width = tileWidth ** tile.level;
    const first = (start + wrong) * width;
    findings.add(
      null,
      "tile_mismatch",
      `${tilePath(tile)}: the stored root over places ${first} to ${first + width - 1} is not that of the entries`,
    );
  };
}
