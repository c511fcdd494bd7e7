/** A purpose behind glass: two owners open it, for one seat, one person's records and some minutes; the log has all of it, and somebody else looks afterwards. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyFiles, because, contractText, expectStatus, importLines, problemOf } from "./support/agreement.ts";
import { createWorld, entriesOf, populate, verifyLog, type World } from "./support/purge-world.ts";

const policy = `resources:
  customer:
    subject: id
    fields: { name: { class: person_name }, phone: { class: phone, search: true } }
  order:
    subject: { customer: user_id }
    fields: { receiver_phone: { class: phone }, status: { class: plain } }
roles:
  first_line:
    customer: { name: mask, phone: { reveal: { purposes: [emergency] }, else: mask } }
    order: { receiver_phone: { reveal: { purposes: [emergency] }, else: mask }, status: reveal }
`;
const purposes = "{ after_sales: {}, emergency: { classes: [phone], break_glass: { minutes: 30 } } }";
const agreement = {
  policy,
  purposes,
  ceiling: "{ plain: reveal, person_name: mask, phone: reveal }",
  roles: "[first_line]",
  seats: "demo,agent-1,first_line,林小满\ndemo,agent-2,first_line,欧阳明\n",
};
const path = "/v1/contracts/c-test/break-glass";
const phone = "13810000001";

let world: World;
let trust: Awaited<ReturnType<typeof populate>>;
beforeAll(async () => {
  world = await createWorld();
  trust = await populate(world.gateway, agreement, 3);
  const orders = ["U1", "U2"].map((user_id, i) => ({ id: `O${i + 1}`, user_id, receiver_phone: `1391000000${i + 1}`, status: "sent" }));
  await importLines(world.gateway, orders, { type: "order" });
});
afterAll(() => world.close());

const call = (method: string, route: string, as: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
  world.gateway.call(method, route, { as, headers, ...(body !== undefined && { body }) });

const find = (id: string, { as = "agent-1", purpose = "emergency", type = "customer" } = {}) =>
  call("POST", `/v1/contracts/c-test/records/${type}/search`, as, { by: { id } }, { "postern-purpose": purpose });

async function fieldsOf(answer: Promise<Response>): Promise<Record<string, unknown>[]> {
  const { records } = (await (await expectStatus(answer, 200)).json()) as { records: { fields: Record<string, unknown> }[] };
  return records.map(({ fields }) => fields);
}

const usual = { seat: { issuer: "demo", subject: "agent-1" }, purpose: "emergency", person: { type: "customer", id: "U1" } };
const ask = (change: object = {}, as = "owner-1") => call("POST", path, as, { ...usual, ...change }, because.headers);
const approve = (id: string, as = "owner-2") => call("POST", `/v1/approvals/${id}/approve`, as);

async function request(change: object = {}): Promise<string> {
  return ((await (await expectStatus(ask(change), 202)).json()) as { approval: { id: string } }).approval.id;
}

async function open(change: object = {}): Promise<string> {
  const id = await request(change);
  await expectStatus(approve(id), 200);
  return id;
}

const review = (id: string, as = "officer", finding = "justified", headers: Readonly<Record<string, string>> = because.headers) =>
  call("POST", `${path}/${id}/review`, as, { finding }, headers);

interface Shown {
  readonly id: string;
  readonly standing: string;
  readonly finding: string | null;
  readonly reason: string | null;
}

async function shown(id: string, as = "officer"): Promise<Shown | undefined> {
  const answer = await expectStatus(call("GET", path, as), 200);
  return ((await answer.json()) as { break_glass: Shown[] }).break_glass.find((one) => one.id === id);
}

/** What the log says of one, in order; refusals left out. */
async function told(id: string): Promise<string[]> {
  const entries = await entriesOf(world.owner, "c-test");
  return entries
    .filter(
      ({ event, facts, outcome }) =>
        event.startsWith("break_glass.") && facts?.approval === id && (outcome.effect === "allow" || /expired|overdue/.test(outcome.code)),
    )
    .map(({ event, outcome }) => `${event} ${outcome.code}`);
}

