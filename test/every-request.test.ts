/**
 * Every request leaves exactly one entry, whatever becomes of it: of each route that is documented, each way to be refused. Which log it is in,
 * and who it says it was. A flood of callers that nobody knows is counted. The platform's own routes say nothing of anybody and leave none.
 */
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { serve as listen } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuditLog, type Entry, entriesOfFlush, readEntry } from "../src/audit/index.ts";
import { randomBytes } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { createKeyring, createRootKey, type ShareStore } from "../src/keys/index.ts";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { readDocument, type Served } from "./support/documented.ts";
import { type CallOptions, createGateway, type Gateway } from "./support/gateway.ts";

const nowhere = `r_${"a".repeat(26)}`;
/** Longer than a window in which strangers are counted. */
const aWhileMs = 11_000;
/** Longer than opened keys are kept. */
const keysLifeMs = 61_000;

let gateway: Gateway;
let served: Served;
let locator: string;
/** Milliseconds by which the gateway's clock is ahead. */
let ahead = 0;
/** What the edge's next append fails with. */
let nextFault: Error | null = null;
let lostShares = false;
const failing = (made: AuditLog): AuditLog => ({
  append(log, draft) {
    const fault = nextFault;
    nextFault = null;
    return fault ? Promise.reject(fault) : made.append(log, draft);
  },
});
beforeAll(async () => {
  const kept = new Map<string, Uint8Array>();
  const shares: ShareStore = {
    put: async (contract, epoch, share) => void kept.set(`${contract}/${epoch}`, share.slice()),
    get: async (contract, epoch) => (lostShares ? null : (kept.get(`${contract}/${epoch}`)?.slice() ?? null)),
    destroy: async (contract, epoch) => void kept.delete(`${contract}/${epoch}`),
    note: async () => {},
    deletions: async () => [],
    bury: async () => {},
    buried: async () => new Map(),
  };
  const root = createRootKey(nodeAead, randomBytes(32));
  const now = () => Date.now() + ahead;
  const keyring = createKeyring({ aead: nodeAead, root, shares, now });
  gateway = await createGateway({ common: { now, root, shares, keyring }, edge: { audit: failing } });
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
  locator = (await search(gateway, { id: "U1" })).records[0]?.locator ?? "";
  served = await readDocument(gateway);
});
afterAll(() => gateway.close());

/** By flush, of those that are not among `known`: a flush never changes. */
async function flushesIn({ database }: Gateway, known: ReadonlySet<string>): Promise<Map<string, Entry[]>> {
  const rows = await database.query("select flush_id, log from audit.flush");
  const fresh = rows.map(([id]) => String(id)).filter((id) => !known.has(id));
  if (fresh.length === 0) return new Map();
  const found = await database.query("select flush_id, entries from audit.flush where flush_id = any($1::text[])", [
    `{${fresh.join(",")}}`,
  ]);
  return new Map(found.map(([id, flush]) => [String(id), flush instanceof Uint8Array ? entriesOfFlush(flush).map(readOwn) : []]));
}

const readOwn = (bytes: Uint8Array) => readEntry(bytes) ?? expect.unreachable("a flush holds what is not an entry");
const knownFlushes = new WeakMap<Gateway, Set<string>>();

/** What `work` left in any log. */
async function leftBy(world: Gateway, work: () => Promise<unknown>): Promise<Entry[]> {
  const known = knownFlushes.get(world) ?? new Set<string>();
  knownFlushes.set(world, known);
  for (const id of (await flushesIn(world, known)).keys()) known.add(id);
  await work();
  const left = await flushesIn(world, known);
  for (const id of left.keys()) known.add(id);
  return [...left.values()].flat();
}

/** The answer's status, and of each new entry: its log, who, what became of it. */
async function ask(
  method: string,
  path: string,
  options: CallOptions = {},
  world = gateway,
): Promise<{ status: number; entries: string[] }> {
  let answer = new Response();
  const entries = await leftBy(world, async () => {
    answer = await world.call(method, path, options);
    await answer.arrayBuffer();
  });
  for (const { request } of entries) expect(request?.id).toBe(answer.headers.get("x-request-id"));
  const told = entries.map(({ log, actor, outcome }) => `${log.split("/").at(-1)} ${actor.role} ${outcome.code}`);
  return { status: answer.status, entries: told };
}

const platform = ["/healthz", "/readyz", "/openapi.json", "/metrics"];
/** What a browser asks while nobody has logged in yet. */
const beforeLogin = "/v1/session";

