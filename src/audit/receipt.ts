/**
 * A receipt: that what a writer promised is in the log. A tlog-proof whose extra data names the leaf and repeats the promise, so that it is verified
 * with nothing but the trust file: leaf → flush head (a writer's signature) and leaf → checkpoint (the log's, and those of as many witnesses as the trust
 * file's policy asks for). It tells nothing of what the entry says.
 */
import { equalBytes, fromBase64, fromUtf8, toBase64, utf8, type VerifySignature } from "../crypto/index.ts";
import { openCheckpoint, peekCheckpoint } from "./checkpoint.ts";
import { belongsTo } from "./epoch.ts";
import { openHead } from "./head.ts";
import { type AuditPromise, formatPromise, parsePromise } from "./promise.ts";
import { formatProof, parseProof } from "./proof.ts";
import { rootFromInclusion } from "./tree.ts";
import { logKeyOf, type Trust } from "./trust.ts";
import { isInFlush } from "./verify-flushes.ts";
import { missingQuorum } from "./verify-quorum.ts";
import { noteReasons } from "./verify-tree.ts";

export interface Receipt {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly promise: AuditPromise;
  /** From the leaf's sibling up to the checkpoint's root. */
  readonly hashes: readonly Uint8Array[];
  /** The note, verbatim. */
  readonly checkpoint: string;
}

export function formatReceipt({ index, leaf, promise, hashes, checkpoint }: Receipt): string {
  return formatProof({ extra: utf8(`leaf=:${toBase64(leaf)}:, ${formatPromise(promise)}`), index, hashes, checkpoint });
}

/** `null` = not of the form, a proof without a promise among them. */
export function parseReceipt(text: string): Receipt | null {
  const proof = parseProof(text);
  if (proof === null || proof.extra === null) return null;
  try {
    const [, leaf, rest] = /^leaf=:([A-Za-z0-9+/]{43}=):, (.*)$/.exec(fromUtf8(proof.extra)) ?? [];
    const promise = rest === undefined ? null : parsePromise(rest);
    if (leaf === undefined || promise === null) return null;
    const { index, hashes, checkpoint } = proof;
    return { index, leaf: fromBase64(leaf), promise, hashes, checkpoint };
  } catch {
    return null;
  }
}

const problemReasons = {
  malformed: "it is not a receipt",
  kept_malformed: "what was kept is not an Audit-Promise",
  other_log: "the trust file names neither this log nor its gateway log",
  checkpoint: "its checkpoint does not count",
  quorum_missing: "too few witnesses cosigned its checkpoint",
  not_included: "its leaf and path do not lead to the checkpoint's root",
  promise_signature: "its promise is not signed by a known writer key",
  promise_other_log: "its promise is about another log",
  promise_other_leaf: "its leaf is not the one that was promised",
  kept_differs: "its promise is not the one that was kept",
} as const;

export interface ReceiptProblem {
  readonly code: keyof typeof problemReasons;
  readonly reason: string;
}

/** Plain data: `JSON.stringify` prints it as it is. What is null could not be read. */
export interface ReceiptVerdict {
  readonly ok: boolean;
  readonly origin: string | null;
  /** Named by the gateway, signed by nobody: what is signed is the writer's number. */
  readonly entry: string | null;
  readonly index: number | null;
  /** Of the log at the checkpoint. */
  readonly size: number | null;
  /** Who promised, under which of its numbers, and when (ISO 8601). */
  readonly promised: { readonly writer: string; readonly n: number; readonly time: string } | null;
  readonly problems: readonly ReceiptProblem[];
}

export interface ReceiptCheck {
  readonly text: string;
  readonly trust: Trust;
  /** The value of an `Audit-Promise` header that was kept from the answer, with or without the header's name. `null` = none was. */
  readonly kept: string | null;
  readonly verifySignature: VerifySignature;
}

export async function verifyReceipt({ text, trust, kept, verifySignature }: ReceiptCheck): Promise<ReceiptVerdict> {
  const problems: ReceiptProblem[] = [];
  const find = (code: ReceiptProblem["code"], reason: string = problemReasons[code]) => void problems.push({ code, reason });
  const receipt = parseReceipt(text);
  const checkpoint = receipt && peekCheckpoint(receipt.checkpoint);
  if (receipt === null || checkpoint === null) {
    find("malformed");
    return { ok: false, origin: null, entry: null, index: null, size: null, promised: null, problems };
  }
  const { promise, leaf, index, hashes } = receipt;
  const { origin, size, root } = checkpoint;

  const logKey = logKeyOf(trust, origin);
  const opened = logKey && (await openCheckpoint(receipt.checkpoint, [logKey], verifySignature));
  if (!opened) find("other_log");
  else if (!opened.ok) find("checkpoint", `its checkpoint ${noteReasons[opened.refusal]}`);
  const missing = await missingQuorum(receipt.checkpoint, trust, verifySignature);
  if (missing !== null) find("quorum_missing", `its checkpoint ${missing}`);
  const led = rootFromInclusion(leaf, index, size, hashes);
  if (led === null || !equalBytes(led, root)) find("not_included");

  const head = await openHead(promise.jws, trust.writers, verifySignature);
  if (head === null) find("promise_signature");
  else if (!belongsTo(head.origin, origin)) find("promise_other_log");
  else if (!isInFlush(leaf, promise.position, promise.path, head)) find("promise_other_leaf");
  const differs = kept === null ? null : keptProblem(kept, promise);
  if (differs !== null) find(differs);
  const promised = head && { writer: head.writer, n: head.n + promise.position, time: new Date(head.t).toISOString() };
  return { ok: problems.length === 0, origin, entry: promise.id, index, size, promised, problems };
}

function keptProblem(text: string, { jws, id, position, path }: AuditPromise): ReceiptProblem["code"] | null {
  const kept = parsePromise(text.replace(/^\s*audit-promise\s*:/i, ""));
  if (kept === null) return "kept_malformed";
  const same = kept.jws === jws && kept.id === id && kept.position === position && equalBytes(kept.path, path);
  return same ? null : "kept_differs";
}
