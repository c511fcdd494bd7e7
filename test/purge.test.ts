/** The end of a contract as its owners, its agents and everybody else live through it. What a killed process leaves is in purge-kill.test.ts. */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { dyingStores, steps } from "../src/purge/plan.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { contractText, expectStatus, search, shippedPolicy } from "./support/agreement.ts";
import {
  approvePurge,
  contentOf,
  createWorld,
  dumpOf,
  entriesOf,
  eventsOf,
  fetchCertificate,
  neighbour,
  orderPurge,
  populate,
  type ShownJob,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";

const purges = "/v1/contracts/c-test/purges";

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code;
}

describe("an owner plans and orders a purge", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await populate(world.gateway);
  });
  afterAll(() => world.close());

  it("counts what would die, and changes nothing", async () => {
    const before = await dumpOf(world.owner, "c-test");
    const answer = await expectStatus(world.gateway.call("POST", purges, { as: "owner-1", body: { dry_run: true } }), 200);
    const plan = (await answer.json()) as { dies: Record<string, number>; cooling_hours: number; backup_horizon_hours: number };
    const there = {
      "postern.record": 20,
      "postern.subject_key": 20,
      "postern.blind_index": 20,
      "postern.contract_key": 3,
      "postern.seat": 2,
    };
    expect(plan.dies).toEqual({ ...Object.fromEntries(dyingStores.map((table) => [table, 0])), ...there });
    expect([plan.cooling_hours, plan.backup_horizon_hours]).toEqual([0, 720]);
    const after = await dumpOf(world.owner, "c-test");
    for (const table of Object.keys(before).filter((name) => name.startsWith("postern."))) expect(after[table]).toEqual(before[table]);
    expect((await eventsOf(world.owner, "c-test")).at(-1)).toBe("purge.planned");
  });

  it("wants the contract's own name typed", async () => {
    for (const confirm of ["", "C-TEST", "c-test ", "yes"]) {
      const answer = await world.gateway.call("POST", purges, { as: "owner-1", body: { confirm } });
      expect(answer.status).toBe(422);
    }
    for (const body of [{}, { confirm: "c-test", dry_run: true }, { dry_run: false }, { confirm: "c-test", contract: "c-other" }]) {
      expect([400, 422]).toContain((await world.gateway.call("POST", purges, { as: "owner-1", body })).status);
    }
    expect((await stateOf(world.owner)).step).toBe("none");
  });

  it("is one job however often and however simultaneously it is asked for", async () => {
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, i) => orderPurge(world.gateway, "c-test", i % 2 ? "owner-1" : "owner-2")),
    );
    expect(new Set(asked.map(({ job }) => job)).size).toBe(1);
    expect(new Set(asked.map(({ approval }) => approval?.id)).size).toBe(1);
    expect(
      await world.owner.query(
        "select count(*)::int, (select count(*)::int from postern.approval where action = 'purge') from postern.purge_job",
      ),
    ).toEqual([[1, 1]]);
  });

  it("stays one request when it is asked for twenty times again after the first was turned down", async () => {
    const { approval } = await orderPurge(world.gateway);
    const [requested] = await world.owner.query("select requested_subject from postern.approval where approval_id = $1", [
      approval?.id ?? "",
    ]);
    const other = requested?.[0] === "owner-1" ? "owner-2" : "owner-1";
    await expectStatus(world.gateway.call("POST", `/v1/approvals/${approval?.id}/reject`, { as: other }), 200);
    const asked = await Promise.all(Array.from({ length: 20 }, () => orderPurge(world.gateway)));
    expect(new Set(asked.map((one) => one.approval?.id)).size).toBe(1);
    expect(asked[0]?.approval?.id).not.toBe(approval?.id);
  });

  it("does not begin before a second owner has agreed", async () => {
    await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "active", log: "open", step: "requested" });
  });

  it("cannot be had for a draft", async () => {
    const files = {
      contract: { name: "contract.yaml", text: contractText({ contract: "c-draft" }) },
      policy: { name: "policy.yaml", text: shippedPolicy("cs-standard") },
    };
    await expectStatus(world.gateway.call("POST", "/v1/contracts", { as: "owner-1", body: files }), 200);
    const answer = await world.gateway.call("POST", "/v1/contracts/c-draft/purges", { as: "owner-1", body: { confirm: "c-draft" } });
    expect([answer.status, await codeOf(answer)]).toEqual([409, "wrong_state"]);
    expect(await world.owner.query("select 1 from postern.purge_job where contract_id = 'c-draft'")).toEqual([]);
  });
});

