/** Legal holds: while one stands nothing of what it names is deleted, whoever asks, and it takes two to lift one. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { anyHoldStands, holdsOnSubject, standingHolds } from "../src/contracts/index.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { because, expectStatus, search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import {
  approvePurge,
  createWorld,
  entriesOf,
  eventsOf,
  fetchCertificate,
  orderPurge,
  populate,
  purge,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";

const path = "/v1/contracts/c-test/holds";
const litigation = {
  scope: "contract",
  basis: "litigation",
  note: "case 12",
  authority: "杭州互联网法院",
  expires_at: null as string | null,
} as const;

interface ShownHold {
  readonly hold: string;
  readonly scope: unknown;
  readonly standing: boolean;
  readonly found: boolean;
}

async function place(gateway: Gateway, change: Readonly<Record<string, unknown>> = {}, as = "owner-1"): Promise<ShownHold> {
  const answer = await expectStatus(gateway.call("POST", path, { as, body: { ...litigation, ...change } }), 201);
  return (await answer.json()) as ShownHold;
}

async function release(gateway: Gateway, hold: string): Promise<void> {
  const asked = await expectStatus(gateway.call("POST", `${path}/${hold}/release`, { as: "owner-1" }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
}

interface Problem {
  readonly code: string;
  readonly errors?: readonly { pointer: string; code: string }[];
}

async function problemOf(asked: Promise<Response>): Promise<[number, string, Problem["errors"]]> {
  const answer = await asked;
  const { code, errors } = (await answer.json()) as Problem;
  return [answer.status, code, errors];
}

const order = (gateway: Gateway) =>
  gateway.call("POST", "/v1/contracts/c-test/purges", { as: "owner-1", body: { confirm: "c-test" }, ...because });
const standingOf = async (gateway: Gateway) =>
  ((await (await gateway.call("GET", "/v1/contracts/c-test", { as: "owner-1" })).json()) as { standing: string }).standing;

describe("an owner places a legal hold", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await populate(world.gateway);
  });
  afterAll(() => world.close());

  it("on one data subject, whom neither the table nor the log names by the merchant's id", async () => {
    const { gateway, owner } = world;
    expect(await anyHoldStands(owner)).toBe(false);
    const { hold, scope, found } = await place(gateway, { scope: { subject: { type: "customer", id: "U7" } } });
    const locator = (await search(gateway, { id: "U7" })).records[0]?.locator;
    expect([scope, found]).toEqual([{ subject: { type: "customer", locator } }, true]);
    const entry = (await entriesOf(owner, "c-test")).findLast(({ event }) => event === "hold.placed");
    expect(entry).toMatchObject({
      outcome: { effect: "allow", code: "placed" },
      facts: { hold, scope: "subject", basis: "litigation" },
      resource: { type: "customer", records: [{ locator, subject: expect.stringMatching(/^s_/) }] },
    });
    // Not as a part of base64, where two letters come up by chance.
    expect(JSON.stringify(entry)).not.toMatch(/(?<![\w+/-])U7(?![\w+/=-])|case 12|法院/);
    const rows = await owner.query("select h::text from postern.hold h");
    expect(rows.map(String).join()).not.toMatch(/\bU7\b/);
    expect(await anyHoldStands(owner)).toBe(true);
  });

  it("and is told when nothing of that person is stored", async () => {
    expect((await place(world.gateway, { scope: { subject: { type: "customer", id: "u7" } } })).found).toBe(false);
  });

  it("on a field, and on all; what keeps one subject is its own holds and those of every field", async () => {
    const { gateway, owner } = world;
    await place(gateway, { scope: { field: { type: "customer", path: "phone" } } });
    await place(gateway, {});
    const holds = await standingHolds(owner, "c-test" as ContractId);
    expect(holds.map(({ scope }) => scope.kind)).toEqual(["subject", "subject", "field", "contract"]);
    const [named] = holds.flatMap(({ scope }) => (scope.kind === "subject" ? [scope.subject] : []));
    expect(holdsOnSubject(holds, named ?? "").map(({ scope }) => scope.kind)).toEqual(["subject", "field", "contract"]);
    expect(holdsOnSubject(holds, "r_other").map(({ scope }) => scope.kind)).toEqual(["field", "contract"]);
  });

  it.each([
    ["an end that is not said", { expires_at: undefined }],
    ["an end in 1970", { expires_at: "1970-01-01T00:00:00Z" }],
    ["an end that has passed", { expires_at: "2026-01-01T00:00:00+08:00" }],
    ["the year 275760", { expires_at: "+275760-09-13T00:00:00Z" }],
    ["the year 9999", { expires_at: "9999-01-01T00:00:00Z" }],
    ["a day that does not exist", { expires_at: "2027-02-30T00:00:00Z" }],
    ["an end without a zone", { expires_at: "2027-06-30T00:00:00" }],
    ["a date alone", { expires_at: "2027-06-30" }],
    ["seconds", { expires_at: 1_814_400_000 }],
    ["milliseconds", { expires_at: 1_814_400_000_000 }],
    ["a type that the policy does not have", { scope: { field: { type: "crm", path: "phone" } } }],
    ["a field that the policy does not have", { scope: { field: { type: "customer", path: "phones" } } }],
    ["a field of everybody's", { scope: { field: { type: "customer", path: "constructor" } } }],
    ["a record that is nobody", { scope: { subject: { type: "order", id: "#W1" } } }],
    ["a subject and a field at once", { scope: { subject: { type: "customer", id: "U1" }, field: { type: "customer", path: "phone" } } }],
    ["a basis of one's own", { basis: "because" }],
    ["no authority", { authority: "" }],
    ["a note that moves a cursor", { note: "case\u001b[2J" }],
    ["a note without end", { note: "x".repeat(501) }],
  ])("and is refused %s", async (_what, change) => {
    const before = await world.owner.query("select count(*)::int from postern.hold");
    expect((await problemOf(world.gateway.call("POST", path, { as: "owner-1", body: { ...litigation, ...change } }))).slice(0, 2)).toEqual([
      422,
      "unacceptable",
    ]);
    expect(await world.owner.query("select count(*)::int from postern.hold")).toEqual(before);
  });

  it.each([
    ["owner-b1", 404, "not_found"],
    ["nobody", 404, "not_found"],
    ["officer", 403, "not_permitted"],
    ["agent-1", 403, "not_permitted"],
  ])("and nobody else does: %s", async (as, status, code) => {
    const [hold] = await world.owner.query("select hold_id from postern.hold limit 1");
    for (const [method, at, body] of [
      ["GET", path, undefined],
      ["POST", path, litigation],
      ["POST", `${path}/${hold?.[0]}/release`, undefined],
    ] as const) {
      expect((await problemOf(world.gateway.call(method, at, { as, body }))).slice(0, 2)).toEqual([status, code]);
    }
  });
});

describe("while a hold stands", () => {
  let world: World;
  afterEach(() => world.close());

  it("no purge is asked for, though a plan may be made; it takes two to release, once", async () => {
    world = await createWorld();
    const { gateway, owner } = world;
    const trust = await populate(gateway);
    const { hold } = await place(gateway, { scope: { subject: { type: "customer", id: "U7" } } });
    expect(await problemOf(order(gateway))).toEqual([409, "held", [{ pointer: `/holds/${hold}`, code: "subject" }]]);
    expect((await entriesOf(owner, "c-test")).at(-1)).toMatchObject({
      event: "purge.requested",
      outcome: { effect: "deny", code: "held" },
    });
    await expectStatus(gateway.call("POST", "/v1/contracts/c-test/purges", { as: "owner-1", body: { dry_run: true } }), 200);

    const asked = await Promise.all(
      Array.from({ length: 20 }, () => expectStatus(gateway.call("POST", `${path}/${hold}/release`, { as: "owner-1" }), 202)),
    );
    const ids = await Promise.all(asked.map(async (answer) => ((await answer.json()) as { approval: { id: string } }).approval.id));
    expect(new Set(ids).size).toBe(1);
    const approve = (as: string) => gateway.call("POST", `/v1/approvals/${ids[0]}/approve`, { as });
    expect((await problemOf(approve("owner-1"))).slice(0, 2)).toEqual([403, "own_request"]);
    expect((await problemOf(order(gateway)))[1]).toBe("held");
    await expectStatus(approve("owner-2"), 200);
    expect((await problemOf(approve("owner-2"))).slice(0, 2)).toEqual([409, "approval_closed"]);
    expect((await problemOf(gateway.call("POST", `${path}/${hold}/release`, { as: "owner-1" }))).slice(0, 2)).toEqual([409, "wrong_state"]);
    expect((await problemOf(gateway.call("POST", `${path}/other/release`, { as: "owner-1" }))).slice(0, 2)).toEqual([404, "not_found"]);
    expect((await entriesOf(owner, "c-test")).filter(({ event }) => event === "hold.released")).toMatchObject([{ facts: { hold } }]);

    const job = await purge(gateway);
    expect(await stateOf(owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
    expect(await owner.query("select 1 from postern.hold")).toEqual([]);
    expect(await fetchCertificate(gateway, job)).not.toBe("");
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("no purge that was asked for is approved, and none that was approved begins", async () => {
    world = await createWorld();
    const { gateway, owner } = world;
    await populate(gateway);
    const { job } = await orderPurge(gateway);
    const first = await place(gateway);
    const approve = gateway.call("POST", `/v1/contracts/c-test/purges/${job}/approve`, { as: "owner-2" });
    expect(await problemOf(approve)).toEqual([409, "held", [{ pointer: `/holds/${first.hold}`, code: "contract" }]]);
    await release(gateway, first.hold);
    await approvePurge(gateway, job);
    const second = await place(gateway);
    await gateway.keeper.tick();
    expect(await stateOf(owner)).toEqual({ contract: "active", log: "open", step: "approved" });
    await release(gateway, second.hold);
    await gateway.keeper.tick();
    expect((await stateOf(owner)).step).toBe("certified");
  });

  it("a contract whose term is over is stored and no more; the clock's purge waits, and goes on by itself when the hold expires", async () => {
    world = await createWorld();
    const { gateway, owner } = world;
    await populate(gateway);
    const { hold } = await place(gateway, { expires_at: "2090-01-01T00:00:00Z" });
    await owner.query("update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now() - interval '1 day'");
    for (let i = 0; i < 3; i++) await gateway.keeper.tick();
    expect(await stateOf(owner)).toEqual({ contract: "ended", log: "open", step: "none" });
    expect(await standingOf(gateway)).toBe("held");
    const read = gateway.call("POST", "/v1/contracts/c-test/records/customer/search", { as: "agent-1", body: { by: { id: "U1" } } });
    expect((await problemOf(read)).slice(0, 2)).toEqual([403, "contract_ended"]);
    expect(await owner.query("select count(*)::int from postern.record")).toEqual([[20]]);
    await owner.query("update postern.hold set expires_at = now() where hold_id = $1", [hold]);
    expect(await standingOf(gateway)).toBe("ended");
    await gateway.keeper.tick();
    expect(await stateOf(owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
  });
});

describe("a hold meets a purge under way", () => {
  let world: World;
  afterEach(() => world.close());

  it("stops it behind its fence, with every key still there", async () => {
    world = await createWorld({ keeper: { fenceWaitMs: 300 } });
    const { gateway, owner } = world;
    await populate(gateway);
    await approvePurge(gateway, (await orderPurge(gateway)).job);
    await gateway.keeper.tick();
    expect(await stateOf(owner)).toEqual({ contract: "purging", log: "open", step: "approved" });
    const { hold } = await place(gateway);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await gateway.keeper.tick();
    expect(await owner.query("select count(*)::int from postern.key_epoch where share_a is not null")).toEqual([[1]]);
    expect(await eventsOf(owner, "c-test")).not.toContain("purge.share_b.intent");
    await release(gateway, hold);
    await gateway.keeper.tick();
    expect((await stateOf(owner)).step).toBe("certified");
  });

  it("stops it in the very moment in which it would go on", async () => {
    let placed: ShownHold | null = null;
    world = await createWorld({
      keeper: {
        audit: (made) => ({
          async append(log, draft) {
            const receipt = await made.append(log, draft);
            if (draft.event === "purge.return.done") placed = await place(world.gateway);
            return receipt;
          },
        }),
      },
    });
    await populate(world.gateway);
    await purge(world.gateway);
    expect(placed).not.toBeNull();
    expect(await stateOf(world.owner)).toEqual({ contract: "purging", log: "open", step: "return" });
    expect(await world.owner.query("select count(*)::int from postern.key_epoch where share_a is not null")).toEqual([[1]]);
  });

  it("comes too late once a share is to be destroyed, and the log says so", async () => {
    let late: Promise<Response> | null = null;
    world = await createWorld({
      shares: (made) => ({
        ...made,
        async destroy(contract, epoch) {
          late ??= world.gateway.call("POST", path, { as: "owner-1", body: litigation });
          await late;
          await made.destroy(contract, epoch);
        },
      }),
    });
    const { gateway, owner } = world;
    const trust = await populate(gateway);
    await approvePurge(gateway, (await orderPurge(gateway)).job);
    await gateway.keeper.tick();
    expect(await problemOf(late ?? Promise.reject(new Error("nobody asked")))).toEqual([
      409,
      "wrong_state",
      [{ pointer: "contract", code: "keys_destroyed" }],
    ]);
    expect((await stateOf(owner)).step).toBe("certified");
    expect((await entriesOf(owner, "gateway")).filter(({ event }) => event === "hold.placed")).toMatchObject([
      { outcome: { effect: "deny", code: "wrong_state" }, facts: { contract: "c-test" } },
    ]);
    expect((await problemOf(gateway.call("POST", path, { as: "owner-1", body: litigation }))).slice(0, 2)).toEqual([409, "wrong_state"]);
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });
});
