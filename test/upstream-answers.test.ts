/** Whatever a merchant's API answers, broken, endless, huge or full of what nobody may see: what comes out is treated, or our own problem, or nothing. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../src/kernel/index.ts";
import { bringIntoForce, expectStatus, shippedPolicy } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { createLeakScanner } from "./support/leaks.ts";
import { isLong } from "./support/long.ts";
import { bodyFor, places, recordIn } from "./support/platform-places.ts";
import {
  canaryKinds,
  candidatePaths,
  filledDocuments,
  hasShapes,
  type PlatformShape,
  platformShapes,
  textsOf,
  withStrangers,
} from "./support/platform-shapes.ts";
import {
  ceiling,
  credential,
  customer,
  customerPath,
  openShopWorld,
  register,
  registerQuick,
  type Shop,
  type ShopWorld,
  saying,
  shopDoors,
} from "./support/shop.ts";
import { ourTables } from "./support/thief.ts";
import { canariesEverywhere, documentsEverywhere, hearOutput, personSecrets, telling } from "./support/upstream-canaries.ts";

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
    [
      "an encoding that nobody asked for",
      saying({ customer }, 200, { "content-encoding": "br" }),
      [502, "upstream_failed", shopDoors.onNode ? undefined : 200],
    ],
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
    // On Workers they are the platform's, and none is handed on.
    [
      "headers without end",
      saying({ customer }, 200, { "x-long": secret.repeat(2_000) }),
      shopDoors.onNode ? [502, "upstream_failed", undefined] : [200, "masked", 200],
    ],
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
    expect(Date.now() - began).toBeLessThan(6_000);
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

describe.runIf(hasShapes)("whatever a platform says of people, and wherever", () => {
  const output = hearOutput();
  const everything = new Set(personSecrets);
  afterAll(() => output.stop());

  /** The candidates of personal data that came out; whatever else did has to be what the entry says was revealed. */
  async function escaped(shape: PlatformShape, kind: "text" | "number", contract?: string): Promise<string[]> {
    const place = places[shape.type];
    if (!place) throw new Error("no such type");
    const where = { ...place, ...(contract !== undefined && { contract }) };
    const canaries = canariesEverywhere(shape, kind);
    const pathOf = new Map([...canaries].flatMap(([path, { secrets }]) => secrets.map((secret) => [secret, path] as const)));
    for (const secret of pathOf.keys()) everything.add(secret);
    const scanner = createLeakScanner(pathOf.keys());
    const out = new Set<string>();
    for (const document of documentsEverywhere(shape, canaries)) {
      shop.answer = saying(bodyFor(place, { ...document, id: document.id ?? 1 }));
      const answer = await expectStatus(ask(place.path, where), 200);
      const text = await answer.text();
      const { fields = {} } = (await entries(where.contract)).at(-1)?.resource ?? {};
      const leaks = scanner.scan(`${JSON.stringify([...answer.headers])}${text}`, { fields: textsOf(JSON.parse(text)) });
      const paths = leaks.map(({ value }) => pathOf.get(value) ?? "");
      expect(paths.filter((path) => fields[path] !== "reveal")).toEqual([]);
      for (const path of paths) out.add(path);
    }
    const candidates = candidatePaths(shape);
    return [...out].filter((path) => candidates.includes(path));
  }

  it.each(platformShapes.map((shape) => [shape.list, shape] as const))(
    "in any leaf of a body of %s: nothing escapes",
    async (_list, shape) => {
      expect([await escaped(shape, "text"), await escaped(shape, "number")]).toEqual([[], []]);
    },
  );

  it.each(["shopify", "woocommerce", "magento", "zendesk", "chatwoot", "taobao"])(
    "in keys, headers, trailers, errors and redirects of %s's: nothing escapes",
    async (name) => {
      const place = Object.values(places).find((one) => one.name === name);
      if (!place) throw new Error("no such connector");
      const scanner = createLeakScanner(personSecrets);
      for (const status of [404, 410, 422, 302, 307, 201, 200, 403, 500, 429]) {
        shop.answer = telling(status);
        const answer = await ask(place.path, place);
        expect([status, answer.status]).toEqual([status, status === 404 || status === 410 ? 404 : status === 429 ? 429 : 502]);
        expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
        expect(scanner.scan(`${JSON.stringify([...answer.headers])}${await answer.text()}`)).toEqual([]);
      }
    },
  );

  it("would be seen where one path is opened by hand", async () => {
    const policy = shippedPolicy("western-shop").replace("      phone: mask\n", "      phone: reveal\n");
    await bringIntoForce(gateway, { contract: "c-opened", policy, ceiling });
    await register(gateway, "shopify", { contract: "c-opened" });
    const [customers] = platformShapes;
    expect(customers && (await escaped(customers, "text", "c-opened"))).toEqual(["phone"]);
  });

  it("is in no entry, no table and nothing that the process wrote", async () => {
    const scanner = createLeakScanner(everything);
    expect(everything.size).toBeGreaterThan(600);
    for (const contract of ["c-test", "c-taobao", "c-opened"]) expect(scanner.scan(JSON.stringify(await entries(contract)))).toEqual([]);
    for (const { name } of await ourTables(gateway.database)) {
      const rows = await gateway.database.query(`select t::text from ${name} t`);
      expect([name, scanner.scan(rows.join("\n"))]).toEqual([name, []]);
    }
    expect(scanner.scan(output.heard.join("\n"))).toEqual([]);
    expect(gateway.faults).toEqual([]);
  });

  it("leaves what the ticket's agent needs: a senior sees where the parcel is", async () => {
    await registerQuick(gateway);
    const parcel = { status: "success", shipment_status: "in_transit", tracking_company: "DHL", tracking_number: "JD014600003SE" };
    const order = { id: 1, order_number: 1017, closed_at: null, total_price: "65.27", line_items: [{ sku: "MUG-11", quantity: 2 }] };
    shop.answer = saying({ order: { ...order, fulfillments: [{ ...parcel, tracking_url: "https://kanarie.example/JD014600003SE" }] } });
    const answer = await expectStatus(ask("/admin/api/2026-07/orders/1.json", { as: "agent-2" }), 200);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ order: { ...order, fulfillments: [parcel] } });
    expect(text).not.toContain("kanarie");
  });
});
