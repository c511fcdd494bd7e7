/** Whatever a merchant's API answers, broken, endless, huge or full of what nobody may see: what comes out is treated, or our own problem, or nothing. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../src/kernel/index.ts";
import { classNames } from "../src/masking/index.ts";
import { bringIntoForce, expectStatus, problemOf, shippedPolicy } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { createLeakScanner } from "./support/leaks.ts";
import { isLong } from "./support/long.ts";
import {
  canaryKinds,
  candidatePaths,
  filledDocuments,
  hasShapes,
  platformShapes,
  textsOf,
  withStrangers,
} from "./support/platform-shapes.ts";
import {
  credential,
  customer,
  customerPath,
  openShopWorld,
  register,
  registerQuick,
  type Shop,
  type ShopWorld,
  saying,
  shippedConnector,
} from "./support/shop.ts";

let shop: Shop;
let gateway: Gateway;
let ask: ShopWorld["ask"];
let entries: ShopWorld["entries"];

beforeAll(async () => {
  ({ shop, gateway, ask, entries } = await openShopWorld());
});
afterAll(async () => {
  await gateway.close();
  await shop.close();
});

/** What the contract's log says last. */
const lastEntry = async () => (await entries()).at(-1);

/** A thousandfold. */
const bomb = gzipSync(`{"customer":{"id":1,"note":"${"0".repeat(20_000_000)}"}}`);

describe("on the way down", () => {
  beforeEach(() => registerQuick(gateway));
  const secret = "kanarie-zq7w-0815";
  const outcome = async (path = customerPath) => {
    const answer = await ask(path);
    const text = `${JSON.stringify([...answer.headers])}${await answer.text()}`;
    expect(text).not.toContain(secret);
    expect(text).not.toContain(credential);
    const { outcome: told, facts } = (await lastEntry()) ?? {};
    return [answer.status, told?.code, facts?.upstream_status];
  };

  it.each([
    [
      "an error that quotes the customer",
      saying({ errors: secret, customer: { id: 1, email: secret } }, 500),
      [502, "upstream_failed", 500],
    ],
    ["a credential that is refused", saying({ errors: secret }, 401), [502, "upstream_failed", 401]],
    ["nothing there", saying({ errors: secret }, 404), [404, "not_found", 404]],
    ["too many requests", saying({ errors: secret }, 429, { "retry-after": secret }), [429, "upstream_limited", 429]],
    ["being down", saying(secret, 503), [503, "upstream_busy", 503]],
    ["a redirect", saying("", 302, { location: `https://evil.example/${secret}` }), [502, "upstream_failed", 302]],
    ["an error inside a 200", saying({ errors: secret, customer }), [502, "upstream_failed", 200]],
    ["another shape", saying({ customer: [secret] }), [502, "upstream_failed", 200]],
    ["a record without an id", saying({ customer: { email: secret } }), [502, "upstream_failed", 200]],
    ["text that is no JSON", saying(`{"customer":{"id":1,"email":"${secret}"}} trailing`), [502, "upstream_failed", 200]],
    ["a key that stands twice", saying(`{"customer":{"id":1,"email":"x","email":"${secret}"}}`), [502, "upstream_failed", 200]],
    ["another media type", saying({ customer }, 200, { "content-type": "text/html" }), [502, "upstream_failed", 200]],
    [
      "bytes that are no UTF-8",
      ((_path, response) =>
        void response.writeHead(200, { "content-type": "application/json" }).end(Buffer.from([0x22, 0xff, 0x22]))) as Shop["answer"],
      [502, "upstream_failed", 200],
    ],
    ["nesting without end", saying(`${"[".repeat(30_000)}${"]".repeat(30_000)}`), [502, "upstream_failed", 200]],
    ["very many keys", saying(`{${Array.from({ length: 10_001 }, (_, n) => `"${n}":1`).join()}}`), [502, "upstream_failed", 200]],
    ["more bytes than its limit", saying({ customer: { ...customer, note: secret.repeat(10_000) } }), [502, "upstream_failed", 200]],
    [
      "a bomb",
      ((_path, response) =>
        void response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(bomb)) as Shop["answer"],
      [502, "upstream_failed", 200],
    ],
    ["an encoding that nobody asked for", saying({ customer }, 200, { "content-encoding": "br" }), [502, "upstream_failed", undefined]],
    [
      "a connection that breaks",
      ((_path, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write(`{"customer":{"id":1,"email":"${secret}"`, () => response.destroy());
      }) as Shop["answer"],
      [502, "upstream_failed", 200],
    ],
    [
      "a connection that is closed at once",
      ((_path, response) => void response.destroy()) as Shop["answer"],
      [502, "upstream_failed", undefined],
    ],
    ["headers without end", saying({ customer }, 200, { "x-long": "x".repeat(20_000) }), [502, "upstream_failed", undefined]],
  ] as const)("%s is our own problem, whole or not at all", async (_what, answer, expected) => {
    shop.answer = answer;
    expect(await outcome()).toEqual(expected);
  });

  it("an upstream that says nothing, drips or never ends is late, and let go", async () => {
    const closed: string[] = [];
    shop.answer = (path, response) => {
      response.on("close", () => closed.push(path));
      if (path.includes("/1.")) return;
      response.writeHead(200, { "content-type": "application/json" });
      response.write(`{"customer":{"id":1,"email":"${secret}"`);
      if (path.includes("/2.")) return;
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
    };
    const began = Date.now();
    const answers = await Promise.all([1, 2, 3].map((id) => ask(`/admin/api/2026-07/customers/${id}.json`)));
    expect(Date.now() - began).toBeLessThan(1_900);
    for (const answer of answers) {
      expect(answer.status).toBe(504);
      expect(await answer.text()).toMatch(/^(?!.*kanarie).*upstream_late/);
    }
    await expect.poll(() => closed.length).toBe(3);
  });

  it("none of the upstream's headers comes along, and an answer that is packed is read", async () => {
    const headers = {
      "set-cookie": secret,
      link: `<https://x/?page_info=${secret}>; rel=next`,
      "x-user-email": secret,
      "access-control-allow-origin": "*",
      "content-encoding": "gzip",
      "content-type": "application/json",
    };
    shop.answer = (_path, response) => void response.writeHead(200, headers).end(gzipSync(JSON.stringify({ customer })));
    expect(await outcome()).toEqual([200, "masked", 200]);
    const answer = await ask(customerPath);
    for (const name of ["set-cookie", "link", "x-user-email", "access-control-allow-origin", "content-encoding"])
      expect(answer.headers.get(name)).toBeNull();
  });
});

