/** An agent's program writes into the merchant's own API by way of the gateway: what the policy lets it, once, and never one of our masks. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, problemOf } from "./support/agreement.ts";
import { customer, openShopWorld, register, type Shop, type ShopWorld, saying } from "./support/shop.ts";

let world: ShopWorld;
let shop: Shop;

beforeAll(async () => {
  world = await openShopWorld();
  ({ shop } = world);
  const ceiling = "{ plain: reveal, birth_date: reveal, person_name: reveal }";
  await bringIntoForce(world.gateway, {
    contract: "c-desk",
    policy,
    ceiling,
    roles: "[first_line]",
    seats: "demo,agent-1,first_line,林小满\n",
  });
  await register(world.gateway, "desk", { text: connector, contract: "c-desk" });
});
afterAll(async () => {
  await world.gateway.close();
  await shop.close();
});

/** A desk where rows go, and where nobody sees a birthday or a name. */
const policy = `resources:
  case:
    subject: id
    fields: { id: { class: plain }, state: { class: plain }, born: { class: birth_date }, name: { class: person_name }, note: { class: plain } }
roles:
  first_line:
    case:
      rows: record.state == "open"
      writes: [born, name, note]
      id: reveal
      born: { generalize: { to: year } }
      name: pseudonymize
      note: reveal
`;
const connector = `connector: desk
base: https://desk.example.com
authentication: bearer
repeats: { header: Idempotency-Key }
routes:
  - { get: "/cases/{id}", resource: case, records: body }
writes:
  - { patch: "/cases/{id}", resource: case, body: body, fields: [born, name, note] }
  - { post: /cases, resource: case, body: body, fields: [note] }
`;
const desk = { as: "agent-1", name: "desk", contract: "c-desk" };
const deskPath = "/cases/5";
const write = (body: unknown) => world.ask(deskPath, { ...desk, method: "PATCH", body });

const ticketPath = "/api/v2/tickets/35436.json";
const ticket = { id: 35436, status: "open", priority: "high", requester_id: 7, subject: "kanarie" };
const orderPath = "/admin/api/2026-07/orders/450789469.json";
const order = {
  id: 450789469,
  order_number: 1001,
  closed_at: null,
  customer,
  shipping_address: { address1: "1 Canary Street", city: "Ottawa" },
};

