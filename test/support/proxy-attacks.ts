/** The attacks on the way to and from a merchant's own API that the project was given, by their numbers: each says what comes of it. */
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { serve as listen } from "@hono/node-server";
import { expect } from "vitest";
import { createNodeReach } from "../../src/upstream/node-reach.ts";
import { bringIntoForce, type Problem, shippedPolicy } from "./agreement.ts";
import { expectNothingFromBroken } from "./broken-bodies.ts";
import type { Gateway } from "./gateway.ts";
import { refusedUrls } from "./refused-urls.ts";
import { credential, customer, customerPath, registerQuick, type Shop, saying, shippedConnector } from "./shop.ts";

const contract = "c-proxy";
const upstream = `/v1/contracts/${contract}/upstream/shopify`;
const secret = "kanarie-zq7w-proxy";

/** A contract whose merchant's API is `shop`, that of the gateway's reach. */
export async function openProxyContract(gateway: Gateway): Promise<void> {
  const ceiling = "{ plain: reveal, person_name: mask, address: mask, phone: mask, email: mask, free_text: withhold }";
  await bringIntoForce(gateway, { contract, policy: shippedPolicy("western-shop"), ceiling });
  await registerQuick(gateway, contract);
}

interface Tried {
  readonly gateway: Gateway;
  readonly shop: Shop;
}

type Attempt = (tried: Tried) => Promise<void>;

async function whole(answer: Response): Promise<string> {
  return `${JSON.stringify([...answer.headers])}${await answer.text()}`;
}

function read({ gateway }: Tried, path = customerPath, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return gateway.call("GET", `${upstream}${path}`, { as: "agent-1", headers });
}

