/**
 * The gateway's process, with a dozen questions under way at once (in the long form sixty-four, as many as a contract may have), at merchants' APIs that drip, never end, do not
 * stop, are huge, packed, deep, broad, break off or talk: within its seconds each is a problem of ours, the process stays small, and nothing of what they said is in what it writes.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { bringIntoForce, expectStatus, shippedPolicy } from "./support/agreement.ts";
import { brokenBodies } from "./support/broken-bodies.ts";
import { createPostgresDatabase, type PostgresDatabase } from "./support/databases.ts";
import { createGatewayProcess, type GatewayProcess } from "./support/gateway-process.ts";
import { createLeakScanner } from "./support/leaks.ts";
import { isLong } from "./support/long.ts";
import { residentBytes } from "./support/processes.ts";
import { ceiling, credential, customer, customerPath, openShop, register, type Shop, saying, shippedConnector } from "./support/shop.ts";
import { personSecrets, telling } from "./support/upstream-canaries.ts";

const megabytesMax = 256;
const rounds = isLong ? 10 : 2;
const secret = "kanarie-zq7w-0815";

let shop: Shop;
let database: PostgresDatabase;
let gateway: GatewayProcess;
beforeAll(async () => {
  shop = await openShop();
  database = await createPostgresDatabase();
  const script = new URL("support/upstream-gateway-process.ts", import.meta.url).pathname;
  gateway = await createGatewayProcess({ ...database, script, variables: { SHOP_PORT: String(shop.port) } });
  await gateway.start();
  await bringIntoForce(gateway, { policy: shippedPolicy("western-shop"), ceiling });
}, 30_000);
afterAll(async () => {
  await gateway?.remove();
  await database?.drop();
  await shop?.close();
});

/** As it is shipped, but in less time. What was known of how it answered is forgotten. */
function registerShipped(): Promise<Response> {
  return register(gateway, "shopify", { text: shippedConnector("shopify").replace("seconds: 10", "seconds: 1") });
}

const ask = (path = customerPath) => gateway.call("GET", `/v1/contracts/c-test/upstream/shopify${path}`, { as: "agent-1" });
/** As large as the connector lets it be, and then nothing more. */
const almost: Shop["answer"] = (_path, response) => {
  response.writeHead(200, { "content-type": "application/json" }).write(`{"customer":{"id":1,"email":"${secret.repeat(60_000)}`);
};
const bodies = [...Object.values(brokenBodies(secret)).map(([answer]) => answer), almost, telling(500)];

it(`stays under ${megabytesMax} MB, and says nothing`, { timeout: isLong ? 300_000 : 60_000 }, async () => {
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, residentBytes(gateway.pid()));
  }, 20);
  const scanner = createLeakScanner([secret, credential, ...personSecrets]);
  try {
    for (let round = 0; round < rounds; round++) {
      await registerShipped();
      shop.answer = (path, response) => bodies[Number(/([0-9]+)\.json$/.exec(path)?.[1]) % bodies.length]?.(path, response);
      const began = Date.now();
      const answers = await Promise.all(
        Array.from({ length: isLong ? 64 : bodies.length }, (_, at) => ask(`/admin/api/2026-07/customers/${at}.json`)),
      );
      expect(Date.now() - began).toBeLessThan(5_000);
      // 429 and 503: who comes while it is left alone, or while all answers together are as large as they may be.
      expect(answers.map(({ status }) => status).filter((status) => ![429, 502, 503, 504].includes(status))).toEqual([]);
      expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([502, 504]));
      for (const one of answers) expect(scanner.scan(await one.text())).toEqual([]);
    }
  } finally {
    clearInterval(watch);
  }
  process.stdout.write(`the most that the gateway held: ${Math.round(most / 2 ** 20)} MB\n`);
  expect(most / 2 ** 20).toBeLessThan(megabytesMax);
  await registerShipped();
  shop.answer = saying({ customer });
  await expectStatus(ask(), 200);
  expect(scanner.scan(gateway.errors())).toEqual([]);
});
