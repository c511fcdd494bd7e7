/** Who may read which log over HTTP, what that leaves behind, and what is told of nonsense. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEntry } from "../src/audit/index.ts";
import { createSigner, randomBytes } from "../src/crypto/index.ts";
import { bringIntoForce, importLines } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { readMany } from "./support/log-gateway.ts";
import { plantLog } from "./support/synthetic-log.ts";

let gateway: Gateway;
beforeAll(async () => {
  const signer = await createSigner(randomBytes(32));
  gateway = await createGateway({ keeper: { logSigner: signer } });
  await bringIntoForce(gateway);
  const seats = "demo,agent-9,senior,赵六\n";
  await bringIntoForce(gateway, { contract: "c-other", merchant: "m-beichen", owners: ["owner-b1", "owner-b2"], seats });
  await importLines(gateway, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
  await readMany(gateway, 288);
  await bringIntoForce(gateway, { contract: "c-planted" });
  await gateway.keeper.sequence();
  await plantLog(gateway.database, "c-planted", { size: 1_000, flushSize: 250, sizes: [1], signer });
}, 60_000);
afterAll(() => gateway.close());

/** `as` null: without a token. */
const ask = (log: string, path: string, as: string | null = "officer") =>
  gateway.call("GET", `/log/${log}/${path}`, as === null ? {} : { as });

async function lastEntries(log: string, count: number) {
  const rows = await gateway.database.query(
    "select substring(entries from 3) from audit.flush where log = $1 order by flush_id desc limit $2",
    [log, count],
  );
  return rows.map(([bytes]) => (bytes instanceof Uint8Array ? readEntry(bytes) : null)).reverse();
}

async function flushCount(log: string): Promise<number> {
  const [row] = await gateway.database.query("select count(*)::int from audit.flush where log = $1", [log]);
  return Number(row?.[0]);
}

describe("who may read a log", () => {
  const hashes = ["checkpoint", "tile/0/000", "proof/0", "consistency?from=1", "policy"];
  const entries = "tile/entries/000";

  it.each([
    ["its merchant's officer", "officer", 200, 200],
    ["its merchant's owner", "owner-1", 200, 403],
    ["an agent of the contract", "agent-1", 403, 403],
    ["another merchant's officer", "officer-b", 404, 404],
    ["another contract's agent", "agent-9", 404, 404],
    ["a stranger", "stranger", 404, 404],
    ["nobody", null, 401, 401],
  ] as const)("of a contract: %s", async (_, as, status, ofEntries) => {
    for (const path of hashes) expect([path, (await ask("c-test", path, as)).status]).toEqual([path, status]);
    expect((await ask("c-test", entries, as)).status).toBe(ofEntries);
  });

  it("of the gateway: anybody, but its entries nobody", async () => {
    for (const as of [null, "stranger", "officer"]) {
      for (const path of ["checkpoint", "tile/0/000.p/3", "proof/0", "consistency?from=1", "policy"])
        expect([path, (await ask("gateway", path, as)).status]).toEqual([path, 200]);
      expect((await ask("gateway", "tile/entries/000.p/3", as)).status).toBe(as === null ? 401 : 404);
    }
  });

  it("is not told whether a log is another's, or not there", async () => {
    for (const path of [...hashes, entries, "receipt/019ab000-0000-7000-8000-000000000000"]) {
      const bodies = await Promise.all(
        ["c-other", "c-nowhere"].map(async (log) => {
          const answer = await ask(log, path);
          const { request_id, ...rest } = (await answer.json()) as Record<string, unknown>;
          expect(request_id).toBe(answer.headers.get("x-request-id"));
          return rest;
        }),
      );
      expect(bodies[0]).toMatchObject({ status: 404 });
      expect(bodies[0]).toEqual(bodies[1]);
    }
  });
});

describe("reading a log", () => {
  it("leaves one entry for a checkpoint and one for a bundle, and none for what holds only hashes", async () => {
    const before = await flushCount("c-test");
    for (const path of ["tile/0/000", "tile/1/000.p/1", "proof/0", "consistency?from=1", "policy", "tile/0/999"]) await ask("c-test", path);
    expect(await flushCount("c-test")).toBe(before);
    for (const path of ["checkpoint", "tile/entries/000", "tile/entries/999"]) await ask("c-test", path);
    expect(await flushCount("c-test")).toBe(before + 3);
    expect((await lastEntries("c-test", 3)).map((entry) => [entry?.event, entry?.actor.role, entry?.outcome, entry?.facts])).toEqual([
      ["log.read", "officer", { effect: "allow", code: "checkpoint" }, { contract: "c-test" }],
      ["log.read", "officer", { effect: "allow", code: "entries" }, { contract: "c-test", bundle: "000" }],
      ["log.read", "officer", { effect: "deny", code: "not_found" }, { contract: "c-test", bundle: "999" }],
    ]);
  });

  it("leaves one in the gateway's log for whoever was turned away, and none for who read the public one", async () => {
    const before = await flushCount("gateway");
    await ask("gateway", "checkpoint");
    await ask("gateway", "tile/0/000.p/1", null);
    expect(await flushCount("gateway")).toBe(before);
    for (const path of ["c-test/checkpoint", "c-test/tile/0/000", "gateway/tile/entries/000"])
      await gateway.call("GET", `/log/${path}`, { as: "stranger" });
    expect((await lastEntries("gateway", 3)).map((entry) => [entry?.event, entry?.outcome.code, entry?.request?.route])).toEqual([
      ["request.refused", "not_found", "GET /log/{log}/checkpoint"],
      ["request.refused", "not_found", "GET /log/{log}/tile/{tile}"],
      ["request.refused", "not_found", "GET /log/{log}/tile/entries/{bundle}"],
    ]);
    expect(await flushCount("gateway")).toBe(before + 3);
  });
});

