/** Proofs of possession and service keys, where several scripts and processes share one database. */
import { expect } from "vitest";
import { expectStatus } from "./agreement.ts";
import { audience, type Door } from "./gateway.ts";
import { createHolder } from "./proofs.ts";
import type { WorkerWorld } from "./worker.ts";

export async function proofCountsOnce(world: WorkerWorld, onNode: Door): Promise<void> {
  const holder = await createHolder();
  const token = await world.boundToken("agent-1", holder.thumbprint);
  const prove = (claims = {}) => holder.proof(token, { htu: `${audience}/v1/me`, iat: Math.floor(Date.now() / 1000), ...claims });
  const show = async (door: Door, dpop: string) =>
    (await door.call("GET", "/v1/me", { headers: { authorization: `DPoP ${token}`, dpop } })).status;
  const [first, second, third] = [await prove(), await prove(), await prove()];
  expect([await show(world.edge, first), await show(world.edge, first), await show(onNode, first)]).toEqual([200, 401, 401]);
  expect([await show(onNode, second), await show(world.edge, second)]).toEqual([200, 401]);
  await world.edge.restart();
  expect(await show(world.edge, first)).toBe(401);
  const atOnce = [world.edge, onNode, world.edge, onNode].map((door) => show(door, third));
  expect((await Promise.all(atOnce)).sort()).toEqual([200, 401, 401, 401]);
  for (const wrong of [{ htm: "POST" }, { htu: `${audience}/v1/contracts` }, { htu: "https://other.example/v1/me" }, { ath: "x" }])
    expect(await show(world.edge, await prove(wrong))).toBe(401);
}

export async function serviceKeyCounts({ directory, keeper, edge }: WorkerWorld): Promise<void> {
  const keys = "/v1/contracts/c-test/service-keys";
  const body = { name: "nightly", scopes: ["retention:read"] };
  const made = await expectStatus(directory.call("POST", keys, { as: "owner-1", body }), 200);
  const { key, secret } = (await made.json()) as { key: string; secret: string };
  const headers = { authorization: `Bearer ${secret}` };
  const read = async () => (await keeper.call("GET", "/v1/contracts/c-test/retention", { headers })).status;
  expect(await read()).toBe(200);
  expect((await edge.call("GET", "/v1/me", { headers })).status).toBe(401);
  await expectStatus(directory.call("POST", `${keys}/${key}/revoke`, { as: "owner-2" }), 200);
  expect(await read()).toBe(401);
}
