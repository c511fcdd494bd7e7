/** Our own witness, as a stranger's log meets it over HTTP: what it cosigns, what it refuses, and what it still knows after it died. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { formatCheckpoint, peekCheckpoint, signCheckpoint } from "../src/audit/checkpoint.ts";
import { consistencyFrom } from "../src/audit/consistency.ts";
import { openCosignatures, parseWitnessVkey } from "../src/audit/cosignature.ts";
import { createFileWitnessStore } from "../src/audit/file-witness-store.ts";
import { createWitness, type WitnessStore } from "../src/audit/index.ts";
import { type NoteKey, noteKey, parseVkey, signNote } from "../src/audit/note.ts";
import { consistencyProof, emptyRange, hashTree, leafHash, rangeAt, rootAt } from "../src/audit/tree.ts";
import { formatAddCheckpoint } from "../src/audit/witness-request.ts";
import { createSigner, fromBase64, fromHex, toBase64, utf8, verifySignature } from "../src/crypto/index.ts";
import { type RunningWitness, startWitness } from "../src/node-witness.ts";
import { testSigner } from "./support/log-builder.ts";
import { hasShared, readShared } from "./support/shared.ts";

let directory: string;
const running: RunningWitness[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "postern-witness-"));
});
afterEach(async () => {
  for (const witness of running.splice(0)) await witness.stop();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function start(logs: readonly NoteKey[], place?: string): Promise<RunningWitness & { place: string }> {
  const at = place ?? (await mkdtemp(join(directory, "state-")));
  const witness = await startWitness({ name: "example.com/witness", directory: at, logs, host: "127.0.0.1", port: 0 });
  running.push(witness);
  return { ...witness, place: at };
}

async function ask({ port }: RunningWitness, body: BodyInit, method = "POST") {
  const answer = await fetch(`http://127.0.0.1:${port}/add-checkpoint`, { method, ...(method === "POST" ? { body } : {}) });
  return { status: answer.status, media: answer.headers.get("content-type"), text: await answer.text() };
}

const flow = z.object({
  log_vkey: z.string(),
  final_size: z.number(),
  steps: z.array(z.object({ request_body: z.string(), c2sp_v1_status: z.number(), assert: z.string() })),
});

describe.skipIf(!hasShared("vectors/extracted/tlog-witness-add-checkpoint.json"))("the flow of litewitness", () => {
  it("goes as the specification says, step by step", async () => {
    const vector = flow.parse(JSON.parse(readShared("vectors/extracted/tlog-witness-add-checkpoint.json")));
    const key = parseVkey(vector.log_vkey);
    if (!key) throw new Error("a verifier key");
    const witness = await start([key]);
    const statuses: number[] = [];
    for (const { request_body, c2sp_v1_status, assert } of vector.steps) {
      const { status, media, text } = await ask(witness, request_body);
      statuses.push(status);
      expect(status).toBe(c2sp_v1_status);
      const [, contains] = /^body contains "(.*)"$/.exec(assert) ?? [];
      const [, equals] = /^body == "(.*)\\n"$/.exec(assert) ?? [];
      if (contains !== undefined) expect(text).toContain(contains);
      if (equals !== undefined) expect([text, media]).toEqual([`${equals}\n`, "text/x.tlog.size"]);
    }
    expect(statuses).toEqual([200, 403, 404, 422, 422, 200, 409, 200, 409]);
  });
});

const updates = z.object({
  log_vkey: z.string(),
  log_skey: z.string(),
  checkpoint_5: z.string(),
  checkpoint_8: z.string(),
  consistency_5_8_hex: z.array(z.string()),
  updates: z.array(
    z.object({
      name: z.string(),
      old: z.number(),
      init: z.number(),
      new: z.union([z.number(), z.string()]),
      proof: z.string().optional(),
      expect: z.number(),
    }),
  ),
});

describe.skipIf(!hasShared("vectors/extracted/tlog-witness-update.json"))("the updates of transparency-dev's witness", () => {
  it("end as they should, every case", async () => {
    const vector = updates.parse(JSON.parse(readShared("vectors/extracted/tlog-witness-update.json")));
    const key = parseVkey(vector.log_vkey);
    const [, , seed = ""] = /^PRIVATE\+KEY\+([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(vector.log_skey) ?? [];
    const signer = await createSigner(fromBase64(seed).slice(1));
    const five = peekCheckpoint(vector.checkpoint_5);
    if (!key || !five) throw new Error("a log and its checkpoint");
    const notes: Record<string, string> = {
      5: vector.checkpoint_5,
      8: vector.checkpoint_8,
      // One of size 4, that is not among the vectors, so that there is something to begin from.
      4: await signNote(formatCheckpoint({ ...five, size: 4, root: new Uint8Array(32).fill(4) }), key.name, signer),
      2: await signNote(formatCheckpoint({ ...five, size: 2, root: new Uint8Array(32).fill(2) }), key.name, signer),
      "5-badroot": await signNote(formatCheckpoint({ ...five, root: new Uint8Array(32).fill(9) }), key.name, signer),
    };
    const proofs: Record<string, Uint8Array[]> = {
      "5_8": vector.consistency_5_8_hex.map(fromHex),
      garbage: vector.consistency_5_8_hex.map(() => new Uint8Array(32).fill(7)),
    };
    const ended = [];
    for (const update of vector.updates) {
      const witness = await start([key]);
      if (update.init > 0)
        expect((await ask(witness, formatAddCheckpoint({ old: 0, proof: [], note: notes[update.init] ?? "" }))).status).toBe(200);
      const body = formatAddCheckpoint({ old: update.old, proof: proofs[update.proof ?? ""] ?? [], note: notes[update.new] ?? "" });
      ended.push([update.name, (await ask(witness, body)).status]);
    }
    expect(ended).toEqual(vector.updates.map(({ name, expect: status }) => [name, status]));
    expect(ended).toHaveLength(8);
  });
});

const leaves = Array.from({ length: 70 }, (_, i) => leafHash(utf8(`entry ${i}`)));
const forkedLeaves = leaves.with(5, leafHash(utf8("another")));
const origin = "gw.example/postern/gateway";

async function requestOf(from: number, size: number, of = leaves, signer = testSigner("log")): Promise<string> {
  const tree = hashTree(of);
  const note = await signCheckpoint({ origin, size, root: rootAt(tree, size), extensions: [] }, await signer);
  return formatAddCheckpoint({ old: from, proof: from === 0 ? [] : consistencyProof(tree, from, size), note });
}

const watched = async () => [noteKey(origin, (await testSigner("log")).publicKey)];

describe("a consistency proof out of a range and the leaves since", () => {
  it("is the one of the whole tree, for every pair of sizes", () => {
    const tree = hashTree(leaves);
    for (let size = 1; size <= leaves.length; size++) {
      for (let from = 1; from <= size; from++)
        expect(consistencyFrom(rangeAt(tree, from), leaves.slice(from, size))).toEqual(consistencyProof(tree, from, size));
    }
    expect(() => consistencyFrom(emptyRange, leaves)).toThrow(RangeError);
  });
});

describe("a witness", () => {
  it("cosigns a log that only grows, and its cosignature holds under the key that it names", async () => {
    const witness = await start(await watched());
    const key = parseWitnessVkey(witness.vkey);
    if (!key) throw new Error("a witness names its key");
    for (const [from, size] of [
      [0, 3],
      [3, 3],
      [3, 40],
      [40, 70],
    ] as const) {
      const body = await requestOf(from, size);
      const { status, text } = await ask(witness, body);
      expect(status).toBe(200);
      const note = body.slice(body.indexOf("\n\n") + 2);
      expect(await openCosignatures(`${note}${text}`, [key], verifySignature)).toMatchObject([{ key, line: text }]);
    }
  });

  it("refuses a history rewritten with the stolen log key, longer or of the same length, and says which size it holds", async () => {
    const witness = await start(await watched());
    expect((await ask(witness, await requestOf(0, 40))).status).toBe(200);
    expect((await ask(witness, await requestOf(40, 40, forkedLeaves))).status).toBe(422);
    expect((await ask(witness, await requestOf(40, 70, forkedLeaves))).status).toBe(422);
    for (const from of [0, 3, 39, 41])
      expect(await ask(witness, await requestOf(from, 70, forkedLeaves))).toMatchObject({ status: 409, text: "40\n" });
    expect((await ask(witness, await requestOf(40, 70))).status).toBe(200);
  });

  it("refuses what is not signed by a log that it watches, and what is no request, without a stack", async () => {
    const witness = await start(await watched());
    expect((await ask(witness, await requestOf(0, 3, leaves, testSigner("thief")))).status).toBe(403);
    expect((await ask(witness, (await requestOf(0, 3)).replace(origin, `${origin}x`))).status).toBe(404);
    const good = await requestOf(0, 3);
    const bad = ["", "\n\n", "old 3", good.replace("old 0", "old 00"), good.replace("old 0", "old -1"), good.replace("old 0", "new 0")];
    const proofs = [
      ...bad,
      good.replace("old 0\n", `old 0\n${"A".repeat(43)}\n`),
      good.replace("old 0\n", `old 0\n${`${toBase64(new Uint8Array(32))}\n`.repeat(64)}`),
    ];
    for (const body of [...proofs, new Uint8Array([0xff, 0xfe])]) expect((await ask(witness, body)).status).toBe(400);
    expect((await ask(witness, "x".repeat(70_000))).status).toBe(413);
    expect((await ask(witness, "", "GET")).status).toBe(405);
    expect((await ask(witness, await requestOf(0, 3))).status).toBe(200);
  });

  it("knows what it cosigned after it was stopped and started", async () => {
    const first = await start(await watched());
    await ask(first, await requestOf(0, 40));
    await first.stop();
    const second = await start(await watched(), first.place);
    expect(second.vkey).toBe(first.vkey);
    expect(await ask(second, await requestOf(0, 70, forkedLeaves))).toMatchObject({ status: 409, text: "40\n" });
    expect((await ask(second, await requestOf(40, 70))).status).toBe(200);
  });

  it("that dies between persisting and answering has cosigned nothing, and cosigns the same head when it is asked again, and no other", async () => {
    const place = await mkdtemp(join(directory, "state-"));
    const store = createFileWitnessStore(place);
    const dying: WitnessStore = {
      ...store,
      replace: async (...next) => {
        await store.replace(...next);
        throw new Error("killed");
      },
    };
    const parts = { name: "w", signer: await testSigner("witness"), logs: await watched(), now: Date.now, verifySignature };
    await expect(createWitness({ ...parts, store: dying }).addCheckpoint(await requestOf(0, 40))).rejects.toThrow("killed");
    const restarted = createWitness({ ...parts, store: createFileWitnessStore(place) });
    expect(await restarted.addCheckpoint(await requestOf(0, 40))).toMatchObject({ status: 409, body: "40\n" });
    expect(await restarted.addCheckpoint(await requestOf(40, 40, forkedLeaves))).toMatchObject({ status: 422 });
    expect(await restarted.addCheckpoint(await requestOf(40, 40))).toMatchObject({ status: 200 });
  });

  it("cosigns one of many that come at once from the same size, from several processes too", async () => {
    const first = await start(await watched());
    const witnesses = [first, await start(await watched(), first.place), await start(await watched(), first.place)];
    await ask(first, await requestOf(0, 10));
    // Two histories that part after the tenth entry.
    const others = leaves.with(12, leafHash(utf8("another")));
    const bodies = await Promise.all(Array.from({ length: 30 }, (_, i) => requestOf(10, 20 + i, i % 2 === 0 ? leaves : others)));
    const answers = await Promise.all(bodies.map((body, i) => ask(witnesses[i % 3] ?? first, body)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(bodies.length - 1);
  });
});
