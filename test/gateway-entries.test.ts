/** An officer sees what the gateway's own log holds about the contract, and nothing that it holds about anybody else's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus } from "./support/agreement.ts";
import { createLogGateway, type LogGateway } from "./support/log-gateway.ts";
import { neighbour } from "./support/purge-world.ts";

interface Listed {
  readonly index: number;
  readonly event: string;
  readonly code: string;
  readonly actor: { readonly id: string; readonly issuer: string | null; readonly subject: string | null };
  readonly facts: Readonly<Record<string, unknown>>;
}

let world: LogGateway;
beforeAll(async () => {
  world = await createLogGateway();
  await bringIntoForce(world.gateway);
  await bringIntoForce(world.gateway, neighbour);
  const locator = `r_${"a".repeat(26)}`;
  for (const contract of ["c-test", "c-other"]) {
    for (const as of ["stranger", `stranger-of-${contract}`])
      await expectStatus(world.gateway.call("GET", `/v1/contracts/${contract}/records/customer/${locator}`, { as }), 404);
    await expectStatus(world.gateway.call("POST", `/log/${contract}/epochs`, { as: "operator", body: { dry_run: true } }), 409);
  }
  await expectStatus(world.gateway.call("GET", "/v1/contracts/c-other", { as: "owner-1" }), 404);
  await expectStatus(world.gateway.call("GET", "/v1/contracts", { as: "owner-1" }), 200);
  await world.gateway.keeper.patrol();
  await world.gateway.keeper.sequence();
});
afterAll(() => world.close());

async function page(query = "", { contract = "c-test", as = "officer" } = {}): Promise<{ entries: Listed[]; next: string | null }> {
  const path = `/v1/contracts/${contract}/audit/entries?log=gateway${query}`;
  return (await (await expectStatus(world.gateway.call("GET", path, { as }), 200)).json()) as { entries: Listed[]; next: string | null };
}

const subjectsOf = ({ entries }: { entries: readonly Listed[] }) => entries.map(({ actor }) => actor.subject).toSorted();

describe("an officer who asks for what the gateway's log says of the contract", () => {
  it("sees who was turned away and what operators did, with who it was", async () => {
    const { entries } = await page();
    expect(entries.map(({ index }) => index)).toEqual(entries.map(({ index }) => index).toSorted((a, b) => b - a));
    expect(entries.every(({ facts }) => facts.contract === "c-test")).toBe(true);
    expect(subjectsOf(await page("&effect=deny&event=log.epoch_planned"))).toEqual(["operator"]);
    expect(subjectsOf(await page("&actor=demo/stranger"))).toEqual(["stranger"]);
    expect(subjectsOf({ entries })).toEqual(expect.arrayContaining(["stranger", "stranger-of-c-test", "operator"]));
  });

  it("sees nothing that names another merchant's contract, or none", async () => {
    const own = await page();
    const others = await page("", { contract: "c-other", as: "officer-b" });
    expect(subjectsOf(others)).toEqual(expect.arrayContaining(["stranger-of-c-other", "owner-1"]));
    expect(subjectsOf(own)).not.toContain("stranger-of-c-other");
    expect(subjectsOf(others)).not.toContain("stranger-of-c-test");
    expect(own.entries.filter(({ index }) => others.entries.some((other) => other.index === index))).toEqual([]);
    const events = [...own.entries, ...others.entries].map(({ event }) => event);
    for (const event of ["log.heads", "contracts.listed"]) expect(events).not.toContain(event);
    for (const event of ["log.heads", "contracts.listed"]) expect((await page(`&event=${event}`)).entries).toEqual([]);
    for (const as of ["officer-b", "stranger"])
      await expectStatus(world.gateway.call("GET", "/v1/contracts/c-test/audit/entries?log=gateway", { as }), 404);
    for (const as of ["owner-1", "agent-1"])
      await expectStatus(world.gateway.call("GET", "/v1/contracts/c-test/audit/entries?log=gateway", { as }), 403);
  });

  it("turns pages under cursors of this question alone", async () => {
    const first = await page("&limit=1");
    const second = await page(`&limit=1&cursor=${first.next}`);
    expect(second.entries[0]?.index).toBeLessThan(first.entries[0]?.index ?? 0);
    const elsewhere = `/v1/contracts/c-test/audit/entries?limit=1&cursor=${first.next}`;
    await expectStatus(world.gateway.call("GET", elsewhere, { as: "officer" }), 400);
  });

  it("leaves an entry of the reading in the contract's log", async () => {
    await page("&effect=deny");
    await world.gateway.keeper.sequence();
    const path = "/v1/contracts/c-test/audit/entries?event=audit.listed&limit=1";
    const { entries } = (await (await world.gateway.call("GET", path, { as: "officer" })).json()) as { entries: Listed[] };
    expect(entries).toMatchObject([{ facts: { contract: "c-test", of: "gateway", asked_by: ["effect"] } }]);
  });

  it("is shown no other's entry by a search table that was changed", async () => {
    const { entries } = await page();
    await world.owner.query("update audit.search set contract = 'c-test' where log = 'gateway'");
    expect((await page()).entries).toEqual(entries);
  });
});
