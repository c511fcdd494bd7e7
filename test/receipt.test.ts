/** From a promise to a receipt that verifies offline, on a real Postgres with each side in its own role. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEntry } from "../src/audit/index.ts";
import { type AuditPromise, formatPromise, parsePromise } from "../src/audit/promise.ts";
import { formatReceipt, parseReceipt, type Receipt, verifyReceipt } from "../src/audit/receipt.ts";
import type { Trust } from "../src/audit/trust.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway } from "./support/log-gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { purge } from "./support/purge-world.ts";

let world: LogGateway;
let trust: Trust;
let path: string;
beforeAll(async () => {
  world = await createLogGateway();
  trust = await agreeOnTrust(world.gateway);
  await agreeOnTrust(world.gateway, { contract: "c-new" });
  await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  const { records } = await search(world.gateway, { id: "U1" });
  path = `/v1/contracts/c-test/records/customer/${records[0]?.locator}`;
});
afterAll(() => world.close());

const call = (...args: Parameters<LogGateway["gateway"]["call"]>) => world.gateway.call(...args);

/** An agent reads the customer, and keeps the promise. */
async function read(
  as = "agent-1",
  headers: Readonly<Record<string, string>> = {},
): Promise<{ kept: string; id: string; answer: Response }> {
  const answer = await expectStatus(call("GET", path, { as, headers }), 200);
  const kept = answer.headers.get("audit-promise") ?? "";
  return { kept, id: parsePromise(kept)?.id ?? "", answer };
}

const fetchReceipt = (id: string, as = "agent-1", headers: Readonly<Record<string, string>> = {}) =>
  call("GET", `/log/c-test/receipt/${id}`, { as, headers });

const verify = (text: string, kept: string | null = null, by: Trust = trust) => verifyReceipt({ text, trust: by, kept, verifySignature });

describe("an agent who was promised an entry", () => {
  it("is given the receipt once the entry has its place, and anybody verifies it offline", async () => {
    const { kept, id } = await read();
    await world.gateway.keeper.sequence();
    const answer = await expectStatus(fetchReceipt(id), 200);
    expect([answer.headers.get("content-type"), answer.headers.get("cache-control")]).toEqual(["text/plain; charset=utf-8", "no-store"]);
    expect(answer.headers.get("preference-applied")).toBeNull();
    const text = await answer.text();
    expect(text).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra [\w+/=]+\nindex \d+\n/);
    const verdict = await verify(text, kept);
    expect(verdict).toMatchObject({ ok: true, origin: "test/postern/c-test", entry: id, problems: [] });
    const [entry] = (await entriesOf(world)).filter((found) => found.id === id);
    expect(verdict.promised).toMatchObject({ writer: entry?.entry.writer.id, n: entry?.entry.writer.n });
    expect(await verify(text, `Audit-Promise: ${kept}\n`)).toMatchObject({ ok: true });
  });

  it("is given the promise again where the entry has none yet, byte for byte", async () => {
    const { kept, id } = await read();
    const answer = await expectStatus(fetchReceipt(id), 202);
    expect([answer.headers.get("audit-promise"), answer.headers.get("retry-after"), await answer.text()]).toEqual([kept, "1", `${kept}\n`]);
  });

  it("may wait for it: two seconds at most, and the answer says so", async () => {
    for (const [prefer, applied] of [
      ["wait=2", "wait=2"],
      ["wait=600", "wait=2"],
      ['respond-async, wait="1"', "wait=1"],
    ] as const) {
      const { kept, id } = await read();
      const answer = await expectStatus(fetchReceipt(id, "agent-1", { prefer }), 200);
      expect(answer.headers.get("preference-applied")).toBe(applied);
      expect(await verify(await answer.text(), kept)).toMatchObject({ ok: true });
    }
    for (const prefer of ["wait", "wait=", "wait=-1", "wait=x", "wait=1.5", "waiting=2", "return=minimal", "wait=0"]) {
      const { id } = await read();
      await expectStatus(fetchReceipt(id, "agent-1", { prefer }), 202);
    }
  });

  it("waits no longer than that: then the promise stands, and the receipt comes later", async () => {
    const { kept, id } = await read();
    const holder = world.owner.transaction(async (tx) => {
      await tx.query("select log from audit.log where log = 'c-test' for update");
      const begun = performance.now();
      const answer = await expectStatus(fetchReceipt(id, "agent-1", { prefer: "wait=1" }), 202);
      return { answer, ms: performance.now() - begun };
    });
    const { answer, ms } = await holder;
    expect(ms).toBeGreaterThan(900);
    expect(ms).toBeLessThan(4_000);
    expect([answer.headers.get("audit-promise"), answer.headers.get("preference-applied")]).toEqual([kept, "wait=1"]);
    await expectStatus(fetchReceipt(id, "agent-1", { prefer: "wait=2" }), 200);
  });

  it("is told with the answer where the receipt will be, if it would wait, and the answer is the same", async () => {
    const plain = await read();
    const asked = await read("agent-1", { prefer: "wait=2" });
    expect(asked.answer.headers.get("link")).toBe(`</log/c-test/receipt/${asked.id}>; rel="related"; title="receipt"`);
    expect([plain.answer.headers.get("link"), asked.answer.headers.get("preference-applied")]).toEqual([null, null]);
    expect(await asked.answer.text()).toBe(await plain.answer.text());
  });

  it("has one for every entry of a flush, wherever it stands in it", async () => {
    const reads = await Promise.all(Array.from({ length: 48 }, () => read()));
    await world.gateway.keeper.sequence();
    const positions = new Set<number | undefined>();
    for (const { kept, id } of reads) {
      expect(await verify(await (await expectStatus(fetchReceipt(id), 200)).text(), kept)).toMatchObject({ ok: true, entry: id });
      positions.add(parsePromise(kept)?.position);
    }
    expect(positions.size).toBeGreaterThan(1);
  });
});

