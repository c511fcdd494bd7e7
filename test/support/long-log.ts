/** The export of a log of any length, made up as it is written: nothing of it is held, so it is made twice, once for its roots and once for its bytes. */
import { type ExportFlush, type ExportSource, writeBundle } from "../../src/audit/bundle.ts";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import type { Entry } from "../../src/audit/entry.ts";
import { createGrowingTree } from "../../src/audit/growing-tree.ts";
import { signHead } from "../../src/audit/head.ts";
import type { CheckpointLine } from "../../src/audit/manifest.ts";
import { formatVkey, noteKey } from "../../src/audit/note.ts";
import { policyOf } from "../../src/audit/quorum.ts";
import { encodeEntries, tileWidth } from "../../src/audit/tiles.ts";
import { hashesToBytes, hashTree, leafHash, rootAt } from "../../src/audit/tree.ts";
import type { Trust } from "../../src/audit/trust.ts";
import { keyId, toBase64, utf8 } from "../../src/crypto/index.ts";
import { canonicalJson } from "../../src/kernel/index.ts";
import { origin, testSigner } from "./log-builder.ts";

export interface LongLog {
  readonly trust: Trust;
  readonly bytes: ReadableStream<Uint8Array>;
}

export interface LongLogOptions {
  /** A multiple of 256. */
  readonly size: number;
  /** Entries in a flush, a divisor of 256. */
  readonly flushSize: number;
  /** As at the edge on Workers: each flush is another writer's. */
  readonly writerPerFlush?: boolean;
}

const checkpointEvery = 16 * tileWidth;

export async function createLongLog(options: LongLogOptions): Promise<LongLog> {
  const [logSigner, writerSigner, certificateSigner] = await Promise.all(["log", "writer", "certificate"].map(testSigner));
  if (!logSigner || !writerSigner || !certificateSigner) throw new Error("three keys were made");
  const { size } = options;
  const tree = createGrowingTree();
  const notes: CheckpointLine[] = [];
  for (const { index, leaves } of flushesOf(options)) {
    tree.add(leaves);
    const end = index + leaves.length;
    if (end % checkpointEvery === 0 || end === size)
      notes.push({ size: end, note: await signCheckpoint({ origin, size: end, root: tree.root(), extensions: [] }, logSigner) });
  }
  const range = tree.range();
  const writers = new Map([[keyId(writerSigner.publicKey), writerSigner.publicKey]]);
  const log = noteKey(origin, logSigner.publicKey);
  const source: ExportSource = {
    manifest: {
      ...{ origin, log: "c-test", state: "open", size, root: toBase64(tree.root()), range: toBase64(hashesToBytes(range.hashes)) },
      min_index: 0,
    },
    pruned: null,
    keys: { log: formatVkey(log), writers: [...writers].map(([kid, key]) => ({ kid, key: toBase64(key) })) },
    checkpoint: notes.at(-1)?.note ?? "",
    async *checkpoints() {
      yield* notes;
    },
    async *flushes(): AsyncIterable<ExportFlush> {
      for (const { index, id, writer, n, entries, leaves } of flushesOf(options)) {
        const root = rootAt(hashTree(leaves));
        const head = await signHead({ origin, writer, n, size: leaves.length, root, t: firstTime + index, mmd: 300 }, writerSigner);
        yield { index, seqId: id, leafHashes: hashesToBytes(leaves), id, head, entries: encodeEntries(entries) };
      }
    },
    async *orphans() {},
    async *subtrees() {
      for (const [index, root] of tree.tileRoots().entries()) yield { index, root };
    },
  };
  const certificate = { kid: keyId(certificateSigner.publicKey), key: certificateSigner.publicKey };
  return {
    trust: { log, gateway: log, earlier: [], rootKey: new Uint8Array(32), writers, certificate, policy: policyOf(log) },
    bytes: writeBundle(source),
  };
}

const firstTime = Date.UTC(2026, 0, 5, 8);

interface MadeFlush {
  readonly index: number;
  readonly id: string;
  readonly writer: string;
  /** Of its first entry. */
  readonly n: number;
  readonly entries: readonly Uint8Array[];
  readonly leaves: readonly Uint8Array[];
}

function* flushesOf({ size, flushSize, writerPerFlush = false }: LongLogOptions): Iterable<MadeFlush> {
  let prev: string | undefined;
  for (let index = 0; index < size; index += flushSize) {
    const writer = writerOf(writerPerFlush ? index : 0);
    const n = writerPerFlush ? 0 : index;
    if (writerPerFlush) prev = undefined;
    const entries: Uint8Array[] = [];
    const leaves: Uint8Array[] = [];
    for (let i = 0; i < flushSize; i++) {
      const bytes = utf8(canonicalJson(entryAt(index + i, { id: writer, n: n + i, ...(prev === undefined ? {} : { prev }) })));
      const leaf = leafHash(bytes);
      prev = toBase64(leaf);
      entries.push(bytes);
      leaves.push(leaf);
    }
    yield { index, id: idAt(index), writer, n, entries, leaves };
  }
}

/** As long as an agent's reading is. */
function entryAt(index: number, writer: Entry["writer"]): Entry {
  return {
    actor: { id: `a_${"k".repeat(26)}`, role: "agent" },
    decision: { policy: `sha256:${"5".repeat(64)}`, role: "first_line" },
    details: { box: "QUJD".repeat(60), key: "2026-01" },
    event: "record.read",
    id: idAt(index),
    log: origin,
    outcome: { code: "ok", effect: "allow" },
    reason: { purpose: "after_sales" },
    request: { id: idAt(index), route: "GET /v1/contracts/{contract}/records/{type}/{locator}" },
    resource: {
      fields: { address: "generalize", name: "mask", phone: "mask" },
      records: [{ locator: `r_${"m".repeat(26)}`, subject: `s_${"n".repeat(26)}` }],
      type: "customer",
    },
    time: new Date(firstTime + index).toISOString(),
    v: 1,
    writer,
  };
}

function idAt(index: number): string {
  const hex = (firstTime + index).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${index.toString(16).padStart(12, "0")}`;
}

const letters = "abcdefghijklmnopqrstuvwxyz234567";

function writerOf(index: number): string {
  let name = "";
  for (let rest = index; name.length < 16; rest = Math.floor(rest / 32)) name += letters[rest % 32];
  return `w_${name}`;
}
