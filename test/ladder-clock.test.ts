/** What no clock can do to a contract, a process's or the database's. */
import { afterEach, describe, expect, it } from "vitest";
import { beat, type ClockStanding } from "../src/contracts/clock.ts";
import { expectStatus } from "./support/agreement.ts";
import { codeOf, day, hour, show } from "./support/ladder.ts";
import { approvePurge, createWorld, eventsOf, openGateway, orderPurge, populate, stateOf, type World } from "./support/purge-world.ts";

describe("the clock", () => {
  let world: World;
  afterEach(() => world.close());

  it("leaves a day between an end and its purge at least: no row says less", async () => {
    world = await createWorld();
    await populate(world.gateway);
    const soon = world.owner.query("update postern.contract set ends_at = now(), purge_due_at = now() + interval '23 hours 59 minutes'");
    await expect(soon).rejects.toMatchObject({ sqlState: "23514" });
    await world.owner.query("update postern.contract set ends_at = now(), purge_due_at = now() + interval '24 hours'");
  });

  it("of a process ten years ahead ends and purges nothing", async () => {
    world = await createWorld();
    await populate(world.gateway);
    const now = () => Date.now() + 3_652 * day;
    const ahead = await openGateway(world, {}, { now });
    for (let i = 0; i < 3; i++) await ahead.keeper.tick();
    expect(await stateOf(world.owner)).toEqual({ contract: "active", log: "open", step: "none" });
    expect((await show(world.gateway)).standing).toBe("active");
    expect(await world.owner.query("select count(*)::int from postern.record")).toEqual([[20]]);
    await ahead.close();
  });

  it("of the database that leaps ends, announces and purges nothing, says so, and goes on when an operator has accepted it", async () => {
    world = await createWorld();
    const { gateway, owner } = world;
    await populate(gateway);
    await approvePurge(gateway, (await orderPurge(gateway)).job);
    await owner.query("update postern.clock set beat_at = now() - interval '3650 days'");
    await owner.query("insert into postern.clock (beat_at) values (now() - interval '3650 days') on conflict do nothing");
    await owner.query("update postern.contract set ends_at = now() - interval '8 days', purge_due_at = now()");
    for (let i = 0; i < 3; i++) await gateway.keeper.tick();
    expect(await stateOf(owner)).toEqual({ contract: "active", log: "open", step: "approved" });
    expect((await eventsOf(owner, "gateway")).filter((event) => event === "clock.doubted")).toHaveLength(1);
    const ready = await expectStatus(gateway.call("GET", "/readyz"), 200);
    expect(await ready.json()).toMatchObject({ status: "ok", waiting: { clock: expect.stringMatching(/24 h, or until an operator/) } });

    const accept = (now: string, as = "operator") => codeOf(gateway.call("POST", "/v1/clock/accept", { as, body: { now } }));
    expect(await accept(new Date(Date.now() - hour).toISOString())).toEqual([422, "unacceptable"]);
    for (const as of ["owner-1", "officer", "agent-1"]) expect(await accept(new Date().toISOString(), as)).toEqual([403, "not_permitted"]);
    await gateway.keeper.tick();
    expect((await stateOf(owner)).step).toBe("approved");
    expect(await accept(new Date().toISOString())).toEqual([200, undefined]);
    expect(await (await gateway.call("GET", "/readyz")).json()).not.toHaveProperty("waiting");
    await gateway.keeper.tick();
    expect((await stateOf(owner)).step).toBe("certified");
    expect((await eventsOf(owner, "gateway")).filter((event) => event === "clock.accepted")).toHaveLength(2);
  });
});

describe("a clock is believed", () => {
  const start = Date.UTC(2026, 10, 27);
  const walk = (standing: ClockStanding, ...steps: readonly number[]) =>
    steps.reduce((known, step) => beat(known, known.beatAt + step), standing);
  const calm: ClockStanding = { beatAt: start, doubt: null, steadyMs: 0 };

  it("while it goes, or stands still for a day, or goes back", () => {
    for (const steps of [[2_000, 2_000], [day], [-10 * day, 2_000]]) expect(walk(calm, ...steps).doubt).toBeNull();
  });

  it("no more after a step of more than a day, and again once a day of real time has passed", () => {
    const leapt = walk(calm, 3_650 * day);
    expect(leapt.doubt).toEqual({ from: start, at: start + 3_650 * day });
    const minutes = (count: number) => Array.from({ length: count }, () => 60_000);
    expect(walk(leapt, ...minutes(24 * 60 - 1)).doubt).not.toBeNull();
    expect(walk(leapt, ...minutes(24 * 60)).doubt).toBeNull();
  });

  it("not for steps that are leaps again", () => {
    const leapt = walk(calm, 3_650 * day);
    expect(walk(leapt, 23 * hour, 23 * hour, 23 * hour).doubt).not.toBeNull();
    expect(walk(leapt, ...Array.from({ length: 1_000 }, () => 60_000), 2 * day, 60_000 * 500).steadyMs).toBeLessThan(hour);
  });

  it("at once when it is back where it was", () => {
    expect(walk(calm, 3_650 * day, 60_000, -3_650 * day).doubt).toBeNull();
  });
});