describe("a receipt is for", () => {
  it("whoever did it, and for the merchant's officer and owner; for other agents there is none", async () => {
    const { id } = await read();
    await world.gateway.keeper.sequence();
    for (const as of ["agent-1", "officer", "owner-1"]) await expectStatus(fetchReceipt(id, as), 200);
    for (const as of ["agent-2", "officer-b", "stranger"]) await expectStatus(fetchReceipt(id, as), 404);
    expect((await call("GET", `/log/c-test/receipt/${id}`)).status).toBe(401);
    const bodies = await Promise.all(
      [id, "019ab000-0000-7000-8000-000000000000"].map(async (entry) => {
        const { request_id: _, ...rest } = (await (await fetchReceipt(entry, "agent-2")).json()) as Record<string, unknown>;
        return rest;
      }),
    );
    expect(bodies[0]).toEqual(bodies[1]);
    for (const log of ["c-new", "gateway"]) expect((await call("GET", `/log/${log}/receipt/${id}`, { as: "officer" })).status).toBe(404);
  });

  it("each time one entry, that says who came and whether they got it", async () => {
    const { id } = await read();
    const before = (await entriesOf(world)).length;
    for (const as of ["agent-1", "agent-2", "officer"]) await fetchReceipt(id, as);
    const entries = (await entriesOf(world)).slice(before).map(({ entry }) => entry);
    expect(entries.map(({ event, actor, outcome }) => [event, actor.role, outcome.effect, outcome.code])).toEqual([
      ["log.read", "agent", "allow", "receipt"],
      ["log.read", "agent", "deny", "not_found"],
      ["log.read", "officer", "allow", "receipt"],
    ]);
  });

  it("an entry, not for the request's id that an entry holds", async () => {
    const { id } = await read();
    const [entry] = (await entriesOf(world)).filter((found) => found.id === id);
    const request = (entry && readEntry(entry.bytes)?.request?.id) ?? "";
    expect(request).toMatch(/^[0-9a-f-]{36}$/);
    await expectStatus(fetchReceipt(request, "officer"), 404);
  });
});

