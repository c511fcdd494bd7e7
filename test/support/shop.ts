/** A merchant's own API: a real HTTP server on loopback that answers as it is told, and the way to it, which takes it for `acme.myshopify.com`. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serve as listen } from "@hono/node-server";
import type { Entry } from "../../src/audit/entry.ts";
import { classNames } from "../../src/masking/index.ts";
import type { Reach } from "../../src/upstream/index.ts";
import { bringIntoForce, expectStatus, shippedPolicy } from "./agreement.ts";
import { createGateway, type Door, type Gateway } from "./gateway.ts";
import { createLoopbackReach } from "./loopback-reach.ts";
import { entriesOf } from "./purge-world.ts";

export interface Shop {
  readonly reach: Reach;
  readonly port: number;
  readonly asked: { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  answer: (path: string, response: ServerResponse) => void;
  /** The names that were resolved, in order. */
  readonly resolved: string[];
  close(): Promise<void>;
}

/** Answers 404 until it is told otherwise. */
export async function openShop(): Promise<Shop> {
  const asked: Shop["asked"] = [];
  const resolved: string[] = [];
  const server = createServer((request, response) => {
    const { url = "", method = "", headers } = request;
    response.on("error", () => undefined);
    let body = "";
    const heard = () => {
      asked.push({ method, path: url, headers, body });
      shop.answer(url, response);
    };
    if (method === "GET") heard();
    else request.on("data", (chunk) => (body += chunk)).on("end", heard);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const shop: Shop = {
    port,
    reach: createLoopbackReach(port, { resolved }),
    asked,
    resolved,
    answer: (_path, response) => void response.writeHead(404).end(),
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return shop;
}

/** Says `body` as JSON. */
export function saying(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Shop["answer"] {
  return (_path, response) => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

export const credential = "kanarie-credential-zq7w";

const settingsOf: Readonly<Record<string, object>> = {
  shopify: { shop: "acme" },
  woocommerce: { host: "shop.example.com" },
  magento: { host: "shop.example.com" },
  zendesk: { subdomain: "acme" },
  chatwoot: { host: "desk.example.com", account: "3" },
};
/** Of a form of its own. */
const credentialOf: Readonly<Record<string, string>> = {
  woocommerce: `ck_own:${credential}`,
  zendesk: `desk@shop.example/token:${credential}`,
  taobao: `12345678:${credential}:session-1`,
};

export function shippedConnector(name: string): string {
  return readFileSync(new URL(`../../policies/connectors/${name}.yaml`, import.meta.url), "utf8");
}

/** Under its own name, by the first owner. */
export async function register(
  gateway: Door,
  name: string,
  { text = shippedConnector(name), as = "owner-1", contract = "c-test" } = {},
): Promise<Response> {
  const body = { connector: { name: `${name}.yaml`, text }, settings: settingsOf[name], credential: credentialOf[name] ?? credential };
  return expectStatus(gateway.call("PUT", `/v1/contracts/${contract}/connectors/${name}`, { as, body }), 200);
}

export const customerPath = "/admin/api/2026-07/customers/207119551.json";
export const ordersPath = "/admin/api/2026-07/orders.json";
export const customer = {
  id: 207119551,
  email: "bob.norman@mail.example",
  phone: "+16136120707",
  first_name: "Bob",
  total_spent: "199.65",
  orders_count: 1,
};

/** Shopify, with small limits; and all that is known of how it answered is forgotten. */
export function registerQuick(gateway: Door, contract = "c-test"): Promise<Response> {
  const text = shippedConnector("shopify").replace("seconds: 10, bytes: 1048576, records: 250", "seconds: 1, bytes: 65536, records: 20");
  return register(gateway, "shopify", { text, contract });
}

interface Asking {
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly method?: string;
  readonly contract?: string;
  readonly body?: unknown;
}

/** Of a contract that lets the policy say everything. */
export const ceiling = `{ ${classNames.map((name) => `${name}: reveal`).join(", ")} }`;

export interface ShopWorld extends ShopDoor {
  ask(path: string, asking?: Asking): Promise<Response>;
  /** Of a contract's log. */
  entries(contract?: string): Promise<Entry[]>;
}

export interface ShopDoor {
  readonly shop: Shop;
  readonly gateway: Gateway;
  /** Of this machine, where agents' programs find it. */
  listen(): Promise<{ readonly port: number; close(): void }>;
}

/** Where the worlds of a test file's merchants' APIs come from: the edge on Node, unless the file is run for another runtime. */
export const shopDoors = {
  onNode: true,
  async open(): Promise<ShopDoor> {
    const shop = await openShop();
    const gateway = await createGateway({ edge: { reach: shop.reach } });
    return { shop, gateway, listen: () => listenTo(gateway) };
  },
};

async function listenTo({ app }: Gateway): ReturnType<ShopDoor["listen"]> {
  const server = listen({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** Contracts that let the policy say everything, with the shipped connectors: `c-test` of a western shop, whose Shopify has small limits, and `c-taobao`. */
export async function openShopWorld(): Promise<ShopWorld> {
  const door = await shopDoors.open();
  const { gateway } = door;
  await bringIntoForce(gateway, {
    policy: shippedPolicy("western-shop"),
    ceiling,
    purposes: "{ after_sales: {}, shipping: {}, emergency: { break_glass: { minutes: 10 } } }",
  });
  await registerQuick(gateway);
  for (const name of ["woocommerce", "magento", "zendesk", "chatwoot"]) await register(gateway, name);
  await bringIntoForce(gateway, { contract: "c-taobao", ceiling, purposes: "{ after_sales: {}, logistics: {} }" });
  await register(gateway, "taobao", { contract: "c-taobao" });
  return {
    ...door,
    ask: (path, { as = "agent-1", headers = {}, name = "shopify", method = "GET", body, contract = "c-test" } = {}) =>
      gateway.call(method, `/v1/contracts/${contract}/upstream/${name}${path}`, { as, headers, body }),
    entries: async (contract = "c-test") => (await entriesOf(gateway.database, contract)) as unknown as Entry[],
  };
}

/** An owner registers the merchant's own API, and agents ask it and write into it. */
export async function askShop(gateway: Gateway): Promise<void> {
  const text = `connector: shop
base: https://shop.example.com
authentication: bearer
forms: true
routes:
  - { get: "/customers/{id}", resource: customer, records: body }
writes:
${["post", "put", "patch"].map((method) => `  - { ${method}: "/customers/{id}", resource: customer, body: body, fields: [address] }\n`).join("")}`;
  const body = { connector: { name: "shop.yaml", text }, credential: "kanarie-zq7w-credential" };
  await expectStatus(gateway.call("PUT", `/v1/contracts/c-test/connectors/shop`, { as: "owner-1", body }), 200);
  const customer = "/v1/contracts/c-test/upstream/shop/customers/1";
  await expectStatus(gateway.call("GET", customer, { as: "agent-1" }), 200);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  await expectStatus(gateway.call("POST", customer, { as: "agent-1", body: "", headers }), 200);
  for (const method of ["POST", "PUT", "PATCH"]) {
    const written = { body: { address: "浙江省杭州市西湖区文一路1号" }, headers: { "idempotency-key": `kanarie-zq7w-${method}` } };
    await expectStatus(gateway.call(method, customer, { as: "agent-2", ...written }), 200);
  }
  for (const [method, path] of [
    ["GET", ""],
    ["GET", "/shop"],
    ["DELETE", "/shop"],
  ] as const)
    await expectStatus(gateway.call(method, `/v1/contracts/c-test/connectors${path}`, { as: "owner-1" }), 200);
}