/** Its end, so many hours ago. */
async function endAgo(id: string, hours: number): Promise<void> {
  const past = "now() - $2::int * interval '1 hour'";
  await world.owner.query(
    `update postern.break_glass set expires_at = ${past}, opened_at = ${past} - interval '30 minutes' where approval_id = $1`,
    [id, hours],
  );
}

describe("a purpose behind glass", () => {
  it("is closed to every seat, whether there is such a person or not, and the log says who tried", async () => {
    expect(await problemOf(find("U1"), 403)).toMatchObject({ code: "break_glass_needed" });
    expect(await problemOf(find("nobody-there"), 403)).toMatchObject({ code: "break_glass_needed" });
    const denied = (await entriesOf(world.owner, "c-test")).at(-1);
    expect(denied).toMatchObject({
      event: "record.searched",
      outcome: { effect: "deny", code: "break_glass_needed" },
      reason: { purpose: "emergency" },
    });
  });

  it("leaves the other purposes as they are, and is never the one that goes without saying", async () => {
    const unnamed = call("POST", "/v1/contracts/c-test/records/customer/search", "agent-1", { by: { id: "U1" } });
    expect(await fieldsOf(unnamed)).toMatchObject([{ phone: "138****0001" }]);
  });

  it("opens by two owners: until the second one approves nothing is seen, and nobody else is the second one", async () => {
    const id = await request();
    expect(await request()).toBe(id);
    expect(await problemOf(find("U1"), 403)).toMatchObject({ code: "break_glass_needed" });
    expect(await problemOf(approve(id, "owner-1"), 403)).toMatchObject({ code: "own_request" });
    for (const as of ["officer", "agent-1", "vendor-admin", "owner-b1"]) expect([403, 404]).toContain((await approve(id, as)).status);
    expect(await shown(id)).toMatchObject({ standing: "requested", reason: "as agreed" });
    await expectStatus(approve(id), 200);
    expect(await fieldsOf(find("U1"))).toEqual([{ name: null, phone }]);
    expect(await told(id)).toEqual(["break_glass.opened approved"]);
    const asked = (await entriesOf(world.owner, "c-test")).find(({ event }) => event === "break_glass.requested");
    expect(asked).toMatchObject({
      facts: { purpose: "emergency", minutes: 30 },
      resource: { type: "customer", records: [{ subject: expect.stringMatching(/^s_/) }] },
    });
    expect(JSON.stringify(asked)).not.toMatch(/"U1"|as agreed/);
  });

  it("is open for that seat, that person and whatever is theirs, and each entry says by which request", async () => {
    expect(await fieldsOf(find("O1", { type: "order" }))).toEqual([{ receiver_phone: "13910000001", status: "sent" }]);
    const read = (await entriesOf(world.owner, "c-test")).at(-1);
    expect(read).toMatchObject({
      outcome: { effect: "allow" },
      reason: { purpose: "emergency" },
      facts: { break_glass: [expect.any(String)] },
    });
    expect(await shown(String(read?.facts?.break_glass))).toMatchObject({ standing: "open" });
    expect(await fieldsOf(find("U2"))).toEqual([]);
    expect(await fieldsOf(find("O2", { type: "order" }))).toEqual([]);
    const byPhone = call(
      "POST",
      "/v1/contracts/c-test/records/customer/search",
      "agent-1",
      { by: { phone: "13810000002" } },
      { "postern-purpose": "emergency" },
    );
    expect(await fieldsOf(byPhone)).toEqual([]);
    expect(await problemOf(find("U1", { as: "agent-2" }), 403)).toMatchObject({ code: "break_glass_needed" });
  });

  it("lets a read of somebody else's record find nothing", async () => {
    const search = await expectStatus(find("U2", { purpose: "after_sales" }), 200);
    const { records } = (await search.json()) as { records: { locator: string }[] };
    const read = call("GET", `/v1/contracts/c-test/records/customer/${records[0]?.locator}`, "agent-1", undefined, {
      "postern-purpose": "emergency",
    });
    expect(await problemOf(read, 404)).toMatchObject({ code: "not_found" });
  });

  it("is whole again by its own minutes, though no keeper runs, and the log says so once, however many do", async () => {
    const id = await open({ person: { type: "customer", id: "U0" } });
    expect(await fieldsOf(find("U0"))).toHaveLength(1);
    await endAgo(id, 1);
    expect(await fieldsOf(find("U0"))).toEqual([]);
    await Promise.all([world.gateway.keeper.tick(), world.gateway.keeper.tick()]);
    // A keeper that died after the entry and before it noted so.
    await world.owner.query("update postern.break_glass set told = 'nothing' where approval_id = $1", [id]);
    await world.gateway.keeper.tick();
    expect(await told(id)).toEqual(["break_glass.opened approved", "break_glass.ended expired"]);
    expect(await shown(id)).toMatchObject({ standing: "review_due" });
  });

  it("is closed before its time by one owner, at once", async () => {
    const id = await open({ person: { type: "customer", id: "U2" } });
    expect(await fieldsOf(find("U2"))).toHaveLength(1);
    await expectStatus(call("POST", `${path}/${id}/close`, "owner-2"), 200);
    expect(await fieldsOf(find("U2"))).toEqual([]);
    expect(await problemOf(call("POST", `${path}/${id}/close`, "owner-1"), 409)).toMatchObject({ code: "wrong_state" });
    await world.gateway.keeper.tick();
    expect(await told(id)).toEqual(["break_glass.opened approved", "break_glass.ended closed"]);
  });
});

