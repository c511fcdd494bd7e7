/**
 * A contract's log held to the gateway log, which names its heads: a second history, a cut, a dropped log is found although every signature is right.
 * A real Postgres; whoever changes it is its superuser and has the log key and the writers'.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { createSequencer } from "../src/audit/index.ts";
import type { Trust } from "../src/audit/trust.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { type RootVerdict, verifyAgainstRoot } from "../src/audit/verify-root.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { forgetfulAnchor } from "./support/gateway.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany } from "./support/log-gateway.ts";
import { neighbour } from "./support/purge-world.ts";
import { cutTail, disarmTriggers, type StoredLog, sizeOf } from "./support/stored-log.ts";

let world: LogGateway;
let trust: Trust;
let stored: StoredLog;
let aheadMs = 0;
beforeEach(async () => {
  world = await createLogGateway({ keeper: { anchor: forgetfulAnchor }, common: { now: () => Date.now() + aheadMs } });
  trust = await agreeOnTrust(world.gateway);
  await bringIntoForce(world.gateway, neighbour);
  for (const agreement of [{}, { contract: neighbour.contract, owner: neighbour.owners[0] }])
    await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }], agreement);
  await readMany(world.gateway, 8);
  await announce();
  await disarmTriggers(world.owner);
  stored = { owner: world.owner, log: "c-test" };
});
afterEach(() => world.close());

/** The next minute's word of the gateway log. */
async function announce(): Promise<void> {
  await world.owner.query("update audit.upkeep set announced_at = announced_at - interval '1 minute' where log = 'gateway'");
  await world.gateway.keeper.patrol();
  await world.gateway.keeper.sequence();
}

async function taken(format: "bundle" | "root", { contract = "c-test", as = "officer" } = {}): Promise<Uint8Array> {
  const answer = await expectStatus(world.gateway.call("GET", `/v1/contracts/${contract}/audit/export?format=${format}`, { as }), 200);
  return new Uint8Array(await answer.arrayBuffer());
}

const bundleOf = (bytes: Uint8Array) => readBundle(new Blob([new Uint8Array(bytes)]).stream());

async function held(gateway?: Uint8Array, contract?: Uint8Array): Promise<RootVerdict> {
  const root = gateway ?? (await taken("root"));
  const log = contract ?? (await taken("bundle"));
  return verifyAgainstRoot({ contract: bundleOf(log), gateway: bundleOf(root), trust, seen: [], verifySignature, aead: nodeAead });
}

const codesOf = ({ problems }: Pick<RootVerdict, "problems">) => [...new Set(problems.map(({ code }) => code))];

describe("a contract's log and the gateway log", () => {
  it("agree, whichever was exported first", async () => {
    await readMany(world.gateway, 5);
    await announce();
    const early = await taken("bundle");
    await readMany(world.gateway, 5);
    await announce();
    expect(await held()).toMatchObject({ ok: true, problems: [], later: 0, named: 3, gateway: { ok: true, problems: [] } });
    expect(await held(undefined, early)).toMatchObject({ ok: true, problems: [], later: 1 });
  });

  it("agree in an extract that shows an officer nothing of other merchants", async () => {
    await expectStatus(world.gateway.call("GET", "/v1/contracts/c-other", { as: "owner-1" }), 404);
    await expectStatus(world.gateway.call("GET", "/v1/contracts/c-test", { as: "owner-b1" }), 404);
    await announce();
    const extract = await taken("root");
    const shown: [string, unknown][] = [];
    const onEntry = ({ event, facts }: { event: string; facts?: Record<string, unknown> | undefined }) =>
      shown.push([event, facts?.contract]);
    const verdict = await verifyExport({ bundle: bundleOf(extract), trust, seen: [], verifySignature, onEntry });
    expect(verdict).toMatchObject({ ok: true, problems: [], entries: shown.length + verdict.withheld });
    expect(verdict.withheld).toBeGreaterThan(3);
    expect(shown).toContainEqual(["request.refused", "c-test"]);
    expect(new Set(shown.map(([, contract]) => contract))).toEqual(new Set([undefined, "c-test"]));
    const text = new TextDecoder().decode(extract);
    expect(text).not.toContain("c-other");
    expect(text).not.toContain("m-beichen");
    for (const as of ["owner-1", "agent-1", "operator", "officer-b"])
      expect((await world.gateway.call("GET", "/v1/contracts/c-test/audit/export?format=root", { as })).ok).toBe(false);
  });

  it("do not where a thief of every key but time rewrote the contract's log, although it verifies by itself", async () => {
    const size = await sizeOf(stored);
    await readMany(world.gateway, 8);
    await announce();
    await cutTail(stored, size);
    const thief = createSequencer({ database: world.keeper, signer: world.logSigner, anchor: forgetfulAnchor });
    for (let i = 0; i < 40; i++) await search(world.gateway, { id: "U1" });
    await thief.run("c-test");
    const log = await taken("bundle");
    const alone = await verifyExport({ bundle: bundleOf(log), trust, seen: [], verifySignature });
    expect(codesOf(alone).filter((code) => !code.startsWith("writer_"))).toEqual([]);
    expect(codesOf(await held(undefined, log))).toContain("root_differs");
  });

  it("do not where it was cut, and the root log named more before the export was made", async () => {
    const size = await sizeOf(stored);
    await readMany(world.gateway, 8);
    await announce();
    await cutTail(stored, size);
    expect(codesOf(await held())).toContain("root_cut");
  });

  it("do not where the root log itself went back with it", async () => {
    const size = await sizeOf(stored);
    await readMany(world.gateway, 8);
    await announce();
    await cutTail(stored, size);
    await world.owner.query("update audit.upkeep set announced = 0 where log = 'c-test'");
    await announce();
    expect(codesOf(await held())).toEqual(expect.arrayContaining(["root_back", "root_cut"]));
  });

  it("do not where a log was dropped, which every merchant sees", async () => {
    await world.owner.query("delete from audit.log where log = 'c-other'");
    await announce();
    expect(codesOf(await held())).toEqual(["root_dropped"]);
  });

  it("do not where the root log left this one out", async () => {
    await world.owner.query("update audit.upkeep set announced = 1000000 where log = 'c-test'");
    await readMany(world.gateway, 5);
    const log = await taken("bundle");
    aheadMs = 20 * 60_000;
    for (let minute = 0; minute < 3; minute++) await announce();
    aheadMs = 0;
    expect(codesOf(await held(undefined, log))).toEqual(["root_silent"]);
  });

  it("do not where something else is taken for the root log", async () => {
    const log = await taken("bundle");
    expect(codesOf(await held(log, log))).toContain("root_other");
  });

  it("is not whole where the extract was changed", async () => {
    const extract = await taken("root");
    const text = new TextDecoder("latin1").decode(extract);
    const at = text.indexOf('"inventory"');
    const forged = Uint8Array.from(extract);
    forged[at + 25] = (forged[at + 25] ?? 0) ^ 1;
    const verdict = await held(forged);
    expect(verdict.ok).toBe(false);
    expect(codesOf(verdict.gateway)).toContain("entry_changed");
  });
});