/** What a gateway on a socket answers to these bytes. */
async function overSocket({ gateway }: Tried, ask: (send: (bytes: string) => Promise<string>) => Promise<void>): Promise<void> {
  const server = listen({ fetch: gateway.app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const send = async (bytes: string) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await once(socket, "close");
    return text;
  };
  try {
    await ask(send);
  } finally {
    server.close();
  }
}

const outgoing = { method: "GET" as const, host: "shop.example.com", path: "/", headers: {} };

export const proxyAttacks: Readonly<Record<string, Attempt>> = {
  "PROXY-01: no address, in whatever spelling, is registered for a merchant's API, and none is connected to": async ({ gateway }) => {
    const own = shippedConnector("shopify").replace("settings: { shop: label }", "");
    for (const url of refusedUrls) {
      const text = own.replace("https://{shop}.myshopify.com", JSON.stringify(url));
      const body = { connector: { name: "shopify.yaml", text }, credential };
      const answer = await gateway.call("PUT", `/v1/contracts/${contract}/connectors/shopify`, { as: "owner-1", body });
      const { errors } = (await answer.json()) as Problem;
      expect([url, answer.status, errors?.[0]?.pointer]).toEqual([url, 422, expect.stringMatching(/shopify\.yaml:10:7/)]);
    }
    // Were one of them stored all the same: a name of this kind leads where the system says, and that is looked at.
    const reach = createNodeReach();
    for (const host of ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost", "169.254.169.254"])
      await expect(reach({ ...outgoing, host }, AbortSignal.timeout(2_000)), host).rejects.toThrow("no public address");
    for (const address of ["::ffff:7f00:1", "64:ff9b::7f00:1", "fd00::1", "100.100.100.200", "::", "fe80::1%lo"]) {
      const led = createNodeReach({ resolve: async () => [{ address, family: 6 }] });
      await expect(led(outgoing, AbortSignal.timeout(2_000)), address).rejects.toThrow("no public address");
    }
  },
  "PROXY-03: a name that is turned to an address inside is connected to where it was looked at, and then not at all": async () => {
    const answers = ["93.184.216.34", "127.0.0.1"];
    const connected: string[] = [];
    const reach = createNodeReach({
      resolve: async () => [{ address: answers.shift() ?? "127.0.0.1", family: 4 }],
      request: (({ lookup, host }: { lookup: Lookup; host: string }) => {
        lookup(host, {}, (_fault, address) => connected.push(address));
        lookup(host, { all: true }, (_fault, all) =>
          connected.push(...(all as unknown as { address: string }[]).map(({ address }) => address)),
        );
        throw new Error("far enough");
      }) as never,
    });
    await expect(reach(outgoing, AbortSignal.timeout(1_000))).rejects.toThrow("far enough");
    await expect(reach(outgoing, AbortSignal.timeout(1_000))).rejects.toThrow("no public address");
    expect(connected).toEqual(["93.184.216.34", "93.184.216.34"]);
  },
  "PROXY-05: an id that climbs, ends early or is spelled otherwise is no id": async (tried) => {
    const before = tried.shop.asked.length;
    const places = [
      (id: string) => `${upstream}/admin/api/2026-07/customers/${id}.json`,
      (id: string) => `/v1/contracts/${contract}/records/shopify_customer/${id}`,
    ];
    await overSocket(tried, async (send) => {
      const token = await tried.gateway.token("agent-1");
      for (const at of places)
        for (const id of ["..", ".", "%2e%2e", "a/../b", "a?x=1", "a#b", "a%23b", "a%2fb", "a\\b", "1∕2", "1／2"]) {
          const answer = await send(
            `GET ${at(id)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
          );
          expect([id, answer.slice(0, 12)]).toEqual([id, expect.stringMatching(/^HTTP\/1.1 40[04]/)]);
        }
    });
    expect(tried.shop.asked).toHaveLength(before);
  },
  "PROXY-07: who names another host, two, or none is not answered as if it were ours": async (tried) => {
    const good = `Authorization: Bearer ${await tried.gateway.token("agent-1")}\r\nConnection: close\r\n\r\n`;
    const line = `GET ${upstream}${customerPath} HTTP/1.1\r\n`;
    tried.shop.answer = saying({ customer });
    await overSocket(tried, async (send) => {
      for (const host of ["127.0.0.1", "localhost:8787", "LOCALHOST", "[::1]:80"])
        expect(await send(`${line}Host: ${host}\r\n${good}`), host).toMatch(/^HTTP\/1.1 200 /);
      const before = tried.shop.asked.length;
      for (const bytes of [
        `${line}Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n${good}`,
        `${line}Host: 127.0.0.1\r\nHost: evil.example\r\n${good}`,
        ...["evil.example", "127.0.0.1.evil.example", "evil.example:8787", "127.0.0.1, x", "127.0.0.1@evil", "", "localhost."].map(
          (host) => `${line}Host: ${host}\r\n${good}`,
        ),
        `GET http://evil.example${upstream}${customerPath} HTTP/1.1\r\nHost: 127.0.0.1\r\n${good}`,
        `${line}${good}`,
        `GET ${upstream}${customerPath}#x HTTP/1.1\r\nHost: 127.0.0.1\r\n${good}`,
      ])
        expect([bytes, (await send(bytes)).slice(0, 12)]).toEqual([bytes, "HTTP/1.1 400"]);
      expect(tried.shop.asked).toHaveLength(before);
      for (const version of ["1.0", "2.0"])
        expect(await send(`GET /v1/me HTTP/${version}\r\nHost: evil.example\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 /);
      expect(await send("GET /healthz HTTP/1.1\r\nHost: 10.0.0.7:8787\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 200 /);
    });
  },
  "PROXY-13: an API that drips, never ends, is huge, packed, deep or breaks off costs its seconds and is none": async (tried) => {
    // So that what was known of it before is forgotten, and what comes of this is as well.
    await registerQuick(tried.gateway, contract);
    await expectNothingFromBroken(tried.shop, secret, (path) => read(tried, path));
    await registerQuick(tried.gateway, contract);
  },
  "PROXY-15: what an API tells a browser stays behind": async (tried) => {
    const told = {
      "set-cookie": `s=${secret}`,
      "access-control-allow-origin": "*",
      "access-control-allow-credentials": "true",
      "content-security-policy": `script-src ${secret}`,
      "strict-transport-security": "max-age=0",
      link: `<https://evil.example/${secret}>; rel=preload, <https://acme.myshopify.com/a?b=${secret}>; rel=next`,
      location: secret,
      "server-timing": `db;desc=${secret}`,
      "x-user-email": secret,
      etag: secret,
      refresh: `0;url=${secret}`,
    };
    tried.shop.answer = saying({ customer }, 200, told);
    const answer = await read(tried);
    expect(answer.status).toBe(200);
    expect(await whole(answer)).not.toContain(secret);
    const ours = ["audit-promise", "cache-control", "content-security-policy", "content-type", "referrer-policy", "x-content-type-options"];
    expect([...answer.headers.keys()]).toEqual([...ours, "x-request-id"]);
    expect(answer.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
  },
  "PROXY-17: a page's or a script's name behind a record is no record, and nothing is kept": async (tried) => {
    tried.shop.answer = saying({ customer });
    const before = tried.shop.asked.length;
    const { pathname } = new URL(`http://x${upstream}${customerPath}`);
    const record = pathname.replace(/\.json$/, "");
    for (const path of [`${pathname}/x.css`, `${record}.css`, `${record}/x.css`, `${record};.js`, `${record}%3f.css`, `${pathname};.js`]) {
      const answer = await tried.gateway.call("GET", path, { as: "agent-1" });
      expect([path, answer.status, answer.headers.get("cache-control")]).toEqual([path, expect.toBeOneOf([400, 404]), "no-store"]);
    }
    expect(tried.shop.asked).toHaveLength(before);
  },
};

type Lookup = (host: string, options: { all?: true }, answer: (fault: unknown, address: string) => void) => void;