describe("whoever looks afterwards", () => {
  it("had no part in it, says why, and says it once", async () => {
    const id = await open({ person: { type: "customer", id: "U2" } });
    expect(await problemOf(review(id), 409)).toMatchObject({ code: "wrong_state" });
    await endAgo(id, 1);
    for (const as of ["owner-1", "owner-2"]) expect(await problemOf(review(id, as), 403)).toMatchObject({ code: "own_request" });
    expect((await review(id, "agent-1")).status).toBe(403);
    expect(await problemOf(review(id, "officer", "justified", {}), 422)).toMatchObject({ code: "reason_required" });
    const both = await Promise.all([review(id, "officer", "unjustified"), review(id, "officer", "justified")]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await shown(id)).toMatchObject({ standing: "reviewed", finding: both[0]?.status === 200 ? "unjustified" : "justified" });
    expect((await told(id)).filter((one) => one.startsWith("break_glass.reviewed")).length).toBeGreaterThan(0);
  });

  it("is missed a day after the end: the log says so once, and nothing else is opened until somebody did", async () => {
    const waiting = await request({ person: { type: "customer", id: "U0" }, minutes: 5 });
    const id = await open({ person: { type: "customer", id: "U2" }, minutes: 7 });
    await endAgo(id, 25);
    await world.gateway.keeper.tick();
    await Promise.all([world.gateway.keeper.tick(), world.gateway.keeper.tick()]);
    expect(await told(id)).toEqual(["break_glass.opened approved", "break_glass.ended expired", "break_glass.review_missing overdue"]);
    expect(await shown(id)).toMatchObject({ standing: "review_missing" });
    const errors = [{ pointer: `/break_glass/${id}`, code: "review_missing" }];
    expect(await problemOf(ask({ minutes: 9 }), 409)).toMatchObject({ code: "review_missing", errors });
    expect(await problemOf(approve(waiting), 409)).toMatchObject({ code: "review_missing", errors });
    await expectStatus(review(id), 200);
    await expectStatus(approve(waiting), 200);
    await expectStatus(call("POST", `${path}/${waiting}/close`, "owner-1"), 200);
  });
});