describe("two persons of the merchant's own order a purge, and nobody else", () => {
  let world: World;
  let job: ShownJob;
  beforeAll(async () => {
    world = await createWorld();
    await populate(world.gateway, { cooling: "24h" });
    job = await orderPurge(world.gateway);
  });
  afterAll(() => world.close());

  it.each([
    ["an owner of another merchant", "owner-b1", 404, "not_found"],
    ["a stranger", "nobody", 404, "not_found"],
    ["an officer", "officer", 403, "not_permitted"],
    ["an agent", "agent-1", 403, "not_permitted"],
  ])("refuses %s at every route", async (_who, as, status, code) => {
    const routes = [
      ["POST", purges, { dry_run: true }],
      ["POST", purges, { confirm: "c-test" }],
      ["GET", `${purges}/${job.job}`, undefined],
      ["POST", `${purges}/${job.job}/approve`, undefined],
      ["GET", `${purges}/${job.job}/certificate`, undefined],
      ["GET", `${purges}/${job.job}/return`, undefined],
      ["GET", `${purges}/${job.job}/return/parts/000001`, undefined],
      ["POST", `${purges}/${job.job}/return/acknowledge`, { digest: "sha256:00" }],
    ] as const;
    for (const [method, path, body] of routes) {
      const answer = await world.gateway.call(method, path, { as, body });
      expect([path, answer.status, await codeOf(answer)]).toEqual([path, status, code]);
    }
    expect(await stateOf(world.owner)).toEqual({ contract: "active", log: "open", step: "requested" });
  });

  it("refuses the one who asked", async () => {
    const answer = await world.gateway.call("POST", `${purges}/${job.job}/approve`, { as: "owner-1" });
    expect([answer.status, await codeOf(answer)]).toEqual([403, "own_request"]);
    const last = (await entriesOf(world.owner, "c-test")).at(-1);
    expect(last).toMatchObject({ event: "request.refused", outcome: { code: "own_request" }, facts: { contract: "c-test" } });
  });

  it("does not know a job of another name", async () => {
    for (const path of [`${purges}/other/approve`, `/v1/contracts/c-other/purges/${job.job}/approve`]) {
      expect((await world.gateway.call("POST", path, { as: "owner-2" })).status).toBe(404);
    }
  });

  it("counts one approval of twenty, and waits out the cooling from that instant", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => world.gateway.call("POST", `${purges}/${job.job}/approve`, { as: "owner-2" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    const [row] = await world.owner.query(
      `select extract(epoch from j.not_before - a.decided_at)::float8, j.step from postern.purge_job j
       join postern.approval a on a.contract_id = j.contract_id and a.action = 'purge'`,
    );
    expect(Math.abs(Number(row?.[0]) - 86_400)).toBeLessThan(5);
    expect(row?.[1]).toBe("approved");
  });

  it("lets the contract work until the cooling is over, and not a tick longer", async () => {
    await world.gateway.keeper.tick();
    await world.owner.query("update postern.purge_job set not_before = now() + interval '1 minute'");
    await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "active", log: "open", step: "approved" });
    expect((await search(world.gateway, { id: "U1" })).records).toHaveLength(1);
    await world.owner.query("update postern.purge_job set not_before = now()");
    await world.gateway.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
  });
});