describe("a receipt that is not one", () => {
  let text: string;
  let kept: string;
  let other: Receipt;
  let receipt: Receipt;
  beforeAll(async () => {
    const [mine, another] = [await read(), await read()];
    await world.gateway.keeper.sequence();
    const fetched = async (id: string) => (await expectStatus(fetchReceipt(id), 200)).text();
    text = await fetched(mine.id);
    kept = mine.kept;
    const parsed = [parseReceipt(text), parseReceipt(await fetched(another.id))];
    if (!parsed[0] || !parsed[1]) throw new Error("receipts are read back");
    [receipt, other] = [parsed[0], parsed[1]];
    expect(formatReceipt(receipt)).toBe(text);
  });

  const codes = async (changed: Partial<Receipt>, by?: string) =>
    (await verify(formatReceipt({ ...receipt, ...changed }), by ?? null)).problems.map(({ code }) => code);
  const promiseWith = (changed: Partial<AuditPromise>): Pick<Receipt, "promise"> => ({ promise: { ...receipt.promise, ...changed } });

  it("is found out by whichever part is another's", async () => {
    expect(await codes({})).toEqual([]);
    expect(await codes({ index: receipt.index + 1 })).toEqual(["not_included"]);
    expect(await codes({ hashes: receipt.hashes.slice(1) })).toEqual(["not_included"]);
    expect(await codes({ hashes: [...receipt.hashes, receipt.leaf] })).toEqual(["not_included"]);
    expect(await codes({ leaf: other.leaf })).toEqual(["not_included", "promise_other_leaf"]);
    expect(await codes({ promise: other.promise })).toEqual(["promise_other_leaf"]);
    expect(await codes({ leaf: other.leaf, promise: other.promise })).toEqual(["not_included"]);
    expect(await codes(promiseWith({ position: 1 }))).toEqual(["promise_other_leaf"]);
    expect(await codes(promiseWith({ jws: `${receipt.promise.jws.slice(0, -4)}AAAA` }))).toEqual(["promise_signature"]);
    expect(await codes({ checkpoint: receipt.checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`) })).toContain(
      "checkpoint",
    );
    expect(await codes({ checkpoint: receipt.checkpoint.replaceAll("c-test", "c-other") })).toContain("other_log");
  });

  it("is found out by what the agent kept", async () => {
    expect(await codes({}, kept)).toEqual([]);
    expect(await codes({}, formatPromise(other.promise))).toEqual(["kept_differs"]);
    expect(await codes({}, kept.replace(/id="[^"]*"/, 'id="019ab000-0000-7000-8000-000000000000"'))).toEqual(["kept_differs"]);
    for (const nonsense of ["", "\u0000", "jws=1", receipt.checkpoint]) expect(await codes({}, nonsense)).toEqual(["kept_malformed"]);
  });

  it("is found out under another contract's trust file, and under one that names no writer", async () => {
    const [wrong] = [await agreeOnTrust(world.gateway, { contract: "c-newer" })];
    expect((await verify(text, null, wrong)).problems.map(({ code }) => code)).toEqual(["other_log"]);
    expect((await verify(text, null, { ...trust, writers: new Map() })).problems.map(({ code }) => code)).toEqual(["promise_signature"]);
  });

  it("is no receipt at all where a byte of its form is changed, cut or added", async () => {
    const proofOnly = await (await expectStatus(call("GET", `/log/c-test/proof/${receipt.index}`, { as: "officer" }), 200)).text();
    for (const wrong of [
      "",
      "x",
      proofOnly,
      text.slice(0, 40),
      text.replace("@v1", "@v2"),
      text.replace("extra ", "extra !"),
      `${text}x`,
      `\n${text}`,
    ])
      expect(await verify(wrong)).toMatchObject({ ok: false });
    for (let end = 0; end < text.length; end += 7) expect(await verify(text.slice(0, end))).toMatchObject({ ok: false });
  });
});

describe("after the purge", () => {
  it("the merchant still has receipts, of a log that is frozen; the agent is gone", async () => {
    const { kept, id } = await read();
    await purge(world.gateway);
    const answer = await expectStatus(fetchReceipt(id, "officer", { prefer: "wait=2" }), 200);
    expect(await verify(await answer.text(), kept)).toMatchObject({ ok: true, entry: id });
    await expectStatus(fetchReceipt(id), 404);
    expect(world.gateway.faults).toEqual([]);
  });
});
