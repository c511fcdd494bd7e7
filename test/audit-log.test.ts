/**
 * The log while it grows, on a real Postgres with each side in its own role: what is answered is in it, once, whatever happens meanwhile.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openHead } from "../src/audit/head.ts";
import { createSequencer } from "../src/audit/index.ts";
import { member } from "../src/audit/manifest.ts";
import { parsePromise } from "../src/audit/promise.ts";
import { rebuildSearch } from "../src/audit/search.ts";
import { leafHash } from "../src/audit/tree.ts";
import type { Trust } from "../src/audit/trust.ts";
import { isInFlush } from "../src/audit/verify-flushes.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import { membersOf } from "./support/bundle.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import { createTestWriter, entriesOf, systemEntry } from "./support/log-writers.ts";
import { isLong } from "./support/long.ts";

const customer = { id: "U1-canary-x7zq", name: "欧阳娜娜", phone: "13800138000", email: "nana@example.com" };

let world: LogGateway;
let trust: Trust;
beforeEach(async () => {
  world = await createLogGateway();
  trust = await agreeOnTrust(world.gateway);
  await importLines(world.gateway, [customer, { id: "U1", name: "林小满", phone: "13900139000" }]);
});
afterEach(() => world.close());

function readOrSearch(i: number, locator: string): Promise<Response> {
  if (i % 2 === 0) return world.gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
  return world.gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
    as: "agent-2",
    body: { by: { phone: customer.phone } },
  });
}

async function locatorOf(id: string): Promise<string> {
  const { records } = await search(world.gateway, { id });
  return records[0]?.locator ?? "";
}

describe("every answer", () => {
  it("has exactly one durable entry, under 64 readers and searchers at once", async () => {
    const locator = await locatorOf("U1");
    const before = (await entriesOf(world)).length;
    const answers: Response[] = [];
    for (let round = 0; round < 5; round++)
      answers.push(...(await Promise.all(Array.from({ length: 64 }, (_, i) => readOrSearch(i, locator)))));
    expect([...new Set(answers.map((answer) => answer.status))]).toEqual([200]);
    const entries = await entriesOf(world);
    expect(entries.length - before).toBe(answers.length);
    const promised = answers.map((answer) => parsePromise(answer.headers.get("audit-promise") ?? "")?.id);
    expect(new Set(promised).size).toBe(answers.length);
    const ids = new Set(entries.map(({ id }) => id));
    expect(promised.filter((id) => id === undefined || !ids.has(id))).toEqual([]);
  });

  it("has its place after one run of the sequencer, however much waits", async () => {
    const locator = await locatorOf("U1");
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 64 }, (_, i) => readOrSearch(i, locator)));
    const weight = "select sum(length(f.entries))::int from audit.pending p join audit.flush f using (log, flush_id)";
    expect((await world.owner.query(weight))[0]?.[0]).toBeGreaterThan(2 * 131_072);
    await world.gateway.keeper.sequence();
    expect(await world.owner.query(weight)).toEqual([[null]]);
  });

  it("carries a promise that holds under the writer's key, and is kept in the tree", async () => {
    const promises = await readMany(world.gateway, 96);
    const entries = new Map((await entriesOf(world)).map((entry) => [entry.id, entry]));
    for (const text of promises) {
      const promise = parsePromise(text);
      const head = promise && (await openHead(promise.jws, trust.writers, verifySignature));
      const entry = entries.get(promise?.id ?? "");
      if (!promise || !head || !entry) throw new Error("a promise is signed, and names an entry");
      expect(head.origin).toBe("test/postern/c-test");
      expect(isInFlush(leafHash(entry.bytes), promise.position, promise.path, head)).toBe(true);
    }
    expect(await verifyLog(world.gateway, trust, { seen: promises })).toMatchObject({ ok: true, problems: [] });
    const [first = ""] = promises;
    const broken = await verifyLog(world.gateway, trust, { seen: [first.replace(/i=\d+/, "i=255")] });
    expect(broken.problems.map(({ code }) => code)).toEqual(["seen_differs"]);
  });
});

describe("the tree", () => {
  it("has no gap and nothing twice with two sequencers at once and twenty writers", async () => {
    const writers = Array.from({ length: 20 }, () => createTestWriter(world, world.edge));
    const sequencers = [1, 2].map(() => createSequencer({ database: world.keeper, signer: world.logSigner, anchor: world.anchor }));
    const runs = sequencers.map(() => 0);
    let writing = true;
    const numbering = sequencers.map(async (sequencer, which) => {
      while (writing) {
        await sequencer.run("c-test");
        runs[which] = (runs[which] ?? 0) + 1;
      }
    });
    // Which of them numbers how much is chance: the lock goes to whoever comes first. So writing goes on until both had it.
    const receipts = await Promise.all(
      writers.map(async (append) => {
        const ids: string[] = [];
        while (ids.length < 15 || Math.min(...runs) < 2) ids.push((await append(systemEntry)).flush);
        return ids;
      }),
    );
    writing = false;
    await Promise.all(numbering);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
    const rows = await world.owner.query(
      "select index::int, octet_length(leaf_hashes) / 32, flush_id from audit.seq where log = 'c-test' order by index",
    );
    const ends = rows.map(([index, size]) => Number(index) + Number(size));
    expect(rows.map(([index]) => index)).toEqual([0, ...ends.slice(0, -1)]);
    expect(ends.at(-1)).toBe((await entriesOf(world)).length);
    const places = rows.map(([, , id]) => String(id));
    expect(new Set(places).size).toBe(places.length);
    expect(receipts.flat().filter((id) => !places.includes(id))).toEqual([]);
  });
});

describe("an export taken while others number", () => {
  it("stands under a checkpoint of what it holds, each time", async () => {
    const [locator, without] = [await locatorOf("U1"), [] as number[]];
    let isOn = true;
    const whileOn = async (work: () => Promise<unknown>) => {
      while (isOn) await work();
    };
    const sequence = () => world.gateway.keeper.sequence();
    const meanwhile = [
      ...Array.from({ length: 3 }, (_, i) => whileOn(() => readOrSearch(i, locator))),
      whileOn(sequence),
      whileOn(sequence),
    ];
    for (let count = 0; count < (isLong ? 60 : 12); count++) {
      const exported = world.gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" });
      const { body } = await expectStatus(exported, 200);
      const members = body && (await membersOf(body));
      if (!members?.get(member.checkpoint)?.length) without.push(count);
    }
    isOn = false;
    await Promise.all(meanwhile);
    expect(without).toEqual([]);
  });
});

describe("a writer whose entry failed", () => {
  it("is never used again; the next one names it and what was confirmed", async () => {
    const faults: string[] = [];
    const append = createTestWriter(world, world.edge, () => faults.shift());
    const confirmed = [await append(systemEntry), await append(systemEntry), await append(systemEntry)];
    faults.push("refused");
    await expect(append(systemEntry)).rejects.toThrow("may not be durable");
    confirmed.push(await append(systemEntry));
    // Lost twice after the commit: durable, and not confirmed to anybody. And once more with the successor's first entry.
    faults.push("refused");
    await expect(append(systemEntry)).rejects.toThrow("may not be durable");
    faults.push("lost", "lost");
    await expect(append(systemEntry)).rejects.toThrow("may not be durable");
    confirmed.push(await append(systemEntry));

    const entries = new Map((await entriesOf(world)).map(({ id, entry }) => [id, entry.writer]));
    const [a, b, c, second, third] = confirmed.map(({ id }) => entries.get(id));
    expect([a?.n, b?.n, c?.n, second?.n, third?.n]).toEqual([0, 1, 2, 0, 0]);
    expect(second?.after).toEqual({ id: a?.id, n: 2 });
    expect(third?.after).toEqual({ id: second?.id, n: 0 });
    expect(new Set([a?.id, second?.id, third?.id]).size).toBe(3);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true });
  });

  it("is tried once more where the connection was lost, with the same bytes: the entry stands once", async () => {
    for (const fault of ["lost", "never sent"]) {
      const faults = [fault];
      const append = createTestWriter(world, world.edge, () => faults.shift());
      const { id } = await append(systemEntry);
      expect((await entriesOf(world)).filter((entry) => entry.id === id)).toHaveLength(1);
    }
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true });
  });
});

describe("what an entry says", () => {
  it("names nobody in the clear: neither who asked, nor from where, nor whom about", async () => {
    const locator = await locatorOf(customer.id);
    const headers = { "user-agent": "Canary-Agent/canary-x7zq", "postern-ticket": "TICKET-canary-x7zq" };
    await world.gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1", headers });
    await search(world.gateway, { phone: customer.phone });
    await world.gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "stranger-canary-x7zq", headers });
    await world.gateway.call("GET", "/v1/contracts/c-test/audit/entries?actor=demo/agent-1", { as: "officer", headers });
    const texts = [...(await entriesOf(world)), ...(await entriesOf(world, "gateway"))].map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(6);
    const canaries = [
      "agent-1",
      "stranger",
      'officer",',
      "owner-1",
      "127.0.0.1",
      "Canary-Agent",
      "TICKET",
      "canary-x7zq",
      customer.phone,
      "欧阳",
      "nana@",
    ];
    expect(canaries.filter((canary) => texts.some((text) => text.includes(canary)))).toEqual([]);
  });
});

describe("backends killed under load", () => {
  it("cost 503s and nothing else: the process lives, heals within five seconds, and the log is whole", async () => {
    const locator = await locatorOf("U1");
    const before = (await entriesOf(world)).filter(({ entry }) => entry.event === "record.read").length;
    const statuses = new Map<number, number>();
    let running = true;
    const readers = Array.from({ length: 64 }, async () => {
      while (running) {
        const { status } = await world.gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    const sequencing = (async () => {
      while (running) await world.gateway.keeper.sequence().catch(() => undefined);
    })();
    for (let round = 0; round < 20; round++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await world.owner.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename <> 'postgres'",
      );
    }
    const killed = performance.now();
    while ((await readOrSearch(0, locator)).status !== 200) expect(performance.now() - killed).toBeLessThan(5_000);
    running = false;
    await Promise.all([...readers, sequencing]);

    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(world.gateway.faults).toEqual([]);
    const entries = (await entriesOf(world)).filter(({ entry }) => entry.event === "record.read").length - before - 1;
    expect(statuses.get(200)).toBeGreaterThan(64);
    expect(statuses.get(200)).toBeLessThanOrEqual(entries);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });
});

describe("the derived tables", () => {
  it("are rebuilt from the log as they were, and a changed one shows", async () => {
    await readMany(world.gateway, 300);
    const kept = await derivedRows();
    expect(kept.search.length).toBeGreaterThan(300);
    expect(kept.subjects.length).toBeGreaterThan(300);
    const rebuilt = async () => {
      await world.owner.transaction((tx) => rebuildSearch(tx, "c-test"));
      return derivedRows();
    };
    expect(await rebuilt()).toEqual(kept);
    for (const tamper of [
      "update audit.search set actor = 'a_x' where log = 'c-test' and index = 100",
      "update audit.search set effect = 'deny' where log = 'c-test' and index = 100",
      "update audit.search set time = time - interval '1 day' where log = 'c-test' and index = 100",
      "update audit.search set event = 'record.searched' where log = 'c-test' and index = 100",
      "update audit.search set purpose = 'other' where log = 'c-test' and index = 100",
      "update audit.search set fields_id = null where log = 'c-test' and index = 100",
      "update audit.search_fields set fields = '{}' where log = 'c-test'",
      "delete from audit.search_fields where log = 'c-test'",
      "delete from audit.search where log = 'c-test' and index = 100",
      "update audit.search_subject set subject = 's_x' where log = 'c-test' and index = 100",
      "delete from audit.search_subject where log = 'c-test' and index = 100",
    ]) {
      await world.owner.query(tamper);
      expect(await derivedRows()).not.toEqual(kept);
      expect(await rebuilt()).toEqual(kept);
    }
  });
});

async function derivedRows() {
  return {
    search: await world.owner.query("select * from audit.search where log = 'c-test' order by index"),
    fields: await world.owner.query("select * from audit.search_fields where log = 'c-test' order by fields_id"),
    subjects: await world.owner.query("select * from audit.search_subject where log = 'c-test' order by index, subject"),
  };
}