describe("the purge of a contract in force", () => {
  let world: World;
  let trust: Trust;
  let job: string;
  let before: Record<string, string[]>;
  const during: { status: number; code: string }[] = [];
  let watched: ShownJob;
  let refusedWhileFenced = 0;

  beforeAll(async () => {
    world = await createWorld({
      shares: (made) => ({
        ...made,
        async destroy(contract, epoch) {
          await look();
          await made.destroy(contract, epoch);
        },
      }),
    });
    const { gateway } = world;
    trust = await populate(gateway);
    await populate(gateway, neighbour, 7);
    await gateway.keeper.sequence();
    before = await dumpOf(world.owner, "c-other");
    const locator = (await search(gateway, { id: "U1" })).records[0]?.locator ?? "";
    const { job: id } = await orderPurge(gateway);
    job = id;
    const look = async () => {
      const read = await gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
      during.push({ status: read.status, code: await codeOf(read) });
      const found = await gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
        as: "agent-2",
        body: { by: { id: "U1" } },
      });
      during.push({ status: found.status, code: await codeOf(found) });
      watched = (await (await gateway.call("GET", `${purges}/${job}`, { as: "owner-1" })).json()) as ShownJob;
      const logged = await entriesOf(world.owner, "gateway");
      refusedWhileFenced = logged.filter(({ outcome, facts }) => outcome.code === "contract_purged" && facts?.contract === "c-test").length;
    };
    await approvePurge(gateway, job);
    await gateway.keeper.tick();
  });
  afterAll(() => world.close());

  it("ends it, and refuses its agents from the fence on, in the gateway's log", () => {
    expect(during).toEqual([
      { status: 410, code: "contract_purged" },
      { status: 410, code: "contract_purged" },
    ]);
    expect(refusedWhileFenced).toBe(2);
  });

  it("shows its owner how far it is", async () => {
    expect(watched).toMatchObject({ job, step: "return", progress: { done: steps.indexOf("return"), rows: 66, rows_deleted: 0 } });
    const done = (await (await world.gateway.call("GET", `${purges}/${job}`, { as: "owner-1" })).json()) as ShownJob;
    expect(done).toMatchObject({
      step: "certified",
      progress: { done: steps.length - 1, of: steps.length - 1, rows: 66, rows_deleted: 66 },
    });
  });

  it("leaves no row, no seat and no share", async () => {
    for (const table of dyingStores) expect(await world.owner.query(`select 1 from ${table} where contract_id = 'c-test'`)).toEqual([]);
    expect(await world.owner.query("select share_a from postern.key_epoch where contract_id = 'c-test'")).toEqual([[null]]);
    expect(readdirSync(world.shareDirectory)).toEqual(["c-other.1.share", "c-test.purged"]);
  });

  it("answers its former agents like strangers", async () => {
    const answer = await world.gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
      as: "agent-1",
      body: { by: { id: "U1" } },
    });
    expect([answer.status, await codeOf(answer)]).toEqual([404, "not_found"]);
  });

  it("says each act in the contract's log, before and after it, and nothing after the last", async () => {
    const events = (await eventsOf(world.owner, "c-test")).filter((event) => event.startsWith("purge."));
    const acts = ["fence", "return", "share_b", "share_a", "rows", "derived", "sweep"];
    expect(events).toEqual([
      "purge.requested",
      "purge.approved",
      ...acts.flatMap((act) => [`purge.${act}.intent`, `purge.${act}.done`]),
      "purge.verified",
    ]);
  });

  it("leaves a log that is frozen and verifies offline", async () => {
    expect(await stateOf(world.owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
    const verdict = await verifyLog(world.gateway, trust);
    expect(verdict).toMatchObject({ ok: true, keys: "pinned", problems: [] });
    expect((await eventsOf(world.owner, "c-test")).at(-1)).toBe("purge.verified");
  });

  it("issues a certificate that verifies offline", async () => {
    const jws = await fetchCertificate(world.gateway, job);
    expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, contract: "c-test", job, problems: [] });
    const { scope, statement, basis } = contentOf(jws);
    expect(basis).toBe("owners");
    expect(scope.before).toMatchObject({ "postern.record": 20, "postern.subject_key": 20 });
    expect(new Set(Object.values(scope.after))).toEqual(new Set([0]));
    expect(statement.deleted.en).toContain("20 records of 20 data subjects");
    const issued = (await eventsOf(world.owner, "gateway")).filter((event) => event === "certificate.issued");
    expect(issued).toHaveLength(1);
  });

  it("does not touch another contract's rows or log", async () => {
    expect(await dumpOf(world.owner, "c-other")).toEqual(before);
    expect((await search(world.gateway, { id: "U1" }, { contract: "c-other" })).records).toHaveLength(1);
  });

  it("answers a second order with the job that stands", async () => {
    expect(await orderPurge(world.gateway)).toMatchObject({ job, step: "certified", approval: null });
    await world.gateway.keeper.tick();
    expect((await eventsOf(world.owner, "c-test")).at(-1)).toBe("purge.verified");
  });
});
