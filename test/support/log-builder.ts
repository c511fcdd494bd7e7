/**
 * A contract's log in memory, with the same rows that the database would hold, real signatures, and every row open to tampering.
 */

import { type ExportSource, readBundle, writeBundle } from "../../src/audit/bundle.ts";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import type { Entry, EventName } from "../../src/audit/entry.ts";
import { entriesOfFlush } from "../../src/audit/flush.ts";
import { signHead } from "../../src/audit/head.ts";
import { formatVkey, noteKey } from "../../src/audit/note.ts";
import { formatPromise } from "../../src/audit/promise.ts";
import { policyOf } from "../../src/audit/quorum.ts";
import { encodeEntries } from "../../src/audit/tiles.ts";
import {
  type CompactRange,
  emptyRange,
  extendRange,
  hashesToBytes,
  hashTree,
  inclusionProof,
  leafHash,
  rangeRoot,
  rootAt,
} from "../../src/audit/tree.ts";
import type { Trust } from "../../src/audit/trust.ts";
import type { Verdict } from "../../src/audit/verdict.ts";
import { verifyExport } from "../../src/audit/verify.ts";
import { concat, createSigner, keyId, type Signer, sha256, toBase32, toBase64, utf8, verifySignature } from "../../src/crypto/index.ts";
import { canonicalJson } from "../../src/kernel/index.ts";

export interface FlushRow {
  head: string;
  /** An entry bundle. */
  entries: Uint8Array;
}
export interface SeqRow {
  flushId: string;
  leafHashes: Uint8Array;
}

/** The rows of one log, as the tables of schema `audit` have them. */
export interface LogRows {
  log: { origin: string; state: "open" | "frozen"; size: number; root: Uint8Array; range: Uint8Array };
  /** By id. */
  flush: Map<string, FlushRow>;
  pending: Set<string>;
  /** By the first entry's place. */
  seq: Map<number, SeqRow>;
  subtree: Map<number, Uint8Array>;
  checkpoint: Map<number, string>;
}

export const origin = "log.example/postern/c-test";
const firstTime = Date.UTC(2026, 0, 5, 8);

/** One of the four keys of the tests; `seed` is any text. */
export function testSigner(seed: string): Promise<Signer> {
  return createSigner(sha256(utf8(seed)));
}

interface TestWriter {
  readonly id: string;
  n: number;
  prev: Uint8Array | null;
  after: { id: string; n: number } | undefined;
}

export function testWriter(name: string, after?: { id: string; n: number }): TestWriter {
  return { id: `w_${toBase32(sha256(utf8(name))).slice(0, 16)}`, n: 0, prev: null, after };
}

export class LogBuilder {
  readonly rows: LogRows;
  readonly trust: Trust;
  readonly #logSigner: Signer;
  readonly #writerSigner: Signer;
  #range: CompactRange = emptyRange;
  #leaves: Uint8Array[] = [];
  #clock = firstTime;

  private constructor(logSigner: Signer, writerSigner: Signer, certificateSigner: Signer) {
    this.#logSigner = logSigner;
    this.#writerSigner = writerSigner;
    const named = (signer: Signer) => ({ kid: keyId(signer.publicKey), key: signer.publicKey });
    const log = noteKey(origin, logSigner.publicKey);
    this.trust = {
      log,
      policy: policyOf(log),
      earlier: [],
      rootKey: new Uint8Array(32),
      gateway: noteKey("log.example/postern/gateway", logSigner.publicKey),
      writers: new Map([[named(writerSigner).kid, writerSigner.publicKey]]),
      certificate: named(certificateSigner),
    };
    const root = rangeRoot(emptyRange);
    this.rows = {
      log: { origin, state: "open", size: 0, root, range: new Uint8Array(0) },
      flush: new Map(),
      pending: new Set(),
      seq: new Map(),
      subtree: new Map(),
      checkpoint: new Map(),
    };
  }

  static async create(): Promise<LogBuilder> {
    return new LogBuilder(await testSigner("log"), await testSigner("writer"), await testSigner("certificate"));
  }

  /** A log of `size` entries by one writer: flushes of 1, 2, 3, 4, 1, 2 …, a checkpoint after every second one and at the end. */
  static async ofSize(size: number, lastEvent: EventName = "record.read"): Promise<LogBuilder> {
    const builder = await LogBuilder.create();
    const writer = testWriter("first");
    for (let flush = 0; builder.rows.log.size < size; flush++) {
      const count = Math.min((flush % 4) + 1, size - builder.rows.log.size);
      const last = builder.rows.log.size + count === size;
      await builder.flush(writer, count, last ? lastEvent : "record.read");
      if (flush % 2 === 1 || last) await builder.publish();
    }
    return builder;
  }