describe("what is no place, size or tile", () => {
  const grammar = (pointer: string) => ({ status: 400, code: "bad_id", errors: [{ pointer, code: "grammar" }] });
  const beyond = (pointer: string) => ({ status: 404, code: "not_found", errors: [{ pointer, code: "beyond_size" }] });
  const query = (pointer: string, code: string) => ({ status: 400, code: "bad_query", errors: [{ pointer, code }] });

  it.each([
    ...["-1", "NaN", "1e9", "01", "+1", "1.5", "0x10", "Infinity", "9007199254740993"].map(
      (leaf) => [`proof/${leaf}`, grammar("path:leaf")] as const,
    ),
    ...["1000", "999999999999999"].map((leaf) => [`proof/${leaf}`, beyond("path:leaf")] as const),
    ...[
      "0/x000/001",
      "0/000.p/0",
      "0/000.p/256",
      "64/000",
      "00/000",
      "0/0",
      "0/x001",
      "-1/000",
      "0//000",
      "0/000.p/01",
      "entries",
      "0/000/",
      "entries/",
    ].map((tile) => [`tile/${tile}`, grammar("path:tile")] as const),
    ...["0/004.p/1", "0/003.p/233", "0/003", "1/000.p/4", "2/000.p/1", "63/000.p/1", "0/x999/x999/x999/x999/999"].map(
      (tile) => [`tile/${tile}`, beyond("path:tile")] as const,
    ),
    ...["x000/001", "000.p/0", "000.p/256", "0", "-01", "000/000"].map(
      (bundle) => [`tile/entries/${bundle}`, grammar("path:bundle")] as const,
    ),
    ["tile/entries/004.p/1", beyond("path:bundle")],
    ["consistency", query("query:from", "invalid_type")],
    ...["0", "-1", "NaN", "1e9", "", "01", "1.0"].map(
      (from) => [`consistency?from=${from}`, query("query:from", "invalid_format")] as const,
    ),
    ["consistency?from=5&to=4", query("query:from", "beyond_to")],
    ["consistency?from=1001", query("query:from", "beyond_size")],
    ["consistency?from=1&to=1001", query("query:to", "beyond_size")],
    ["consistency?from=1&to=-1", query("query:to", "invalid_format")],
    ["consistency?from=1&from=2", query("query:from", "repeated")],
    ["consistency?from=1&size=2", query("query", "unknown")],
    ["consistency?from=1&to=300", { status: 404, code: "not_found", errors: [{ pointer: "query:to", code: "no_checkpoint" }] }],
    ...["1", "nil", "019ab000-0000-4000-8000-000000000000", "019AB000-0000-7000-8000-000000000000"].map(
      (entry) => [`receipt/${entry}`, grammar("path:entry")] as const,
    ),
    ["tile/0/%2e%2e/000", grammar("path:tile")],
    ["tile/0/..", { status: 404, code: "not_found" }],
    ["tile/../../../v1/me/x", { status: 404, code: "not_found" }],
    ["tile", { status: 404, code: "not_found" }],
    ["", { status: 404, code: "not_found" }],
    ["checkpoint?x=1", query("query", "unknown")],
  ] as const)("%s is told precisely", async (path, problem) => {
    const answer = await ask("c-planted", path);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject(problem);
  });

  it("is refused before anybody is asked who they are, and never a fault", async () => {
    expect((await gateway.call("GET", `/log/c-planted/tile/0/000.p/256`)).status).toBe(400);
    expect((await gateway.call("GET", "/log/..x/checkpoint")).status).toBe(400);
    expect(gateway.faults).toEqual([]);
  });

  it("nor is a log that has nothing signed yet", async () => {
    await bringIntoForce(gateway, { contract: "c-fresh" });
    for (const path of ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "proof/0", "consistency?from=1"])
      expect([path, (await ask("c-fresh", path)).status]).toEqual([path, 404]);
    expect((await ask("c-fresh", "policy")).status).toBe(200);
  });
});
