/**
 * A gateway and its witnesses: what is published is cosigned, beside the sequencer; who is down holds up nothing; who stole the log key is refused.
 * A real Postgres, the real witness over HTTP.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parseWitnessVkey, type WitnessKey, witnessKey } from "../src/audit/cosignature.ts";
import { formatVkey, noteKey } from "../src/audit/note.ts";
import { parsePolicy } from "../src/audit/quorum.ts";
import type { Trust } from "../src/audit/trust.ts";
import type { AskedWitness } from "../src/audit/witness-client.ts";
import { createSigner, randomBytes, type Signer } from "../src/crypto/index.ts";
import { type RunningWitness, startWitness } from "../src/node-witness.ts";
import { importLines, search } from "./support/agreement.ts";
import { forgetfulAnchor } from "./support/gateway.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import { createEpochWorld } from "./support/set-back.ts";
import { cutTail, disarmTriggers, newestCheckpoint, sizeOf } from "./support/stored-log.ts";
import { until } from "./support/until.ts";

let directory: string;
let logSigner: Signer;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "postern-witnessed-"));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const logs = ["c-test", "gateway"];

async function startWitnessOf(signer: Signer, place: string, port = 0): Promise<RunningWitness> {
  const keys = logs.map((log) => noteKey(`test/postern/${log}`, signer.publicKey));
  const witness = await startWitness({ name: "witness.example", directory: join(directory, place), logs: keys, host: "127.0.0.1", port });
  closing.push(witness.stop);
  return witness;
}

function asked({ vkey, port }: RunningWitness): AskedWitness {
  const key = parseWitnessVkey(vkey);
  if (!key) throw new Error("a witness names its key");
  return { key, url: `http://127.0.0.1:${port}`, logs };
}

async function open(witnesses: readonly AskedWitness[], options: Parameters<typeof createLogGateway>[0] = {}): Promise<LogGateway> {
  const world = await createLogGateway({ ...options, keeper: { ...options.keeper, logSigner, witnesses } });
  closing.push(world.close);
  return world;
}

async function openInForce(witnesses: readonly AskedWitness[]): Promise<{ world: LogGateway; trust: Trust }> {
  const world = await open(witnesses);
  const trust = await agreeOnTrust(world.gateway);
  await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  await readMany(world.gateway, 20);
  return { world, trust };
}

const cosignedSizes = async ({ owner }: LogGateway, log = "c-test") =>
  (await owner.query("select size::int from audit.cosignature where log = $1 order by size", [log])).map(([size]) => size);

function demanding(trust: Trust, key: WitnessKey, vkey: string): Trust {
  const policy = parsePolicy(`log ${formatVkey(trust.log)}\nwitness W ${vkey}\nquorum W\n`);
  if (!policy.ok) throw new Error(policy.refusal);
  expect(policy.value.witnesses).toEqual([key]);
  return { ...trust, policy: policy.value };
}

beforeAll(async () => {
  logSigner = await createSigner(randomBytes(32));
});

describe("what is published", () => {
  it("is cosigned, log by log, and an export meets the quorum that its reader asks for", async () => {
    const witness = await startWitnessOf(logSigner, "met");
    const { world, trust } = await openInForce([asked(witness)]);
    expect(trust.policy.text).toContain(`witness witness.example ${witness.vkey}\nquorum none\n`);
    expect(await world.gateway.keeper.witness()).toEqual([]);
    const [size] = await cosignedSizes(world);
    expect(size).toBe(await sizeOf({ owner: world.owner, log: "c-test" }));
    expect(await cosignedSizes(world, "gateway")).toHaveLength(1);
    expect(await world.gateway.keeper.witness()).toEqual([]);
    expect(await cosignedSizes(world)).toEqual([size]);

    await readMany(world.gateway, 300);
    expect(await world.gateway.keeper.witness()).toEqual([]);
    expect(await cosignedSizes(world)).toEqual([size, await sizeOf({ owner: world.owner, log: "c-test" })]);
    // An export logs itself and ends at the checkpoint behind that entry: the witness sees that one first.
    const strict = demanding(trust, asked(witness).key, witness.vkey);
    expect(await verifyLog(world.gateway, strict)).toMatchObject({ ok: true, problems: [] });
    await witness.stop();
    expect((await verifyLog(world.gateway, strict)).problems).toMatchObject([{ index: null, code: "quorum_missing" }]);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true });
  });

  it("goes on while a witness is down for long, and the cosignatures catch up", async () => {
    const witness = await startWitnessOf(logSigner, "down");
    let now = Date.now();
    const world = await open([asked(witness)], { common: { now: () => now } });
    await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await readMany(world.gateway, 8);
    await world.gateway.keeper.witness();
    const before = await cosignedSizes(world);
    await witness.stop();
    const sizes: number[] = [];
    const reports = [];
    for (let minute = 0; minute < 6; minute++) {
      now += 60_000;
      await readMany(world.gateway, 8);
      reports.push(...(await world.gateway.keeper.witness()));
      sizes.push(await sizeOf({ owner: world.owner, log: "c-test" }));
    }
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(new Set(sizes).size).toBe(6);
    expect(await cosignedSizes(world)).toEqual(before);
    expect(new Set(reports.map(({ outcome }) => outcome))).toEqual(new Set(["does not answer"]));
    await startWitnessOf(logSigner, "down", witness.port);
    now += 300_000;
    expect(await world.gateway.keeper.witness()).toEqual([]);
    expect(await cosignedSizes(world)).toEqual([...before, sizes.at(-1)]);
  });

  it("asks a witness that failed after a pause, longer each time, and not before", async () => {
    let requests = 0;
    const failing = await serve((_body) => {
      requests++;
      return { status: 500, body: "" };
    });
    let now = Date.now();
    const key = witnessKey("failing.example", (await createSigner(randomBytes(32))).publicKey);
    const world = await open([{ key, url: failing, logs: ["gateway"] }], { common: { now: () => now } });
    await world.gateway.call("GET", "/v1/contracts/c-none", { as: "owner-1" });
    await world.gateway.keeper.sequence();
    const waits: number[] = [];
    for (let last = now; waits.length < 12; now += 500) {
      const before = requests;
      await world.gateway.keeper.witness();
      if (requests === before) continue;
      waits.push((now - last) / 1000);
      last = now;
    }
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it.each([
    [403, "", "does not know this log's key"],
    [404, "", "does not know this log"],
    [422, "", "saw another history"],
    [409, "0\n", "saw another history"],
    [409, "999999\n", "saw more than this gateway has: was the database set back?"],
    [409, "what\n", "saw another history"],
    [200, "", "answers what is not a cosignature of its key"],
    [200, "— failing.example AAAA\n", "answers what is not a cosignature of its key"],
    [200, "x".repeat(20_000), "does not answer"],
    [302, "", "answers 302"],
    [500, "", "answers 500"],
  ])("stores nothing of an answer that is no cosignature: %i %j", async (status, body, outcome) => {
    const url = await serve(() => ({ status, body }));
    const key = witnessKey("failing.example", (await createSigner(randomBytes(32))).publicKey);
    const world = await open([{ key, url, logs: ["gateway"] }]);
    await world.gateway.call("GET", "/v1/contracts/c-none", { as: "owner-1" });
    await world.gateway.keeper.sequence();
    expect(await world.gateway.keeper.witness()).toEqual([{ witness: "failing.example", log: "gateway", outcome }]);
    expect(await cosignedSizes(world, "gateway")).toEqual([]);
  });
});

describe("a log that was set back for good and goes on in a new epoch", () => {
  it("is another log to its witness, which cosigns it from its first entry on once it is told of it", async () => {
    const witness = await startWitnessOf(logSigner, "epochs");
    const world = await createEpochWorld({ keeper: { logSigner, witnesses: [asked(witness)] } });
    closing.push(world.close);
    await readMany(world.gateway, 6);
    expect(await world.gateway.keeper.witness()).toEqual([]);
    await world.setBack();
    await world.open((await world.plan()).opens);
    expect(await world.gateway.keeper.witness()).toEqual([
      { witness: "witness.example", log: "c-test", outcome: "does not know this log" },
    ]);
    await witness.stop();
    logs.push("c-test@2");
    const told = await startWitnessOf(logSigner, "epochs", witness.port);
    logs.pop();
    await readMany(world.gateway, 3);
    const isCosigned = async () => (await cosignedSizes(world)).includes(await sizeOf(world.stored));
    await until("its cosignature", async () => (await world.gateway.keeper.witness()).length === 0 && (await isCosigned()));
    const trust = await world.freshTrust();
    expect(await verifyLog(world.gateway, demanding(trust, asked(told).key, told.vkey))).toMatchObject({ ok: true, problems: [] });
  });
});

describe("a thief of the log key, who owns the database and took the anchor away", () => {
  it("gets no cosignature for a history that was rewritten, and the checkpoint that was cosigned contradicts it", async () => {
    const witness = await startWitnessOf(logSigner, "thief");
    const world = await open([asked(witness)], { keeper: { anchor: forgetfulAnchor } });
    const trust = await agreeOnTrust(world.gateway);
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
    await readMany(world.gateway, 20);
    const stored = { owner: world.owner, log: "c-test" };
    const kept = await sizeOf(stored);
    const [promise = ""] = await readMany(world.gateway, 8);
    expect(await world.gateway.keeper.witness()).toEqual([]);
    const cosigned = await cosignedSizes(world);
    const checkpoint = await newestCheckpoint(stored);

    // The last eight reads never happened; others did.
    await disarmTriggers(world.owner);
    await cutTail(stored, kept);
    for (let i = 0; i < 30; i++) await search(world.gateway, { id: "U1" });
    await world.gateway.keeper.sequence();
    expect(await sizeOf(stored)).toBeGreaterThan(Number(cosigned[0]));
    expect(await world.gateway.keeper.witness()).toEqual([{ witness: "witness.example", log: "c-test", outcome: "saw another history" }]);
    expect(await cosignedSizes(world)).toEqual(cosigned);

    const strict = demanding(trust, asked(witness).key, witness.vkey);
    expect((await verifyLog(world.gateway, strict)).problems.map(({ code }) => code)).toContain("quorum_missing");
    for (const seen of [checkpoint, promise])
      expect((await verifyLog(world.gateway, trust, { seen: [seen] })).problems.map(({ code }) => code)).toContainEqual(
        expect.stringMatching(/^seen_(differs|missing)$/),
      );
  });
});

async function serve(answer: (body: string) => { status: number; body: string }): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const { status, body } = answer("");
      response.writeHead(status, { location: "/elsewhere", "content-type": "text/plain" }).end(body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