interface Place {
  readonly name: string;
  readonly path: string;
  /** Keys to the record in the body. */
  readonly keys: readonly string[];
  readonly contract?: string;
  readonly purpose?: string;
}

const top = { name: "taobao", contract: "c-taobao", purpose: "logistics" };
const places: Readonly<Record<string, Place>> = {
  shopify_customer: { name: "shopify", path: customerPath, keys: ["customer"] },
  shopify_order: { name: "shopify", path: "/admin/api/2026-07/orders/1.json", keys: ["order"] },
  woo_customer: { name: "woocommerce", path: "/wp-json/wc/v3/customers/1", keys: [] },
  woo_order: { name: "woocommerce", path: "/wp-json/wc/v3/orders/1", keys: [] },
  magento_customer: { name: "magento", path: "/rest/V1/customers/12", keys: [] },
  magento_order: { name: "magento", path: "/rest/V1/orders/12", keys: [] },
  zendesk_ticket: { name: "zendesk", path: "/api/v2/tickets/35436.json", keys: ["ticket"] },
  zendesk_user: { name: "zendesk", path: "/api/v2/users/35436.json", keys: ["user"] },
  chatwoot_conversation: { name: "chatwoot", path: "/api/v1/accounts/3/conversations/5", keys: [] },
  chatwoot_message: { name: "chatwoot", path: "/api/v1/accounts/3/conversations/5/messages", keys: ["payload", "[]"] },
  chatwoot_contact: { name: "chatwoot", path: "/api/v1/accounts/3/contacts/9", keys: ["payload"] },
  trade: { ...top, path: "/router/rest?method=taobao.trade.fullinfo.get&tid=1", keys: ["trade_fullinfo_get_response", "trade"] },
  refund: { ...top, path: "/router/rest?method=taobao.refund.get&refund_id=7", keys: ["refund_get_response", "refund"] },
};

/** As the platform sends it: TOP's lists stand in a form of their own. */
function bodyFor({ keys, name }: Place, document: JsonObject): Json {
  const { orders } = document;
  const wrapped = name === "taobao" && orders !== undefined ? { ...document, orders: { order: orders } } : document;
  return keys.reduceRight<Json>((value, key) => (key === "[]" ? [value] : { [key]: value }), wrapped);
}

function recordIn({ keys, name }: Place, body: Json): JsonObject {
  const record = keys.reduce<Json>((at, key) => (at as Record<string, Json>)[key === "[]" ? "0" : key] ?? null, body) as JsonObject;
  return name === "taobao" && record.orders !== undefined ? { ...record, orders: (record.orders as JsonObject).order ?? null } : record;
}