/** Each documented route with a path that could be. */
function routes(): { method: string; path: string; pattern: string; agents: boolean }[] {
  return Object.entries(served)
    .filter(([pattern]) => !platform.includes(pattern) && !pattern.startsWith("/log/") && !pattern.startsWith(beforeLogin))
    .flatMap(([pattern, methods]) =>
      Object.keys(methods).map((method) => ({
        method: method.toUpperCase(),
        pattern,
        path: pattern
          .replace("{contract}", "c-test")
          .replace("{type}", "customer")
          .replace("{locator}", nowhere)
          .replace("{part}", "keys")
          .replaceAll(/\{\w+\}/g, "x"),
        agents: /\/records\/\{type\}\/(\{locator\}(\/requests)?|search)$|\/upstream\/|^\/v1\/me$/.test(pattern),
      })),
    );
}

describe("of each route, one entry", () => {
  it("says that somebody came without a token", async () => {
    for (const { method, path } of routes()) {
      // Another window for each, so that none is only counted.
      ahead += aWhileMs;
      const { status, entries } = await ask(method, path);
      expect([method, path, status >= 400, entries.length], entries.join()).toEqual([method, path, true, 1]);
      expect(entries[0]).toMatch(/^gateway unknown /);
    }
    ahead = 0;
  });

  it("says that a parameter of the query was unknown or stood twice, in the contract's log where somebody of its own asked", async () => {
    for (const { method, path, agents } of routes()) {
      const as = agents ? "agent-1" : "owner-1";
      const role = agents ? "agent" : "merchant_owner";
      const log = path.startsWith("/v1/contracts/c-test") ? "c-test" : "gateway";
      const { status, entries } = await ask(method, `${path}?nonsense=1&nonsense=1`, { as });
      const expected = log === "gateway" ? /^gateway (unknown|merchant_owner) bad_query$/ : new RegExp(`^c-test ${role} bad_query$`);
      expect([method, path, status, entries.length]).toEqual([method, path, 400, 1]);
      expect(entries[0]).toMatch(expected);
    }
  });

  it("says that the method was another, and that an id was none", async () => {
    for (const { path, pattern } of routes()) {
      expect(await ask("PROPFIND", path, { as: "agent-1" })).toMatchObject({
        status: 405,
        entries: [expect.stringMatching(/ method_not_allowed$/)],
      });
      if (!pattern.includes("{")) continue;
      const odd = path.replace(/[^/]+$/, "%E9%A6%99");
      expect(await ask("GET", odd, { as: "agent-1" })).toMatchObject({
        entries: [expect.stringMatching(/ (bad_id|not_found|method_not_allowed)$/)],
      });
    }
  });

  it("says that nobody serves that", async () => {
    expect(await ask("GET", "/v1/nowhere", { as: "agent-1" })).toEqual({ status: 404, entries: ["gateway unknown not_found"] });
  });

  it("is left by whoever is not of the house", async () => {
    for (const { method, path, agents } of routes()) {
      if (!path.startsWith("/v1/contracts/c-test")) continue;
      const { entries } = await ask(method, path, { as: agents ? "agent-9" : "owner-b1", ...bodyOf(method, path) });
      expect([method, path, entries.length], entries.join()).toEqual([method, path, 1]);
    }
  });
});

function bodyOf(method: string, path: string): CallOptions {
  if (path.endsWith("/search")) return { body: { by: { phone: "13800138000" } } };
  if (path.endsWith("/purges") && method === "POST") return { body: { dry_run: true } };
  if (path.endsWith("/agents") && method === "POST") return { body: "issuer,subject,role,name\n", headers: { "content-type": "text/csv" } };
  if (path.endsWith("/import")) return { body: "", headers: { "content-type": "application/x-ndjson" } };
  return {};
}

