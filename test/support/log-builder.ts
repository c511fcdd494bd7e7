/**
 * A contract's log in memory, with the same rows that the database would hold, real signatures, and every row open to tampering.
 */

import { type ExportSource, readBundle, writeBundle } from "../../src/audit/bundle.ts";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import type { Entry, EventName } from "../../src/audit/entry.ts";
import { signHead } from "../../src/audit/head.ts";
import { formatVkey, noteKey } from "../../src/audit/note.ts";
import { formatPromise } from "../../src/audit/promise.ts";
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

export interface RawRow {
  bytes: Uint8Array;
  head: string;
  position: number;
  path: Uint8Array;
}
export interface SeqRow {
  entryId: string;
  leafHash: Uint8Array;
}

/** The rows of one log, as the tables of schema `audit` have them. */
export interface LogRows {
  log: { origin: string; state: "open" | "frozen"; size: number; root: Uint8Array; range: Uint8Array };
  raw: Map<string, RawRow>;
  pending: Set<string>;
  /** By index. */
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
    this.trust = {
      log: noteKey(origin, logSigner.publicKey),
      gateway: noteKey("log.example/postern/gateway", logSigner.publicKey),
      writers: new Map([[named(writerSigner).kid, writerSigner.publicKey]]),
      certificate: named(certificateSigner),
    };
    const root = rangeRoot(emptyRange);
    this.rows = {
      log: { origin, state: "open", size: 0, root, range: new Uint8Array(0) },
      raw: new Map(),
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
    for (let flush = 0; builder.rows.seq.size < size; flush++) {
      const count = Math.min((flush % 4) + 1, size - builder.rows.seq.size);
      const last = builder.rows.seq.size + count === size;
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
    return flushed.map(({ id, bytes, leaf }, position) => {
      const path = hashesToBytes(inclusionProof(tree, position));
      this.rows.raw.set(id, { bytes, head, position, path });
      if (sequence) this.sequence(id, leaf);
      return formatPromise({ jws: head, id, position, path });
    });
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

  /** Numbers an accepted entry, and brings the log's row up to date. */
  sequence(id: string, leaf: Uint8Array): void {
    const { seq, subtree, log } = this.rows;
    seq.set(seq.size, { entryId: id, leafHash: leaf });
    this.#leaves.push(leaf);
    this.#range = extendRange(this.#range, [leaf]);
    if (seq.size % 256 === 0) subtree.set(seq.size / 256 - 1, rootAt(hashTree(this.#leaves.slice(-256))));
    Object.assign(log, { size: seq.size, root: rangeRoot(this.#range), range: hashesToBytes(this.#range.hashes) });
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

  /** What a thief of the log key can do: the entries of `rows`, in their order, as a well-formed log with checkpoints of the same sizes. Writers' signatures stay. */
  async signedAnew(rows: LogRows): Promise<LogRows> {
    const other = await LogBuilder.create();
    for (const [, { entryId }] of [...rows.seq].sort(([a], [b]) => a - b)) {
      const raw = rows.raw.get(entryId);
      if (raw === undefined) continue;
      other.rows.raw.set(entryId, raw);
      other.sequence(entryId, leafHash(raw.bytes));
      if (this.rows.checkpoint.has(other.rows.seq.size)) await other.publish();
    }
    await other.publish();
    return other.rows;
  }

  /** The log without entry `index`, signed anew. */
  withoutEntry(index: number): Promise<LogRows> {
    const rows = this.copy();
    rows.seq.delete(index);
    return this.signedAnew(rows);
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
  const sequenced = new Set([...rows.seq.values()].map(({ entryId }) => entryId));
  const source: ExportSource = {
    manifest: { origin: log.origin, log: "c-test", state: log.state, size: log.size, root: toBase64(log.root), range: toBase64(log.range) },
    keys: { log: formatVkey(trust.log), writers: [...trust.writers].map(([kid, key]) => ({ kid, key: toBase64(key) })) },
    checkpoint: rows.checkpoint.get(log.size) ?? "",
    async *checkpoints() {
      for (const [size, note] of [...rows.checkpoint].sort(([a], [b]) => a - b)) yield { size, note };
    },
    async *rows() {
      for (const index of indexes) {
        const { entryId, leafHash: leaf } = rows.seq.get(index) ?? { entryId: "", leafHash: new Uint8Array(0) };
        const raw = rows.raw.get(entryId);
        yield {
          index,
          seqId: entryId,
          leafHash: leaf,
          rawId: raw ? entryId : null,
          bytes: raw?.bytes ?? null,
          position: raw?.position ?? null,
          path: raw?.path ?? null,
          head: raw?.head ?? null,
        };
      }
    },
    async *orphans() {
      for (const [rawId, { position, path, head }] of rows.raw)
        if (!sequenced.has(rawId) && !rows.pending.has(rawId)) yield { rawId, position, path, head };
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
  return verifyExport({ bundle: await readBundle(exportOf(rows, trust)), trust: pinned ? trust : null, seen, verifySignature });
}

export async function verifyBytes(bytes: Uint8Array, trust: Trust): Promise<Verdict> {
  return verifyExport({
    bundle: await readBundle(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()),
    trust,
    seen: [],
    verifySignature,
  });
}
