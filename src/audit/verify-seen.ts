/**
 * What somebody kept from before, a checkpoint or a promise, held against the export: this finds a tail that was cut off, an old backup, a second history.
 */
import { equalBytes } from "../crypto/index.ts";
import { type Checkpoint, openCheckpoint, peekCheckpoint } from "./checkpoint.ts";
import { belongsTo } from "./epoch.ts";
import { type Head, openHead } from "./head.ts";
import type { LeftEdge } from "./left-edge.ts";
import { type AuditPromise, parsePromise } from "./promise.ts";
import type { Findings } from "./verdict.ts";
import type { CheckedEntry } from "./verify-entries.ts";
import type { EpochCheck, OpenedEpoch } from "./verify-epochs.ts";
import { isInFlush } from "./verify-flushes.ts";
import { type ChosenTree, keysOfEpochs, type NoteCheck, noteReasons } from "./verify-tree.ts";

interface KeptPromise {
  readonly name: string;
  readonly promise: AuditPromise;
  readonly head: Head;
}

export interface SeenAgainst {
  readonly edge: LeftEdge;
  readonly epochs: EpochCheck;
}

export interface SeenCheck {
  /** Of this log, and signed: the tree is to be held against them as it grows. */
  readonly checkpoints: readonly Checkpoint[];
  /** In the log's order. */
  add(checked: CheckedEntry): void;
  /** Answers how much of it is about what was pruned. */
  end(tree: ChosenTree, { edge, epochs }: SeenAgainst): number;
}

/** `seen`: texts of checkpoint notes, or values of `Audit-Promise` headers, with or without the header's name. Of what is neither, or not signed, it says so. */
export async function createSeenCheck(
  seen: readonly string[],
  writerKeys: ReadonlyMap<string, Uint8Array>,
  check: NoteCheck,
): Promise<SeenCheck> {
  const { findings } = check;
  const checkpoints = new Map<string, Checkpoint>();
  const promises: KeptPromise[] = [];
  for (const [i, text] of seen.entries()) {
    const name = `seen ${i + 1}`;
    const promise = parsePromise(text.replace(/^\s*audit-promise\s*:/i, ""));
    const head = promise && (await openPromise(name, promise, writerKeys, check));
    const checkpoint = promise === null ? await openKept(name, text, check) : null;
    if (promise !== null && head !== null) promises.push({ name, promise, head });
    if (checkpoint !== null) checkpoints.set(name, checkpoint);
  }
  const wanted = new Set(promises.map(({ promise }) => promise.id));
  const found = new Map<string, { readonly index: number; readonly leaf: Uint8Array }>();
  return {
    checkpoints: [...checkpoints.values()],
    add({ entry, leaf, slot }) {
      if (entry !== null && wanted.has(entry.id) && !found.has(entry.id)) found.set(entry.id, { index: slot.index, leaf });
    },
    end(tree, { edge, epochs }) {
      let pruned = 0;
      for (const [name, checkpoint] of checkpoints) {
        const { origin, size } = checkpoint;
        const later = epochs.after(origin);
        const holds = tree.holds(checkpoint);
        if (later !== null && size > later.lost.from) checkLost(name, checkpoint, later, findings);
        else if (holds === null) pruned++;
        else if (size > tree.size)
          findings.add(tree.size, "seen_missing", `${name}: the log had ${size} entries, the export has ${tree.size}`);
        else if (!holds) findings.add(null, "seen_differs", `${name}: the log's first ${size} entries were others than the export's`);
      }
      for (const { name, promise, head } of promises) {
        const entry = found.get(promise.id);
        const later = epochs.after(head.origin);
        if (entry === undefined && head.t < edge.until) pruned++;
        else if (entry === undefined && later !== null && mayBeLost(head, later))
          findings.add(null, "seen_lost", `${name}: the promised entry is not in the export; ${declared(later)}`);
        else if (entry === undefined) findings.add(null, "seen_missing", `${name}: the promised entry is not in the export`);
        else if (!isInFlush(entry.leaf, promise.position, promise.path, head))
          findings.add(entry.index, "seen_differs", `${name}: the entry is not the promised one`);
      }
      return pruned;
    },
  };
}

/** A head behind what the next epoch carried on from: gone, as that epoch says itself, or not even that. */
function checkLost(name: string, { size, root }: Checkpoint, later: OpenedEpoch, findings: Findings): void {
  if (size > later.lost.to) findings.add(null, "seen_missing", `${name}: the log had ${size} entries; ${declared(later)}`);
  else if (size === later.lost.to && !equalBytes(root, later.root))
    findings.add(null, "seen_differs", `${name}: epoch ${later.epoch} names another head of ${size} entries`);
  else findings.add(null, "seen_lost", `${name}: the log had ${size} entries; ${declared(later)}`);
}

function declared({ epoch, lost }: OpenedEpoch): string {
  return `epoch ${epoch} declares ${lost.from} to ${lost.to - 1} lost`;
}

/** Not where it had to be numbered before an entry that is still there. */
function mayBeLost({ t, mmd }: Head, { keptTime }: OpenedEpoch): boolean {
  return t + mmd * 1_000 >= keptTime;
}

async function openKept(name: string, note: string, { origin, logKey, verifySignature, findings }: NoteCheck): Promise<Checkpoint | null> {
  const peeked = peekCheckpoint(note);
  if (peeked === null) findings.add(null, "seen_malformed", `${name}: neither a checkpoint nor a promise`);
  if (peeked === null || logKey === null) return null;
  if (!belongsTo(peeked.origin, origin)) {
    findings.add(null, "seen_of_another_log", `${name}: the checkpoint is of another log, or of a later epoch`);
    return null;
  }
  const opened = await openCheckpoint(note, keysOfEpochs(logKey), verifySignature);
  if (opened.ok) return opened.value;
  findings.add(null, "seen_signature", `${name}: the checkpoint ${noteReasons[opened.refusal]}`);
  return null;
}

async function openPromise(
  name: string,
  { jws }: AuditPromise,
  writerKeys: ReadonlyMap<string, Uint8Array>,
  { origin, verifySignature, findings }: NoteCheck,
): Promise<Head | null> {
  const head = await openHead(jws, writerKeys, verifySignature);
  if (head !== null && belongsTo(head.origin, origin)) return head;
  if (head === null) findings.add(null, "seen_signature", `${name}: the promise is not signed by a known writer key`);
  else findings.add(null, "seen_of_another_log", `${name}: the promise is about another log, or a later epoch`);
  return null;
}