  /** Accepts, then sequences; answers the promises. `event` is the last entry's. */
  async flush(
    writer: TestWriter,
    count: number,
    event: EventName = "record.read",
    { signer = this.#writerSigner, sequence = true } = {},
  ): Promise<string[]> {
    const n = writer.n;
    const flushed = Array.from({ length: count }, (_, i) => {
      const entry = this.#entry(writer, i === count - 1 ? event : "record.read");
      const bytes = utf8(canonicalJson(entry));
      const leaf = leafHash(bytes);
      writer.n++;
      writer.prev = leaf;
      writer.after = undefined;
      return { id: entry.id, bytes, leaf };
    });
    const tree = hashTree(flushed.map(({ leaf }) => leaf));
    const head = await signHead({ origin, writer: writer.id, n, size: count, root: rootAt(tree), t: this.#clock, mmd: 300 }, signer);
    const flushId = flushed[0]?.id ?? "";
    this.rows.flush.set(flushId, { head, entries: encodeEntries(flushed.map(({ bytes }) => bytes)) });
    if (sequence) this.sequence(flushId);
    return flushed.map(({ id }, position) =>
      formatPromise({ jws: head, id, position, path: hashesToBytes(inclusionProof(tree, position)) }),
    );
  }

  #entry(writer: TestWriter, event: EventName): Entry {
    this.#clock += 1000;
    return {
      v: 1,
      log: origin,
      id: uuidAt(this.#clock, writer.id),
      time: new Date(this.#clock).toISOString(),
      writer: {
        id: writer.id,
        n: writer.n,
        ...(writer.prev === null ? {} : { prev: toBase64(writer.prev) }),
        ...(writer.after === undefined ? {} : { after: writer.after }),
      },
      event,
      actor: { role: "agent", id: `a_${"a".repeat(26)}` },
      outcome: { effect: "allow", code: "ok" },
    };
  }

  /** Numbers an accepted flush, and brings the log's row up to date. */
  sequence(flushId: string): void {
    const { seq, subtree, log, flush } = this.rows;
    const leaves = entriesOfFlush(flush.get(flushId)?.entries ?? new Uint8Array(0)).map(leafHash);
    seq.set(log.size, { flushId, leafHashes: hashesToBytes(leaves) });
    for (const leaf of leaves) {
      this.#leaves.push(leaf);
      const size = this.#leaves.length;
      if (size % 256 === 0) subtree.set(size / 256 - 1, rootAt(hashTree(this.#leaves.slice(-256))));
    }
    this.#range = extendRange(this.#range, leaves);
    Object.assign(log, { size: this.#range.size, root: rangeRoot(this.#range), range: hashesToBytes(this.#range.hashes) });
  }

  async publish(): Promise<string> {
    const { size, root } = this.rows.log;
    const note = await signCheckpoint({ origin, size, root, extensions: [] }, this.#logSigner);
    this.rows.checkpoint.set(size, note);
    return note;
  }

  /** The rows again, to tamper with. */
  copy(): LogRows {
    return structuredClone(this.rows);
  }

  /** What a thief of the log key can do: the flushes of `rows`, in their order, as a well-formed log with checkpoints. Writers' signatures stay. */
  async signedAnew(rows: LogRows): Promise<LogRows> {
    const other = await LogBuilder.create();
    for (const [, { flushId }] of [...rows.seq].sort(([a], [b]) => a - b)) {
      const row = rows.flush.get(flushId);
      if (row === undefined) continue;
      other.rows.flush.set(flushId, row);
      other.sequence(flushId);
      if (this.rows.checkpoint.has(other.rows.log.size)) await other.publish();
    }
    await other.publish();
    return other.rows;
  }
}

/** A UUIDv7 of that time; the rest follows from `salt`. */
function uuidAt(ms: number, salt: string): string {
  const hex = ms.toString(16).padStart(12, "0");
  const rest = Array.from(sha256(utf8(`${salt}${ms}`)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${rest.slice(0, 3)}-a${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}

export function exportOf(rows: LogRows, trust: Trust): ReadableStream<Uint8Array> {
  const { log } = rows;
  const indexes = [...rows.seq.keys()].filter((index) => index < log.size).sort((a, b) => a - b);
  const sequenced = new Set([...rows.seq.values()].map(({ flushId }) => flushId));
  const source: ExportSource = {
    manifest: {
      ...{ origin: log.origin, log: "c-test", state: log.state, size: log.size, root: toBase64(log.root), range: toBase64(log.range) },
      min_index: 0,
    },
    pruned: null,
    keys: { log: formatVkey(trust.log), writers: [...trust.writers].map(([kid, key]) => ({ kid, key: toBase64(key) })) },
    checkpoint: rows.checkpoint.get(log.size) ?? "",
    async *checkpoints() {
      for (const [size, note] of [...rows.checkpoint].sort(([a], [b]) => a - b)) yield { size, note };
    },
    async *flushes() {
      for (const index of indexes) {
        const { flushId, leafHashes } = rows.seq.get(index) ?? { flushId: "", leafHashes: new Uint8Array(0) };
        const row = rows.flush.get(flushId);
        yield { index, seqId: flushId, leafHashes, id: row ? flushId : null, head: row?.head ?? null, entries: row?.entries ?? null };
      }
    },
    async *orphans() {
      for (const [id, { head, entries }] of rows.flush) if (!sequenced.has(id) && !rows.pending.has(id)) yield { id, head, entries };
    },
    async *subtrees() {
      for (const [index, root] of [...rows.subtree].sort(([a], [b]) => a - b)) yield { index, root };
    },
  };
  return writeBundle(source);
}

export async function exportBytes(rows: LogRows, trust: Trust): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of exportOf(rows, trust)) chunks.push(chunk);
  return concat(...chunks);
}

export async function verifyRows(rows: LogRows, trust: Trust, { seen = [] as readonly string[], pinned = true } = {}): Promise<Verdict> {
  return verifyExport({ bundle: readBundle(exportOf(rows, trust)), trust: pinned ? trust : null, seen, verifySignature });
}

export async function verifyBytes(bytes: Uint8Array, trust: Trust): Promise<Verdict> {
  return verifyExport({
    bundle: readBundle(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()),
    trust,
    seen: [],
    verifySignature,
  });
}