describe("an agent's request", () => {
  const read = (options: CallOptions = {}, name = locator) =>
    ask("GET", `/v1/contracts/c-test/records/customer/${name}`, { as: "agent-1", ...options });
  const find = (options: CallOptions) => ask("POST", "/v1/contracts/c-test/records/customer/search", { as: "agent-1", ...options });
  const jsonHeaders = { "content-type": "application/json" };

  it.each([
    ["a read", () => read(), 200, "c-test agent masked"],
    ["a read of nothing", () => read({}, nowhere), 404, "c-test agent not_found"],
    ["a purpose that is no word", () => read({ headers: { "postern-purpose": "after sales" } }), 400, "c-test agent bad_header"],
    ["a second token in one header", () => read({ headers: { authorization: "Bearer a, Bearer b" } }), 400, "gateway unknown bad_header"],
    ["a search", () => find({ body: { by: { phone: "13800138000" } } }), 200, "c-test agent masked"],
    ["a search by two fields", () => find({ body: { by: { phone: "1", email: "x" } } }), 422, "c-test agent unacceptable"],
    ["a body that is no JSON", () => find({ body: "{", headers: jsonHeaders }), 400, "c-test agent bad_json"],
    ["a body of another kind", () => find({ body: "x", headers: { "content-type": "text/plain" } }), 415, "c-test agent wrong_media_type"],
    [
      "a body over its limit",
      () => find({ body: "x".repeat(5_000), headers: { ...jsonHeaders, "content-length": "5000" } }),
      413,
      "c-test agent too_large",
    ],
    ["a body with a key that nobody knows", () => find({ body: { by: { phone: "1" }, limit: 9 } }), 422, "c-test agent unacceptable"],
    ["the list of one's seats", () => ask("GET", "/v1/me", { as: "agent-1" }), 200, "gateway agent ok"],
    ["that list, of somebody who has none", () => ask("GET", "/v1/me", { as: "agent-9" }), 200, "gateway unknown ok"],
  ] as const)("%s", async (_, ask, status, entry) => {
    expect(await ask()).toEqual({ status, entries: [entry] });
  });

  it("that is lost to a fault is in the log as lost", async () => {
    nextFault = new TypeError("out of order");
    expect(await read()).toEqual({ status: 500, entries: ["c-test agent fault"] });
    expect(gateway.faults.splice(0)).toHaveLength(1);
  });

  it("that finds the contract's keys gone is in the gateway's log, and names the contract", async () => {
    lostShares = true;
    ahead += keysLifeMs;
    const [entry, ...others] = await leftBy(gateway, async () => {
      const answer = await gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
      expect(answer.status).toBe(503);
    });
    lostShares = false;
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ log: "test/postern/gateway", outcome: { code: "keys_unavailable" }, facts: { contract: "c-test" } });
  });

  it("whose sender does not wait for the answer is in the log once", async () => {
    const server = listen({ fetch: gateway.app.fetch, port: 0, hostname: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const lines = [
      `GET /v1/contracts/c-test/records/customer/${locator} HTTP/1.1`,
      "Host: 127.0.0.1",
      `Authorization: Bearer ${await gateway.token("agent-1")}`,
    ];
    const flushes = async () => (await flushesIn(gateway, new Set())).size;
    const before = await flushes();
    const entries = await leftBy(gateway, async () => {
      const socket = connect(port, "127.0.0.1");
      const arrived = new Promise((resolve) => server.once("request", resolve));
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
      await arrived;
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await expect.poll(flushes).toBeGreaterThan(before);
    });
    expect(entries.map(({ outcome }) => outcome.code)).toEqual(["masked"]);
  });
});

describe("a reading of the log that is none", () => {
  it.each([
    ["a tile's path that is none", "tile/0/1", "bad_id"],
    ["a bundle's path that is none", "tile/entries/0", "bad_id"],
    ["a size beyond the log's", "consistency?from=1&to=999999", "bad_query"],
  ])("leaves its entry: %s", async (_, path, code) => {
    await gateway.keeper.sequence();
    expect(await ask("GET", `/log/c-test/${path}`, { as: "officer" })).toEqual({ status: 400, entries: [`c-test officer ${code}`] });
  });
});

describe("the platform's routes", () => {
  it("leave no entry, refused or not", async () => {
    for (const path of platform) {
      expect((await ask("GET", path)).entries).toEqual([]);
      expect((await ask("DELETE", path)).entries).toEqual([]);
    }
  });
});

describe("a flood of callers that nobody knows", () => {
  const floods = 50;

  it("is named twenty times in ten seconds, and counted for the rest, none twice and none lost", async () => {
    ahead += 10 * aWhileMs;
    const world = gateway;
    const entries = await leftBy(world, async () => {
      const answers = await Promise.all(
        Array.from({ length: floods }, (_, i) => world.call("GET", i % 2 === 0 ? "/v1/me" : "/v1/nowhere")),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 404]));
      ahead += aWhileMs;
      await world.call("GET", "/v1/me");
    });
    ahead = 0;
    const counted = entries.filter(({ event }) => event === "strangers.counted");
    expect(entries.length - counted.length).toBe(20 + 1);
    expect(counted).toHaveLength(1);
    const counts = Object.values(counted[0]?.facts?.counts ?? {}).map(Number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(floods - 20);
  });

  it("keeps nobody who is known out of the log", async () => {
    await Promise.all(Array.from({ length: floods }, () => gateway.call("GET", "/v1/me")));
    expect(await ask("GET", "/v1/me", { as: "agent-1" })).toEqual({ status: 200, entries: ["gateway agent ok"] });
  });
});
