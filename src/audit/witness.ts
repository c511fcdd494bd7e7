/**
 * A witness (https://c2sp.org/tlog-witness): cosigns a checkpoint if it extends the last one that it cosigned of that log, and no other.
 * parse → is the log known → is it signed by it → is the old size ours → does the proof hold → persist → cosign
 *
 * Trusted to remember one head a log: whoever sets its state back makes it cosign a second history. It sees sizes and roots, never an entry.
 */
import { equalBytes, type Signer, type VerifySignature } from "../crypto/index.ts";
import { type Checkpoint, formatCheckpoint, openCheckpoint, peekCheckpoint } from "./checkpoint.ts";
import { cosign } from "./cosignature.ts";
import type { NoteKey } from "./note.ts";
import { emptyRange, isConsistent, rangeRoot } from "./tree.ts";
import { parseAddCheckpoint } from "./witness-request.ts";

/** A head that was cosigned. */
export interface WitnessedHead {
  readonly size: number;
  readonly root: Uint8Array;
}

export interface WitnessStore {
  /** `null` = nothing of this log was cosigned yet. */
  read(origin: string): Promise<WitnessedHead | null>;
  /** Durable when it resolves to true. False: another one than a head of size `seen` (0: none) is held by now, and nothing was changed. */
  replace(origin: string, seen: number, next: WitnessedHead): Promise<boolean>;
}

export interface WitnessParts {
  /** The witness's name, without a scheme. */
  readonly name: string;
  readonly signer: Signer;
  /** Verifier keys of the logs that it watches: all of its trust policy. */
  readonly logs: readonly NoteKey[];
  readonly store: WitnessStore;
  /** Milliseconds. */
  readonly now: () => number;
  readonly verifySignature: VerifySignature;
}

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly media: "text/plain; charset=utf-8" | "text/x.tlog.size";
  readonly body: string;
}

export interface Witness {
  /** `body`: of the request, decoded. */
  addCheckpoint(body: string): Promise<WitnessAnswer>;
}

export function createWitness(parts: WitnessParts): Witness {
  return { addCheckpoint: (body) => addCheckpoint(parts, body) };
}

/**
 * Crash order: the head is durable before the cosignature exists. A witness that dies between has cosigned nothing and holds the head: the log asks
 * again, is told that size, and gets its cosignature for the same head.
 */
async function addCheckpoint(parts: WitnessParts, body: string): Promise<WitnessAnswer> {
  const { name, signer, logs, store, now, verifySignature } = parts;
  const request = parseAddCheckpoint(body);
  const claimed = request && peekCheckpoint(request.note);
  if (request === null || claimed === null) return said(400, "not the body of an add-checkpoint request");
  const keys = logs.filter((key) => key.name === claimed.origin);
  if (keys.length === 0) return said(404, "unknown log");
  const opened = await openCheckpoint(request.note, keys, verifySignature);
  if (!opened.ok) return said(403, "invalid signature: not one of the keys that are trusted for this log signed this");
  const checkpoint = opened.value;
  if (request.old > checkpoint.size) return said(400, "the old size is above the checkpoint's");
  const seen = await store.read(checkpoint.origin);
  if (request.old !== (seen?.size ?? 0)) return sized(seen);
  if (!extendsSeen(seen, checkpoint, request.proof)) return said(422, "the consistency proof does not lead from the last head to this one");
  if (seen?.size !== checkpoint.size && !(await store.replace(checkpoint.origin, seen?.size ?? 0, checkpoint)))
    return sized(await store.read(checkpoint.origin));
  return said(200, await cosign(formatCheckpoint(checkpoint), { name, signer, time: Math.floor(now() / 1000) }));
}

/**
 * Of an equal size the proof is empty and the roots are the same; a different root is a proof that does not hold (RFC 9162 §2.1.4.2). The
 * specification names 409 for it, whose body would tell the log to send the same again; other witnesses answer 422 as well.
 */
function extendsSeen(seen: WitnessedHead | null, { size, root }: Checkpoint, proof: readonly Uint8Array[]): boolean {
  if (seen === null || seen.size === 0) return proof.length === 0 && (size > 0 || equalBytes(root, rangeRoot(emptyRange)));
  return isConsistent({ size1: seen.size, root1: seen.root, size2: size, root2: root, proof });
}

function said(status: WitnessAnswer["status"], text: string): WitnessAnswer {
  return { status, media: "text/plain; charset=utf-8", body: status === 200 ? text : `${text}\n` };
}

function sized(seen: WitnessedHead | null): WitnessAnswer {
  return { status: 409, media: "text/x.tlog.size", body: `${seen?.size ?? 0}\n` };
}
