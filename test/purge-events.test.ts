/** A purge as its owner watches it: events that say how far it is, that go on where a reader left off, and that end with the certificate. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectStatus } from "./support/agreement.ts";
import type { Door } from "./support/gateway.ts";
import { approvePurge, createWorld, entriesOf, neighbour, orderPurge, populate, type ShownJob, type World } from "./support/purge-world.ts";

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

/** Each person's key once more, so many times, under names that nobody has. */
async function multiplyKeys({ owner }: World, times: number): Promise<void> {
  await owner.query(
    `insert into postern.subject_key (contract_id, subject, epoch, wrapped)
     select contract_id, subject || '.' || n, epoch, wrapped from postern.subject_key, generate_series(1, $1::int) n where contract_id = 'c-test'`,
    [times],
  );
}

describe("an owner watches a purge of more rows than go in one batch, by a keeper that has others to see to", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ keeper: { leaseMs: 1 } });
    await populate(world.gateway, {}, 40);
    await populate(world.gateway, neighbour, 5);
    await multiplyKeys(world, 112);
  });
  afterAll(() => world.close());

  it("sees it go on turn by turn, counted by what is gone, to the end", async () => {
    const { job } = await orderPurge(world.gateway);
    await approvePurge(world.gateway, job);
    const seen: ShownJob[] = [];
    const left: number[] = [];
    const count = "select count(*)::int from postern.subject_key where contract_id = 'c-test'";
    while (seen.at(-1)?.step !== "certified" && seen.length < 9) {
      await world.gateway.keeper.tick();
      seen.push((await (await world.gateway.call("GET", `/v1/contracts/c-test/purges/${job}`, { as: "owner-1" })).json()) as ShownJob);
      left.push(Number((await world.owner.query(count))[0]?.[0]));
    }
    expect(left).toEqual([2_520, 520, 0]);
    const [records, keys, derived] = [40, 4_520, 40 + 3 + 2];
    const total = records + keys + derived;
    expect(seen.map(({ progress: { rows, rows_deleted } }) => [rows, rows_deleted])).toEqual(
      left.map((rest) => [total, rest === 0 ? total : records + keys - rest]),
    );
    expect(await world.owner.query("select count(*)::int from postern.subject_key where contract_id = 'c-other'")).toEqual([[5]]);
  });
});

describe("an owner watches a purge", () => {
  let world: World;
  let job: string;
  const all: Told[] = [];
  beforeAll(async () => {
    world = await createWorld();
    await populate(world.gateway, {}, 40);
    await multiplyKeys(world, 112);
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
    expect(all.at(-1)).toMatchObject({ event: "certified", job: { step: "certified", progress: { rows: 4_605, rows_deleted: 4_605 } } });
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
