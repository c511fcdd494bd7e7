/** The rungs of a contract: what each party meets as the end comes near, and who may move it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { isInLastDays, lastDaysAt, standingAt, windsDownAt } from "../src/contracts/index.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { expectStatus, search, shippedPolicy } from "./support/agreement.ts";
import type { CallOptions } from "./support/gateway.ts";
import { agree, approve, ask, codeOf, day, endIn, find, path, show, statement, vendor } from "./support/ladder.ts";
import {
  contentOf,
  createWorld,
  customers,
  entriesOf,
  eventsOf,
  fetchCertificate,
  openGateway,
  populate,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";

describe("the ladder", () => {
  const startsAt = Date.UTC(2026, 0, 1);
  const endsAt = Date.UTC(2027, 0, 1);
  const term = { state: "active", startsAt, endsAt, suspended: false } as const;

  it("is read off the dates, to the millisecond", () => {
    expect(standingAt(term, startsAt - 1)).toBe("not_started");
    expect(standingAt(term, startsAt)).toBe("active");
    expect(windsDownAt(term)).toBe(endsAt - 30 * day);
    expect([standingAt(term, endsAt - 30 * day - 1), standingAt(term, endsAt - 30 * day)]).toEqual(["active", "winding_down"]);
    expect([isInLastDays(term, endsAt - 7 * day - 1), isInLastDays(term, endsAt - 7 * day)]).toEqual([false, true]);
    expect([standingAt(term, endsAt - 1), standingAt(term, endsAt)]).toEqual(["winding_down", "ended"]);
    expect(standingAt({ ...term, held: true }, endsAt)).toBe("held");
    expect(standingAt({ ...term, held: true }, endsAt - 40 * day)).toBe("active");
    expect(standingAt({ ...term, suspended: true }, endsAt - 1)).toBe("suspended");
    expect(standingAt({ ...term, suspended: true }, endsAt)).toBe("ended");
  });

  it("leaves a short term a beginning", () => {
    const week = { startsAt, endsAt: startsAt + 7 * day };
    expect(windsDownAt(week)).toBe(startsAt + 3.5 * day);
    expect(lastDaysAt(week)).toBe(startsAt + 5.25 * day);
  });
});

describe("a contract's end comes near", () => {
  let world: World;
  const policy = shippedPolicy("cs-standard").replace("      phone: mask", "      phone: reveal");
  beforeAll(async () => {
    world = await createWorld();
    await populate(world.gateway, { policy, ceiling: "{ plain: reveal, person_name: mask, phone: reveal, free_text: withhold }" });
  });
  afterAll(() => world.close());

  it("is announced once, 30 days before, to owners and agents", async () => {
    const { gateway, owner } = world;
    await endIn(world, 31 * 24);
    await gateway.keeper.tick();
    expect((await show(gateway)).standing).toBe("active");
    await endIn(world, 29 * 24);
    for (let i = 0; i < 3; i++) await gateway.keeper.tick();
    expect((await eventsOf(owner, "c-test")).filter((event) => event === "contract.winding_down")).toHaveLength(1);
    const shown = await show(gateway);
    expect(shown.standing).toBe("winding_down");
    const me = await (await expectStatus(gateway.call("GET", "/v1/me", { as: "agent-1" }), 200)).json();
    expect(me).toMatchObject({ contracts: [{ contract: "c-test", standing: "winding_down", ends_at: shown.ends_at }] });
    expect((await search(gateway, { id: "U1" })).records[0]?.fields.phone).toBe("13810000001");
  });

  it("takes no more records and no more agents in its last seven days, and shows nothing in the clear", async () => {
    const { gateway, owner } = world;
    await endIn(world, 6 * 24);
    const lines = customers(1).map((line) => `${JSON.stringify(line)}\n`);
    const imports: [string, string, CallOptions["body"]][] = [
      ["records/customer/import", "application/x-ndjson", lines.join("")],
      ["agents", "text/csv", "issuer,subject,role,name\ndemo,late,first_line,林小满\n"],
    ];
    for (const [at, media, body] of imports) {
      const headers = { "content-type": media };
      expect(await codeOf(gateway.call("POST", `${path}/${at}`, { as: "owner-1", body, headers }))).toEqual([409, "winding_down"]);
    }
    const [record] = (await search(gateway, { id: "U1" })).records;
    expect(record?.fields.phone).toBe("138****0001");
    expect(record?.masking.find(({ path }) => path === "phone")).toMatchObject({
      treatment: "mask",
      why: expect.stringMatching(/last days/),
    });
    const [entry] = (await entriesOf(owner, "c-test")).filter(({ event }) => event === "record.searched").slice(-1);
    expect(entry).toMatchObject({ facts: { last_days: 1 }, resource: { fields: { phone: "mask" } } });
  });

  it("and is over at its first instant, whatever runs", async () => {
    await endIn(world, 0);
    expect(await codeOf(find(world.gateway))).toEqual([403, "contract_ended"]);
    expect((await show(world.gateway)).standing).toBe("ended");
    expect(await codeOf(world.gateway.call("POST", `${path}/suspend`, { as: "owner-1", body: { reason: "other" } }))).toEqual([
      409,
      "wrong_state",
    ]);
    expect(await codeOf(world.gateway.call("POST", `${path}/amend`, { as: "owner-1", body: { end: "2100-01-01", vendor } }))).toEqual([
      409,
      "wrong_state",
    ]);
  });
});

describe("owners move the end", () => {
  let world: World;
  let trust: Trust;
  beforeEach(async () => {
    world = await createWorld();
    trust = await populate(world.gateway);
  });
  afterEach(() => world.close());

  it("later or earlier with the vendor's signed word, by two, in the contract's zone; the announcement comes again", async () => {
    const { gateway, owner } = world;
    await endIn(world, 10 * 24);
    await gateway.keeper.tick();
    const digest = ((await (await gateway.call("GET", path, { as: "owner-1" })).json()) as { digest: string }).digest;
    const id = await ask(gateway, "amend", { end: "2098-02-01", purge_after: "14d", vendor });
    expect(await codeOf(approve(gateway, id, "owner-1"))).toEqual([403, "own_request"]);
    expect(Date.parse((await show(gateway)).ends_at)).toBeLessThan(Date.now() + 11 * day);
    await expectStatus(approve(gateway, id), 200);
    const shown = await show(gateway);
    expect(shown).toMatchObject({ standing: "active", ends_at: "2098-01-31T16:00:00.000Z", purge_due_at: "2098-02-14T16:00:00.000Z" });
    expect(((await (await gateway.call("GET", path, { as: "owner-1" })).json()) as { digest: string }).digest).not.toBe(digest);
    const entries = await entriesOf(owner, "c-test");
    for (const event of ["contract.amendment_requested", "contract.amended"]) {
      const facts = entries.find((entry) => entry.event === event)?.facts;
      expect(facts).toMatchObject({ contract: "c-test", before: digest, ends_at: shown.ends_at, vendor_statement: statement });
      expect(JSON.stringify(facts)).not.toContain("补充协议");
    }
    expect(await codeOf(find(gateway))).toEqual([200, undefined]);
    await endIn(world, 10 * 24);
    await gateway.keeper.tick();
    expect((await eventsOf(owner, "c-test")).filter((event) => event === "contract.winding_down")).toHaveLength(2);
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("never without the vendor's word, and not by what was agreed about something else", async () => {
    const { gateway } = world;
    expect(await codeOf(gateway.call("POST", `${path}/amend`, { as: "owner-1", body: { end: "2098-02-01" } }))).toEqual([
      422,
      "unacceptable",
    ]);
    const first = await ask(gateway, "amend", { end: "2098-02-01", vendor });
    const second = await ask(gateway, "amend", { end: "2098-03-01", vendor });
    await expectStatus(approve(gateway, first), 200);
    expect(await codeOf(approve(gateway, second))).toEqual([409, "wrong_state"]);
    expect((await show(gateway)).ends_at).toBe("2098-01-31T16:00:00.000Z");
  });

  it.each([
    ["null", null],
    ["no date", ""],
    ["a day that has passed", "2026-02-28"],
    ["1970", "1970-01-01"],
    ["the year 275760", "275760-09-13"],
    ["the year 2200", "2200-01-01"],
    ["30 February", "2098-02-30"],
    ["an instant without a zone", "2098-02-01T00:00:00"],
    ["an instant", "2098-02-01T00:00:00Z"],
    ["seconds", 4_042_569_600],
    ["milliseconds", 4_042_569_600_000],
    ["seconds as text", "4042569600"],
    ["another writing", "2098/02/01"],
  ])("and never to %s", async (_what, end) => {
    const { gateway, owner } = world;
    const before = await show(gateway);
    const attempts: [string, unknown][] = [
      ["amend", { end, vendor }],
      ["terminate", { at: end, reason: "mutual", confirm: "c-test" }],
    ];
    for (const [act, body] of attempts)
      expect(await codeOf(gateway.call("POST", `${path}/${act}`, { as: "owner-1", body }))).toEqual([422, "unacceptable"]);
    expect(await show(gateway)).toEqual(before);
    expect(await owner.query("select 1 from postern.proposal")).toEqual([]);
  });

  it.each([
    ["less than a day of grace", { purge_after: "23h" }],
    ["no grace", { purge_after: "0d" }],
    ["a negative one", { purge_after: "-7d" }],
    ["nothing at all", {}],
    ["what holds already", { end: "2099-01-01" }],
  ])("nor %s", async (_what, change) => {
    const body = { ...change, vendor };
    expect(await codeOf(world.gateway.call("POST", `${path}/amend`, { as: "owner-1", body }))).toEqual([422, "unacceptable"]);
  });

  it("ends it early at once: typed, by two; the grace before the purge stays, and the certificate names who agreed", async () => {
    const { gateway, owner } = world;
    const wrong = { at: "now", reason: "breach", confirm: "c-other" };
    expect(await codeOf(gateway.call("POST", `${path}/terminate`, { as: "owner-1", body: wrong }))).toEqual([422, "unacceptable"]);
    const id = await ask(gateway, "terminate", { ...wrong, confirm: "c-test" });
    expect(await codeOf(find(gateway))).toEqual([200, undefined]);
    await expectStatus(approve(gateway, id), 200);
    expect(await codeOf(find(gateway))).toEqual([403, "contract_ended"]);
    const { ends_at, purge_due_at } = await show(gateway);
    expect(Date.parse(purge_due_at) - Date.parse(ends_at)).toBe(7 * day);
    for (let i = 0; i < 3; i++) await gateway.keeper.tick();
    expect(await stateOf(owner)).toEqual({ contract: "ended", log: "open", step: "none" });
    await owner.query("update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now()");
    await gateway.keeper.tick();
    expect((await stateOf(owner)).step).toBe("certified");
    const [job] = await owner.query("select job_id from postern.purge_job");
    const jws = await fetchCertificate(gateway, String(job?.[0]));
    expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
    const [decided] = await owner.query("select digest from postern.approval where action = 'terminate'");
    expect(contentOf(jws)).toMatchObject({ basis: "term_ended", order: { digest: decided?.[0], approved_by: { subject: "owner-2" } } });
  });

  it("ends it early on a day, which is never a later one", async () => {
    const { gateway } = world;
    const body = { at: "2098-12-01", reason: "mutual", confirm: "c-test" };
    await agree(gateway, "terminate", body);
    expect(await show(gateway)).toMatchObject({ standing: "active", ends_at: "2098-11-30T16:00:00.000Z" });
    const later = { ...body, at: "2098-12-02" };
    expect(await codeOf(gateway.call("POST", `${path}/terminate`, { as: "owner-1", body: later }))).toEqual([422, "unacceptable"]);
  });

  it("and nobody else does", async () => {
    const { gateway } = world;
    const acts: [string, unknown][] = [
      ["amend", { end: "2098-02-01", vendor }],
      ["terminate", { at: "now", reason: "breach", confirm: "c-test" }],
      ["suspend", { reason: "incident" }],
      ["resume", undefined],
    ];
    for (const [as, status, code] of [
      ["owner-b1", 404, "not_found"],
      ["nobody", 404, "not_found"],
      ["officer", 403, "not_permitted"],
      ["agent-1", 403, "not_permitted"],
    ] as const) {
      for (const [act, body] of acts) {
        const options = { as, ...(body !== undefined && { body }) };
        expect([act, ...(await codeOf(gateway.call("POST", `${path}/${act}`, options)))]).toEqual([act, status, code]);
      }
    }
  });
});

describe("an owner suspends a contract", () => {
  let world: World;
  afterEach(() => world.close());

  it("alone and at once, in every process; it takes two to resume", async () => {
    world = await createWorld();
    await populate(world.gateway);
    const other = await openGateway(world);
    for (const gateway of [world.gateway, other]) expect(await codeOf(find(gateway))).toEqual([200, undefined]);
    await expectStatus(world.gateway.call("POST", `${path}/suspend`, { as: "owner-1", body: { reason: "incident" } }), 200);
    for (const gateway of [world.gateway, other]) expect(await codeOf(find(gateway))).toEqual([403, "contract_suspended"]);
    expect((await show(other)).standing).toBe("suspended");
    expect(await codeOf(other.call("POST", `${path}/suspend`, { as: "owner-2", body: { reason: "audit" } }))).toEqual([409, "wrong_state"]);
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask(world.gateway, "resume")));
    expect(new Set(asked).size).toBe(1);
    const id = asked[0] ?? "";
    expect(await codeOf(approve(world.gateway, id, "owner-1"))).toEqual([403, "own_request"]);
    await expectStatus(approve(world.gateway, id), 200);
    for (const gateway of [world.gateway, other]) expect(await codeOf(find(gateway))).toEqual([200, undefined]);
    expect(await codeOf(world.gateway.call("POST", `${path}/resume`, { as: "owner-1" }))).toEqual([409, "wrong_state"]);
    expect(await eventsOf(world.owner, "c-test")).toEqual(
      expect.arrayContaining(["contract.suspended", "contract.resumption_requested", "contract.resumed"]),
    );
    await other.close();
  });

  it("and a request to resume an earlier suspension does not lift a later one", async () => {
    world = await createWorld();
    const { gateway } = world;
    await populate(gateway);
    const suspend = () => expectStatus(gateway.call("POST", `${path}/suspend`, { as: "owner-1", body: { reason: "incident" } }), 200);
    await suspend();
    const earlier = await ask(gateway, "resume");
    await world.owner.query("update postern.contract set suspended_at = null");
    await suspend();
    expect(await codeOf(approve(gateway, earlier))).toEqual([409, "wrong_state"]);
    expect((await show(gateway)).standing).toBe("suspended");
  });
});
