/** What an API may answer in place of an answer, with `secret` in it, and what an agent is told then. */
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { type Shop, saying } from "./shop.ts";

/** A thousandfold. */
const bomb = gzipSync(`{"customer":{"id":1,"note":"${"0".repeat(20_000_000)}"}}`);
const open = { "content-type": "application/json" };

export function brokenBodies(secret: string): Readonly<Record<string, readonly [answer: Shop["answer"], status: number]>> {
  const begun = `{"customer":{"id":1,"email":"${secret}"`;
  const drips: Shop["answer"] = (_path, response) => {
    response.writeHead(200, open).write(begun);
    const drip = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(drip));
  };
  const endless =
    (headers: Readonly<Record<string, string>>): Shop["answer"] =>
    (_path, response) => {
      response.writeHead(200, { ...open, ...headers });
      const more = () => {
        while (!response.destroyed && response.write(secret.repeat(1_000)));
      };
      response.on("drain", more);
      more();
    };
  const breaks: Shop["answer"] = (_path, response) => {
    response.writeHead(200, open);
    response.write(begun, () => response.destroy());
  };
  return {
    drips: [drips, 504],
    "never ends": [(_path, response) => void response.writeHead(200, open).write(begun), 504],
    "says nothing": [() => undefined, 504],
    "is huge, and says so": [endless({ "content-length": String(2 ** 31) }), 502],
    "does not stop": [endless({}), 502],
    "is a bomb": [(_path, response) => void response.writeHead(200, { ...open, "content-encoding": "gzip" }).end(bomb), 502],
    "is ten thousand deep": [saying(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`), 502],
    "has a hundred thousand keys": [saying(`{"customer":{"id":1,${Array.from({ length: 100_000 }, (_, n) => `"${n}":1`).join()}}}`), 502],
    "breaks off": [breaks, 502],
  };
}

/** All at once, each for a customer of its own: every one is a problem of ours within the second that the connector has, and says nothing of what came. */
export async function expectNothingFromBroken(shop: Shop, secret: string, ask: (path: string) => Promise<Response>): Promise<void> {
  const bodies = Object.entries(brokenBodies(secret));
  shop.answer = (path, response) => bodies[Number(/([0-9]+)\.json$/.exec(path)?.[1])]?.[1][0](path, response);
  const began = Date.now();
  const told = await Promise.all(bodies.map((_body, at) => ask(`/admin/api/2026-07/customers/${at}.json`)));
  expect(Date.now() - began).toBeLessThan(6_000);
  expect(told.map(({ status }, at) => [bodies[at]?.[0], status])).toEqual(bodies.map(([name, [, status]]) => [name, status]));
  for (const answer of told) expect(`${JSON.stringify([...answer.headers])}${await answer.text()}`).not.toContain(secret);
}