interface Sending {
  readonly as?: string;
  readonly name?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const send = (path: string, body: unknown, { as = "agent-2", name = "zendesk", method = "PUT", headers = {} }: Sending = {}) =>
  world.ask(path, { as, name, method, body, headers });
const solve = (body: unknown = { ticket: { status: "solved" } }, sending: Sending = {}) => send(ticketPath, body, sending);
const written = () => shop.asked.filter(({ method }) => method !== "GET");

/** Says the ticket when it is read, and what it was told when it is written. */
function keepTicket(): void {
  let standing: object = ticket;
  shop.answer = (path, response) => {
    const last = shop.asked.at(-1);
    if (last?.method === "PUT") standing = { ...standing, ...(JSON.parse(last.body) as { ticket: object }).ticket };
    saying({ ticket: standing })(path, response);
  };
}

describe("an agent writes into the merchant's own API", () => {
  it("what its role may, and is shown the record as it now is, masked", async () => {
    keepTicket();
    const before = await world.entries();
    const answer = await expectStatus(solve({ ticket: { status: "solved", priority: "low", id: 35436 } }), 200);
    expect(await answer.json()).toEqual({ ticket: expect.objectContaining({ status: "solved", priority: "low", subject: null }) });
    expect(written().at(-1)).toMatchObject({ method: "PUT", path: ticketPath, body: '{"ticket":{"status":"solved","priority":"low"}}' });
    expect(written().at(-1)?.headers.authorization).toMatch(/^Basic /);
    const [sent, done, ...more] = (await world.entries()).slice(before.length);
    expect(more).toEqual([]);
    expect(sent).toMatchObject({
      ...{ event: "record.writing", outcome: { effect: "allow", code: "sent" } },
      facts: { upstream: "zendesk", writes: ["status", "priority"] },
    });
    expect(done).toMatchObject({ event: "record.written", facts: { upstream_status: 200 }, resource: { fields: { status: "reveal" } } });
    expect(sent?.resource?.records).toEqual(done?.resource?.records);
    expect(sent?.resource?.records).toEqual([{ locator: expect.stringMatching(/^r_/), subject: expect.stringMatching(/^s_/) }]);
    expect(answer.headers.get("audit-promise")).toContain(done?.id);
  });

  it("with the digits of its numbers, and a text as it is", async () => {
    shop.answer = saying({ order });
    const body = '{"order":{"shipping_address":{"address1":"2 Elm & <b> 街","zip":47.840}}}';
    const headers = { "postern-purpose": "shipping", "content-type": "application/json" };
    await expectStatus(send(orderPath, body, { name: "shopify", headers }), 200);
    expect(written().at(-1)?.body).toBe(body);
  });

  it.each([
    ["a field that the role may not write", { ticket: { priority: "low" } }, "agent-1", 403, "/ticket/priority", "not_writable"],
    ["a field that the connector does not take", { ticket: { assignee_id: 1 } }, "agent-2", 422, "/ticket", "unknown"],
    ["one field too many", { ticket: { status: "open", requester: { email: "a@b.example" } } }, "agent-2", 422, "/ticket", "unknown"],
    ["something beside the record", { ticket: { status: "open" }, audit: 1 }, "agent-2", 422, "/", "shape"],
    ["a list in place of the record", { ticket: [{ status: "open" }] }, "agent-2", 422, "/ticket", "shape"],
    ["an object in place of a value", { ticket: { status: { $set: "open" } } }, "agent-2", 422, "/ticket/status", "unknown"],
    ["another record's id", { ticket: { id: 1, status: "open" } }, "agent-2", 422, "/ticket/id", "grammar"],
    ["nothing", { ticket: {} }, "agent-2", 422, "/ticket", "empty"],
    ["a control character", { ticket: { status: "op\u0000en" } }, "agent-2", 422, "/ticket/status", "grammar"],
    ["too long a text", { ticket: { status: "x".repeat(10_001) } }, "agent-2", 422, "/ticket/status", "too_large"],
  ])("but not %s, and then nothing of it", async (_what, body, as, status, pointer, code) => {
    keepTicket();
    const before = shop.asked.length;
    expect((await problemOf(solve(body, { as }), status)).errors).toEqual([{ pointer, code }]);
    expect(shop.asked.slice(before)).toEqual([]);
    expect((await world.entries()).at(-1)).toMatchObject({ event: "record.writing", outcome: { effect: "deny" } });
  });

  it.each([
    ...["B***", "Mr 林** says", "138****5678", "b***@mail.example", "林*", "*", "１３８＊＊＊＊５６７８", "[敏感:健康]"],
    ...[`p_${"a".repeat(26)}`, `see r_${"b2".repeat(13)}.`],
  ])("but no mask of ours: %s", async (value) => {
    keepTicket();
    const before = shop.asked.length;
    expect((await problemOf(solve({ ticket: { status: value } }), 422)).errors).toEqual([
      { pointer: "/ticket/status", code: "placeholder" },
    ]);
    expect(shop.asked).toHaveLength(before);
  });

  it("but nothing that this record shows in a value's place, whatever it looks like", async () => {
    shop.answer = saying({ id: 5, state: "open", born: "1990-05-17", name: "D. White", note: "" });
    const shown = (await (await expectStatus(world.ask(deskPath, desk), 200)).json()) as Record<string, string>;
    expect(shown).toMatchObject({ born: "1990", name: expect.stringMatching(/^p_/) });
    for (const body of [{ born: shown.born }, { note: `call ${shown.name}` }])
      expect((await problemOf(write(body), 422)).errors?.[0]?.code).toBe("placeholder");
    await expectStatus(write({ born: "1991", note: "born in 1990" }), 200);
  });

  it("but no record that a row rule keeps from it, and none that is not there", async () => {
    const before = written().length;
    for (const answer of [saying({ id: 5, state: "shut" }), saying({ error: "kanarie" }, 404)]) {
      shop.answer = answer;
      expect((await problemOf(write({ note: "x" }), 404)).code).toBe("not_found");
    }
    expect(written()).toHaveLength(before);
  });

  it("but to no path, by no method and with no parameter that the connector has not", async () => {
    keepTicket();
    const before = shop.asked.length;
    const body = { ticket: { status: "open" } };
    for (const method of ["POST", "PATCH"]) expect((await problemOf(solve(body, { method }), 404)).code).toBe("not_found");
    expect((await problemOf(solve(body, { method: "DELETE" }), 405)).code).toBe("method_not_allowed");
    expect((await problemOf(send("/api/v2/users/7.json", { user: { name: "x" } }), 404)).code).toBe("not_found");
    expect((await problemOf(send(`${ticketPath}?async=true`, body), 400)).code).toBe("bad_query");
    expect((await problemOf(solve("{", { headers: { "content-type": "application/json" } }), 400)).code).toBe("bad_json");
    expect((await problemOf(solve("status=open", { headers: { "content-type": "text/plain" } }), 415)).code).toBe("wrong_media_type");
    expect(shop.asked).toHaveLength(before);
  });

  it("and is told in our words what the merchant's API would not take, and that it is not sent again", async () => {
    const failing =
      (status: number): Shop["answer"] =>
      (path, response) =>
        saying(shop.asked.at(-1)?.method === "GET" ? { ticket } : { error: "kanarie" }, shop.asked.at(-1)?.method === "GET" ? 200 : status)(
          path,
          response,
        );
    for (const [status, told, code] of [
      [422, 422, "unacceptable"],
      [500, 502, "upstream_failed"],
      [502, 502, "upstream_failed"],
    ] as const) {
      shop.answer = failing(status);
      const before = written().length;
      const refused = await problemOf(solve(), told);
      expect(refused.code).toBe(code);
      expect(JSON.stringify(refused)).not.toContain("kanarie");
      expect(written()).toHaveLength(before + 1);
      const entry = (await world.entries()).at(-1);
      expect(entry).toMatchObject({ event: "record.written", outcome: { effect: "deny" }, facts: { upstream_status: status } });
      expect(entry?.facts?.perhaps_done).toBe(status === 422 ? undefined : 1);
    }
  });

  it("and is answered that it is written where nothing of the answer can be shown", async () => {
    shop.answer = (path, response) => {
      if (shop.asked.at(-1)?.method === "GET") saying({ ticket })(path, response);
      else response.writeHead(204).end();
    };
    const answer = await expectStatus(solve(), 204);
    expect(await answer.text()).toBe("");
    expect((await world.entries()).at(-1)).toMatchObject({
      event: "record.written",
      outcome: { code: "written" },
      facts: { upstream_status: 204 },
    });
  });
});

describe("where the merchant's API knows a request that comes again", () => {
  it("one that went unanswered goes up again, by the same name", async () => {
    let broken = 1;
    shop.answer = (path, response) =>
      shop.asked.at(-1)?.method !== "GET" && broken-- > 0
        ? void response.destroy()
        : saying({ id: 6, state: "open", note: "x" })(path, response);
    const before = written().length;
    const answer = await expectStatus(world.ask("/cases", { ...desk, method: "POST", body: { note: "x" } }), 200);
    expect(await answer.json()).toEqual({ id: 6, note: "x", state: null });
    const [one, two, ...more] = written().slice(before);
    expect(more).toEqual([]);
    expect(one?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/);
    expect(two?.headers["idempotency-key"]).toBe(one?.headers["idempotency-key"]);
    expect((await world.entries("c-desk")).slice(-2)).toMatchObject([
      { event: "record.writing", resource: { records: [] } },
      { event: "record.written", resource: { fields: { note: "reveal" } } },
    ]);
  });
});

describe("the same write again, under its Idempotency-Key", () => {
  const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

  it("goes up once, and is answered as it was, with an entry", async () => {
    keepTicket();
    const before = written().length;
    const first = await (await expectStatus(solve(undefined, keyed("kanarie-key-000001")), 200)).text();
    const again = await expectStatus(solve(undefined, keyed('"kanarie-key-000001"')), 200);
    expect(await again.text()).toBe(first);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(written()).toHaveLength(before + 1);
    expect((await world.entries()).at(-1)).toMatchObject({ event: "request.repeated", resource: { fields: { status: "reveal" } } });
    expect((await problemOf(solve({ ticket: { status: "open" } }, keyed("kanarie-key-000001")), 422)).code).toBe("idempotency_key_reused");
    // Another's key is another key.
    await expectStatus(solve(undefined, { as: "agent-1", ...keyed("kanarie-key-000001") }), 200);
    expect(written()).toHaveLength(before + 2);
    expect((await problemOf(solve(undefined, keyed("short")), 400)).code).toBe("bad_header");
  });

  it("goes up once of many at a time", async () => {
    keepTicket();
    const before = written().length;
    const answers = await Promise.all(Array.from({ length: 6 }, () => solve(undefined, keyed("kanarie-key-000002"))));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(written()).toHaveLength(before + 1);
  });

  it("is told the same where nobody knows whether it was done, and tried anew where it was not", async () => {
    let status = 500;
    shop.answer = (path, response) =>
      shop.asked.at(-1)?.method === "GET" ? saying({ ticket })(path, response) : saying({ ticket }, status)(path, response);
    const before = written().length;
    for (let count = 0; count < 2; count++)
      expect((await problemOf(solve(undefined, keyed("kanarie-key-000003")), 502)).code).toBe("upstream_failed");
    expect(written()).toHaveLength(before + 1);
    status = 422;
    expect((await problemOf(solve(undefined, keyed("kanarie-key-000004")), 422)).code).toBe("unacceptable");
    status = 200;
    await expectStatus(solve(undefined, keyed("kanarie-key-000004")), 200);
    expect(written()).toHaveLength(before + 3);
  });

  it("holds nothing that a thief of the database could read or guess", async () => {
    const rows = await world.gateway.database.query("select name, request, answer from postern.upstream_write");
    expect(rows.length).toBeGreaterThan(3);
    const all = rows.flatMap((row) => row.map((cell) => Buffer.from((cell as Uint8Array | null) ?? []).toString("latin1"))).join();
    for (const text of ["kanarie", "solved", "35436", "zendesk"]) expect(all).not.toContain(text);
  });
});

describe("a contract that is over, suspended or in its last days", () => {
  it("writes nothing", async () => {
    keepTicket();
    const { gateway } = world;
    const before = written().length;
    await expectStatus(gateway.call("POST", "/v1/contracts/c-test/suspend", { as: "owner-1", body: { reason: "incident" } }), 200);
    expect((await problemOf(solve(), 403)).code).toBe("contract_suspended");
    expect(written()).toHaveLength(before);
  });
});
