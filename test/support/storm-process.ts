/**
 * One process of a storm: many writers of c-test's log at once, or a sequencer; told by its task, and killed by its parent without a word.
 * A writer prints each promise once it is made, as an answer would carry it. Some of its inserts are rolled back, refused, or committed and not heard of.
 */
import { setTimeout as pause } from "node:timers/promises";
import { createFileAnchor } from "../../src/audit/file-anchor.ts";
import { createAuditWriter, createSequencer, formatPromise } from "../../src/audit/index.ts";
import { createSigner, fromBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createAuditKeys, createRootKey } from "../../src/keys/index.ts";
import { type Database, DatabaseError, DatabaseUnavailable, type Queryable } from "../../src/storage/index.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { systemEntry } from "./log-writers.ts";

export interface StormTask {
  readonly role: "writers" | "sequencer";
  readonly url: string;
  /** Base64: the root key, and the seed of what the role signs with. */
  readonly root: string;
  readonly signer: string;
  readonly origin: string;
  /** The directory of the anchors. */
  readonly anchors: string;
  /** At once. */
  readonly writers: number;
  /** Of the faults. */
  readonly seed: number;
}

/** In 1,000 flushes, one after the other. */
const faults = { "rolled back": 30, refused: 20, "not heard of": 30 } as const;
type Fault = keyof typeof faults;

const task = JSON.parse(process.argv[2] ?? "") as StormTask;
const random = randomOf(task.seed);
const database = openPostgres({ url: task.url, poolSize: 8, queueMax: 1_000, deadlineMs: 10_000 });
const signer = await createSigner(fromBase64(task.signer));
if (task.role === "sequencer") await sequence();
else await write();

async function sequence(): Promise<never> {
  const sequencer = createSequencer({ database, signer, anchor: createFileAnchor(task.anchors) });
  for (;;) {
    await sequencer.run("c-test");
    await pause(random() * 20);
  }
}

async function write(): Promise<void> {
  const auditKeys = createAuditKeys(createRootKey(nodeAead, fromBase64(task.root)));
  const parts = { aead: nodeAead, signer, auditKeys, now: Date.now, mergeDelaySeconds: 300 };
  const writer = createAuditWriter({ database: damaged(database), ...parts });
  const handle = { log: "c-test", base: task.origin, pseudonymKey: new Uint8Array(32) };
  const one = async () => {
    for (;;) {
      const promise = await writer.append(handle, systemEntry).catch(() => null);
      if (promise !== null) process.stdout.write(`${formatPromise(promise)}\n`);
      await pause(random() * 30);
    }
  };
  await Promise.all(Array.from({ length: task.writers }, one));
}

function damaged(whole: Database): Queryable {
  return {
    async query(text, params) {
      const fault = text.includes("into audit.flush") ? nextFault() : null;
      if (fault === "refused") throw new DatabaseError("53300", null);
      if (fault === "rolled back") {
        await whole.transaction(async (tx) => {
          await tx.query(text, params);
          throw new DatabaseError("40001", null);
        });
      }
      const rows = await whole.query(text, params);
      if (fault === "not heard of") throw new DatabaseUnavailable("cut", true);
      return rows;
    },
  };
}

function nextFault(): Fault | null {
  let left = random() * 1_000;
  for (const [fault, often] of Object.entries(faults) as [Fault, number][]) {
    left -= often;
    if (left < 0) return fault;
  }
  return null;
}

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
