/** The end that comes by itself, and what runs against it: the clock, imports, other workers, tables that nobody registered. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { dyingStores, stores, unregistered } from "../src/purge/plan.ts";
import { selectContractTables } from "../src/purge/postgres.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { audience, type Gateway } from "./support/gateway.ts";
import {
  approvePurge,
  contentOf,
  createWorld,
  customers,
  entriesOf,
  eventsOf,
  fetchCertificate,
  openGateway,
  orderPurge,
  populate,
  purge,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";

async function jobOf(world: World, contract = "c-test"): Promise<string> {
  const [row] = await world.owner.query("select job_id from postern.purge_job where contract_id = $1", [contract]);
  return String(row?.[0]);
}

function count(values: readonly string[], value: string): number {
  return values.filter((one) => one === value).length;
}

async function expectOneOfEach(world: World, contract = "c-test"): Promise<void> {
  const events = (await eventsOf(world.owner, contract)).filter((event) => /\.(intent|done)$|^purge\.(verified|due)$/.test(event));
  expect(events).toEqual([...new Set(events)]);
  expect(count(await eventsOf(world.owner, "gateway"), "certificate.issued")).toBe(1);
}

describe("a contract's term is over", () => {
  let world: World;
  let trust: Trust;
  beforeAll(async () => {
    world = await createWorld();
    trust = await populate(world.gateway);
  });
  afterAll(() => world.close());

  it("never purges before the day it is due, and stores the end meanwhile", async () => {
    await world.gateway.keeper.tick();
    expect((await stateOf(world.owner)).contract).toBe("active");
    await world.owner.query("update postern.contract set ends_at = now() - interval '6 days', purge_due_at = now() + interval '1 minute'");
    for (let i = 0; i < 3; i++) await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "ended", log: "open", step: "none" });
    expect(await world.owner.query("select count(*)::int from postern.record")).toEqual([[20]]);
    const read = await world.gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
      as: "agent-1",
      body: { by: { id: "U1" } },
    });
    expect(read.status).toBe(403);
  });

  it("purges by itself once it is due, by the order of those who agreed to the end", async () => {
    await world.owner.query("update postern.contract set purge_due_at = now()");
    await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
    await expectOneOfEach(world);
    const jws = await fetchCertificate(world.gateway, await jobOf(world));
    expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
    expect(contentOf(jws)).toMatchObject({
      basis: "term_ended",
      order: { requested_by: { subject: "owner-1" }, approved_by: { subject: "owner-2" } },
    });
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });
});

describe("a contract whose share is lost already", () => {
  let world: World;
  afterAll(() => world.close());

  it("comes to its end all the same", async () => {
    world = await createWorld();
    const trust = await populate(world.gateway);
    await world.owner.query("update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now()");
    rmSync(join(world.shareDirectory, "c-test.1.share"));
    const restarted = await openGateway(world);
    await restarted.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
    expect(await verifyLog(restarted, trust)).toMatchObject({ ok: true, problems: [] });
    await restarted.close();
  });
});

describe("owners asked for an early purge and the term's end overtakes them", () => {
  let world: World;
  afterAll(() => world.close());

  it("runs the one job that stands, once", async () => {
    world = await createWorld();
    const trust = await populate(world.gateway);
    const { job } = await orderPurge(world.gateway);
    await world.owner.query("update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now()");
    await world.gateway.keeper.tick();
    expect(await jobOf(world)).toBe(job);
    await expectOneOfEach(world);
    const jws = await fetchCertificate(world.gateway, job);
    expect(contentOf(jws).basis).toBe("term_ended");
    expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
    expect((await world.gateway.call("POST", `/v1/contracts/c-test/purges/${job}/approve`, { as: "owner-2" })).status).toBe(409);
  });
});

describe("an import runs against the fence", () => {
  let world: World;
  afterEach(() => world.close());

  it("writes nothing after it, and ends with a refusal", async () => {
    world = await createWorld();
    const { gateway } = world;
    const trust = await populate(gateway, {}, 0);
    const lines = customers(1_200).map((customer) => `${JSON.stringify(customer)}\n`);
    const feed = openFeed();
    const answer = postStream(gateway, feed.stream);
    feed.push(lines.slice(0, 600).join(""));
    await until(async () => (await world.owner.query("select count(*)::int from postern.record"))[0]?.[0] === 500);
    await purge(gateway);
    feed.push(lines.slice(600).join(""));
    feed.end();
    expect((await answer).status).toBe(409);
    for (const table of dyingStores) expect(await world.owner.query(`select 1 from ${table}`)).toEqual([]);
    expect(contentOf(await fetchCertificate(gateway, await jobOf(world))).scope.before["postern.record"]).toBe(500);
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
    expect(await world.owner.query("select 1 from audit.pending where log = 'c-test'")).toEqual([]);
  });

  it("writes no seat after it either, though it came in before", async () => {
    let overtake: (() => Promise<void>) | null = null;
    world = await createWorld({
      keeper: {
        audit: (made) => ({
          async append(log, draft) {
            const receipt = await made.append(log, draft);
            const purgeNow = draft.event === "seats.imported" ? overtake : null;
            overtake = null;
            await purgeNow?.();
            return receipt;
          },
        }),
      },
    });
    const { gateway } = world;
    await populate(gateway, {}, 5);
    await approvePurge(gateway, (await orderPurge(gateway)).job);
    overtake = () => gateway.keeper.tick();
    const csv = { as: "owner-1", body: "issuer,subject,role,name\ndemo,late,first_line,林小满\n", headers: { "content-type": "text/csv" } };
    expect((await gateway.call("POST", "/v1/contracts/c-test/agents", csv)).status).toBe(409);
    expect((await stateOf(world.owner)).step).toBe("certified");
    expect(await world.owner.query("select 1 from postern.seat where contract_id = 'c-test'")).toEqual([]);
    const said = (await entriesOf(world.owner, "gateway")).filter(({ event }) => event === "seats.imported");
    expect(said.at(-1)).toMatchObject({ outcome: { effect: "deny", code: "wrong_state" }, facts: { contract: "c-test" } });
  });
});

describe("several keepers find the same purge", () => {
  const rounds = process.env.POSTERN_TEST_LONG ? 20 : 3;
  /** What began in one process before the fence has ended before another destroys anything. */
  const together = { keeper: { fenceWaitMs: 300 } };

  it.each(["approved", "due"])("runs it once between them when it is %s", { timeout: 120_000 }, async (how) => {
    for (let round = 0; round < rounds; round++) {
      const world = await createWorld(together);
      const others = [await openGateway(world, together), await openGateway(world, together)];
      try {
        const trust = await populate(world.gateway);
        if (how === "approved") await approvePurge(world.gateway, (await orderPurge(world.gateway)).job);
        else await world.owner.query("update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now()");
        const keepers = [world.gateway, ...others].map(({ keeper }) => keeper);
        await until(async () => {
          await Promise.all(keepers.flatMap((keeper) => [keeper.tick(), keeper.sequence()]));
          return (await stateOf(world.owner)).step === "certified";
        });
        expect(await stateOf(world.owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
        await expectOneOfEach(world);
        expect(await world.owner.query("select count(*)::int from postern.certificate")).toEqual([[1]]);
        const jws = await fetchCertificate(world.gateway, await jobOf(world));
        expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
        expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
      } finally {
        await Promise.all(others.map((other) => other.close()));
        await world.close();
      }
    }
  });
});