describe("a request to break a glass", () => {
  it("names what there is, and says why", async () => {
    const wrong: [object, string, string][] = [
      [{ purpose: "none" }, "/purpose", "unknown"],
      [{ purpose: "constructor" }, "/purpose", "unknown"],
      [{ purpose: "after_sales" }, "/purpose", "not_behind_glass"],
      [{ minutes: 31 }, "/minutes", "too_long"],
      [{ seat: { issuer: "demo", subject: "nobody" } }, "/seat", "no_seat"],
      [{ person: { type: "parcel", id: "U1" } }, "/person/type", "unknown_type"],
      [{ person: { type: "order", id: "O1" } }, "/person/type", "not_a_subject"],
    ];
    for (const [change, pointer, code] of wrong)
      expect(await problemOf(ask(change), 422)).toMatchObject({ code: "unacceptable", errors: [{ pointer, code }] });
    for (const minutes of [0, -1, 1.5, "5"]) expect((await ask({ minutes })).status).toBe(422);
    expect(await problemOf(call("POST", path, "owner-1", usual), 422)).toMatchObject({ code: "reason_required" });
    for (const as of ["officer", "agent-1", "owner-b1"]) expect([403, 404]).toContain((await ask({}, as)).status);
  });

  it("waits an hour for its second owner, and no longer", async () => {
    const id = await request({ person: { type: "customer", id: "U0" }, minutes: 3 });
    const [row] = await world.owner.query(
      "select extract(epoch from expires_at - requested_at)::int from postern.approval where approval_id = $1",
      [id],
    );
    expect(row?.[0]).toBe(3600);
    await world.owner.query("update postern.approval set expires_at = now() - interval '1 second' where approval_id = $1", [id]);
    expect(await problemOf(approve(id), 409)).toMatchObject({ code: "approval_closed" });
    expect(await shown(id)).toMatchObject({ standing: "expired" });
  });

  it("falls with the policy under which it was asked for, and with the contract's standing", async () => {
    const id = await request({ person: { type: "customer", id: "U0" }, minutes: 4 });
    await expectStatus(call("POST", "/v1/contracts/c-test/suspend", "owner-1", { reason: "audit" }), 200);
    expect(await problemOf(approve(id), 409)).toMatchObject({ code: "wrong_state" });
    expect(await problemOf(ask({ minutes: 2 }), 409)).toMatchObject({ code: "wrong_state" });
    const resumed = await expectStatus(call("POST", "/v1/contracts/c-test/resume", "owner-1"), 202);
    await expectStatus(approve(((await resumed.json()) as { approval: { id: string } }).approval.id), 200);
    const narrower = contractText({ ...agreement, purposes: purposes.replace("30", "20") });
    const changed = { contract: { name: "c.yaml", text: narrower }, policy: { name: "p.yaml", text: policy } };
    await expectStatus(call("PUT", "/v1/contracts/c-test/policy", "owner-1", changed), 200);
    expect(await problemOf(approve(id), 409)).toMatchObject({ code: "wrong_state" });
    expect(await problemOf(ask({ minutes: 21 }), 422)).toMatchObject({ errors: [{ pointer: "/minutes", code: "too_long" }] });
  });

  it("may not be made needless by one owner: to take the glass away, or leave it open longer, widens", async () => {
    for (const change of ["emergency: { classes: [phone] }", "emergency: { classes: [phone], break_glass: { minutes: 240 } }"]) {
      const text = contractText({ ...agreement, purposes: `{ after_sales: {}, ${change} }` });
      const changed = { contract: { name: "c.yaml", text }, policy: { name: "p.yaml", text: policy } };
      const asked = await expectStatus(call("PUT", "/v1/contracts/c-test/policy", "owner-1", changed, because.headers), 202);
      const { approval } = (await asked.json()) as { approval: { id: string } };
      expect(await problemOf(approve(approval.id, "owner-1"), 403)).toMatchObject({ code: "own_request" });
    }
  });

  it("is for minutes that are few, in a file that says so", async () => {
    const text = contractText({ ...agreement, contract: "c-long", purposes: "{ emergency: { break_glass: { minutes: 241 } } }" });
    expect(await problemOf(applyFiles(world.gateway, text, "owner-1", policy), 422)).toMatchObject({ code: "unacceptable" });
  });

  it("leaves a log that verifies", async () => {
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true });
  });
});
