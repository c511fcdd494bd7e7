/** A purge as its owner watches it: events that say how far it is, that go on where a reader left off, and that end with the certificate. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectStatus } from "./support/agreement.ts";
import type { Door } from "./support/gateway.ts";
import { approvePurge, createWorld, entriesOf, orderPurge, populate, type ShownJob, type World } from "./support/purge-world.ts";

interface Told {
  readonly id: string;
  readonly event: string;
  readonly job: ShownJob;
}

async function* events(gateway: Door, job: string, after?: string, as = "owner-1"): AsyncGenerator<Told> {
  const headers = after === undefined ? {} : { "last-event-id": after };
  const answer = await expectStatus(gateway.call("GET", `/v1/contracts/c-test/purges/${job}/events`, { as, headers }), 200);
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  let rest = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = `${rest}${chunk}`.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, id = "", event = "", data = ""] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (id !== "") yield { id, event, job: JSON.parse(data) as ShownJob };
    }
  }
}

describe("an owner watches a purge", () => {
  let world: World;
  let job: string;
  const all: Told[] = [];
  beforeAll(async () => {
    world = await createWorld();
    await populate(world.gateway, {}, 40);
    ({ job } = await orderPurge(world.gateway));
  });
  afterAll(() => world.close());

  it("is told where it stands at once, and then of every step until the certificate", async () => {
    const watching = (async () => {
      for await (const told of events(world.gateway, job)) all.push(told);
    })();
    await expect.poll(() => all.length).toBe(1);
    expect(all[0]).toMatchObject({ event: "progress", job: { step: "requested", progress: { rows: null, rows_deleted: 0 } } });
    await approvePurge(world.gateway, job);
    await expect.poll(() => all.at(-1)?.job.step).toBe("approved");
    await world.gateway.keeper.tick();
    await watching;
    expect(all.at(-1)).toMatchObject({ event: "certified", job: { step: "certified", progress: { rows: 125, rows_deleted: 125 } } });
    expect(all.filter(({ event }) => event === "certified")).toHaveLength(1);
    const steps = all.map(({ job: { progress } }) => progress.done);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it("leaves one entry, however much it is told", async () => {
    const logged = (await entriesOf(world.owner, "c-test")).filter(({ event }) => event === "purge.read");
    expect(logged).toHaveLength(1);
  });

  it("is told of what is further alone when it comes back, and always of the end", async () => {
    const seen: Told[] = [];
    for await (const told of events(world.gateway, job, all[0]?.id)) seen.push(told);
    expect(seen.map(({ event }) => event)).toEqual(["certified"]);
    for await (const told of events(world.gateway, job, all.at(-1)?.id)) seen.push(told);
    expect(seen.map(({ event }) => event)).toEqual(["certified", "certified"]);
  });

  it("is nobody but an owner of this contract's merchant", async () => {
    for (const [as, status] of [
      ["officer", 403],
      ["agent-1", 404],
      ["owner-b1", 404],
    ] as const) {
      expect((await world.gateway.call("GET", `/v1/contracts/c-test/purges/${job}/events`, { as })).status).toBe(status);
    }
    expect((await world.gateway.call("GET", "/v1/contracts/c-test/purges/other/events", { as: "owner-1" })).status).toBe(404);
  });
});