describe("the registry of what dies and what stays", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  it("knows every table of the migrated catalogue that has a contract's or a log's rows, and no other", async () => {
    const tables = await selectContractTables(world.owner);
    expect(tables.filter((table) => !table.startsWith("public."))).toEqual(Object.keys(stores).sort());
    expect(unregistered([...tables, "postern.new_feature"])).toEqual(["postern.new_feature"]);
  });

  it("withholds the certificate while a table stands that it does not know, and does not hold up other contracts", async () => {
    const { gateway, owner } = world;
    await populate(gateway);
    await populate(gateway, { contract: "c-zebra" });
    await owner.query("create table public.side_copy (contract_id text, phone text)");
    for (const contract of ["c-test", "c-zebra"]) await approvePurge(gateway, (await orderPurge(gateway, contract)).job, contract);
    const fault = await gateway.keeper.tick().catch((thrown: unknown) => thrown);
    const reasons = fault instanceof AggregateError ? fault.errors.map(String) : [];
    expect(reasons).toEqual([expect.stringContaining("public.side_copy"), expect.stringContaining("public.side_copy")]);
    for (const contract of ["c-test", "c-zebra"]) {
      expect(await stateOf(owner, contract)).toEqual({ contract: "purging", log: "open", step: "derived" });
      expect(await eventsOf(owner, contract)).not.toContain("purge.sweep.done");
    }
    expect(await owner.query("select 1 from postern.certificate")).toEqual([]);
    await owner.query("drop table public.side_copy");
    await until(async () => {
      await gateway.keeper.tick();
      return (await stateOf(owner, "c-zebra")).step === "certified";
    });
    expect((await stateOf(owner)).step).toBe("certified");
  });
});

function openFeed(): { readonly stream: ReadableStream<Uint8Array>; push(text: string): void; end(): void } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  return {
    stream: readable,
    push: (text) => void writer.write(Buffer.from(text)).catch(() => {}),
    end: () => void writer.close().catch(() => {}),
  };
}

async function postStream(gateway: Gateway, body: ReadableStream<Uint8Array>): Promise<Response> {
  const headers = { authorization: `Bearer ${await gateway.token("owner-1")}`, "content-type": "application/x-ndjson" };
  const streamed = { method: "POST", headers, body, duplex: "half" };
  return gateway.app.request(new Request(`${audience}/v1/contracts/c-test/records/customer/import`, streamed));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came to that");
}