describe.runIf(hasShapes).each(platformShapes.map((shape) => [shape.list, shape] as const))(
  "of the platform's own bodies of %s",
  (_list, shape) => {
    it.each(isLong ? Object.keys(canaryKinds) : ["what belongs there"])(
      "no canary comes out, in any encoding, and what the agent needs does (%s)",
      async (kind) => {
        const make = canaryKinds[kind];
        const place = places[shape.type];
        if (!make || !place) throw new Error("no such kind or type");
        const canaries = new Map(candidatePaths(shape).map((path, at) => [path, make(at, path)]));
        const scanner = createLeakScanner([
          ...[...canaries.values()].flatMap(({ secrets }) => secrets),
          "kanarie-key-zq7w-13960358147",
          "kanarie-stranger-zq7w",
        ]);
        // The last hold nothing but candidates; each sample by itself: in the long form.
        const documents = filledDocuments(shape, canaries);
        for (const document of isLong ? documents : documents.slice(-4)) {
          const filled = withStrangers(document, "kanarie-key-zq7w-13960358147", "kanarie-stranger-zq7w") as JsonObject;
          shop.answer = saying(bodyFor(place, { ...filled, id: filled.id ?? 1 }));
          const headers = { "postern-purpose": place.purpose ?? "shipping" };
          const answer = await expectStatus(ask(place.path, { ...place, headers }), 200);
          const text = await answer.text();
          const body = JSON.parse(text);
          expect(scanner.scan(`${JSON.stringify([...answer.headers])}${text}`, { fields: textsOf(body) })).toEqual([]);
          const shown = recordIn(place, body);
          for (const [path, value] of Object.entries(shape.readable)) if (!path.includes(".")) expect(shown[path], path).toEqual(value);
        }
      },
    );
  },
);

describe("an answer that the contract lets be kept", () => {
  const kept = { contract: "c-kept", as: "agent-2" };
  const path = "/api/v2/tickets/35436.json";
  const ticket = (status: string) => saying({ ticket: { id: 35436, status, priority: "kanarie-kept", requester_id: 7 } });
  const read = (as = "agent-2") => ask(path, { ...kept, name: "zendesk", as });
  const statusOf = async (answer: Promise<Response>) =>
    ((await (await expectStatus(answer, 200)).json()) as { ticket: { status: string } }).ticket.status;

  beforeAll(async () => {
    const ceiling = `{ ${classNames.map((name) => `${name}: reveal`).join(", ")} }`;
    const more = "upstream: { cache_minutes: 5 }\n";
    await bringIntoForce(gateway, { contract: "c-kept", policy: shippedPolicy("western-shop"), ceiling, more });
    await register(gateway, "zendesk", { contract: "c-kept" });
  });

  it("is not asked for again, by nobody, and has its entry each time", async () => {
    shop.answer = ticket("open");
    const before = shop.asked.length;
    for (const as of ["agent-2", "agent-2", "agent-1"]) expect(await statusOf(read(as))).toBe("open");
    expect(shop.asked).toHaveLength(before + 1);
    const told = (await entries("c-kept")).filter(({ event }) => event === "record.read");
    expect(told.map(({ facts }) => facts?.upstream_kept)).toEqual([undefined, 1, 1]);
    expect(told.every(({ resource }) => resource?.records.length === 1)).toBe(true);
  });

  it("lies there sealed", async () => {
    const rows = await gateway.database.query("select name, answer from postern.upstream_answer");
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows.map((row) => row.map((cell) => Buffer.from(cell as Uint8Array).toString("latin1"))))).not.toContain(
      "kanarie",
    );
  });

  it("counts no more once something is written there, once it is minutes old, or by another credential", async () => {
    shop.answer = ticket("solved");
    const body = { ticket: { status: "solved" } };
    await expectStatus(ask(path, { ...kept, name: "zendesk", method: "PUT", body }), 200);
    expect(await statusOf(read())).toBe("solved");
    shop.answer = ticket("open");
    expect(await statusOf(read())).toBe("solved");
    await gateway.database.query("update postern.upstream_answer set asked_at = asked_at - interval '6 minutes'");
    expect(await statusOf(read())).toBe("open");
    shop.answer = ticket("closed");
    await register(gateway, "zendesk", { contract: "c-kept", text: shippedConnector("zendesk").replace("seconds: 10", "seconds: 9") });
    expect(await statusOf(read())).toBe("closed");
  });

  it("is none where the contract says nothing, where it was an error, or for who may not come in", async () => {
    const rows = () => gateway.database.query("select count(*)::int from postern.upstream_answer where contract_id = 'c-test'");
    shop.answer = ticket("open");
    await expectStatus(ask(path, { name: "zendesk", as: "agent-2" }), 200);
    expect(await rows()).toEqual([[0]]);
    const missing = "/api/v2/tickets/1.json";
    shop.answer = saying({ error: "x" }, 404);
    await problemOf(ask(missing, { ...kept, name: "zendesk" }), 404);
    shop.answer = saying({ ticket: { id: 1, status: "open" } });
    await expectStatus(ask(missing, { ...kept, name: "zendesk" }), 200);
    await expectStatus(gateway.call("POST", "/v1/contracts/c-kept/suspend", { as: "owner-1", body: { reason: "incident" } }), 200);
    expect((await problemOf(read(), 403)).code).toBe("contract_suspended");
  });

  it("goes with the hour, at the keeper's tick", async () => {
    await gateway.database.query("update postern.upstream_answer set asked_at = asked_at - interval '2 hours'");
    await gateway.keeper.tick();
    expect(await gateway.database.query("select count(*)::int from postern.upstream_answer")).toEqual([[0]]);
  });
});
