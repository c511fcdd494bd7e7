/**
 * A database that was set back for good: an operator opens a new epoch of the log, which says what is lost and carries on from what is left.
 * A real Postgres, the anchor as files.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyReceipt } from "../src/audit/receipt.ts";
import { checkDatabase } from "../src/cli/doctor-databases.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { readMany, verifyLog } from "./support/log-gateway.ts";
import { createEpochWorld, type EpochWorld, origin } from "./support/set-back.ts";
import { newestCheckpoint, rememberLogs, sizeOf } from "./support/stored-log.ts";

let world: EpochWorld;
beforeEach(async () => {
  world = await createEpochWorld();
});
afterEach(() => world.close());

describe("a log whose database was set back for good", () => {
  it("goes on in a new epoch that an operator orders, and every promise is kept or known to be lost", async () => {
    const { before, gone, held, published } = await world.setBack();
    const waiting = await world.readOnce();

    const planned = await world.plan();
    expect(planned).toMatchObject({
      opens: `${origin}@2`,
      entries: held,
      lost: { from: held, to: published },
      begun: false,
      opened: false,
    });
    expect(planned.published).toMatchObject({ origin, entries: published, checkpoint: gone.checkpoint });
    expect(await sizeOf(world.stored)).toBe(held);
    expect(await world.refusal(world.ask({ confirm: origin }))).toEqual(["unacceptable", "not_the_origin"]);
    expect(await sizeOf(world.stored)).toBe(held);
    expect(await world.open(`${origin}@2`)).toMatchObject({ opens: `${origin}@2`, opened: true });

    expect(await world.readyz()).toBe("ok");
    expect(await checkDatabase(world.urls.keeperUrl, "postern_keeper")).toHaveProperty("ok");
    const after = await readMany(world.gateway, 20);
    const renewed = await world.freshTrust();
    expect([renewed.log.name, renewed.gateway.name, ...renewed.earlier.map(({ name }) => name)]).toEqual([
      `${origin}@2`,
      "test/postern/gateway",
      origin,
    ]);
    const whole = await verifyLog(world.gateway, renewed, { seen: [...before.promises, before.checkpoint, waiting, ...after] });
    expect(whole).toMatchObject({ ok: true, origin: `${origin}@2`, problems: [], lost: [{ epoch: 2, from: held, to: published }] });
    const lost = await verifyLog(world.gateway, renewed, { seen: [...gone.promises, gone.checkpoint] });
    expect(lost.problems.map(({ code }) => code)).toEqual(Array(gone.promises.length + 1).fill("seen_lost"));

    for (const promise of [before.promises[0], waiting, after[0]]) {
      const receipt = await world.receiptOf(promise ?? "");
      expect(await verifyReceipt({ text: receipt, trust: renewed, kept: promise ?? "", verifySignature })).toMatchObject({ ok: true });
    }
  });

  it("is told to whoever holds the trust file of before, who verifies all else with it", async () => {
    await world.setBack();
    await world.open((await world.plan()).opens);
    expect((await verifyLog(world.gateway, world.trust)).problems.map(({ code }) => code)).toEqual(["epoch_not_trusted"]);
  });

  it("keeps receipts and exports from before good", async () => {
    const [promise = ""] = await readMany(world.gateway, 3);
    const receipt = await world.receiptOf(promise);
    await world.setBack();
    await world.open((await world.plan()).opens);
    const renewed = await world.freshTrust();
    for (const known of [world.trust, renewed])
      expect(await verifyReceipt({ text: receipt, trust: known, kept: promise, verifySignature })).toMatchObject({ ok: true });
  });

  it("is nobody's to open but an operator's, and every attempt stands in the gateway log", async () => {
    await world.setBack();
    for (const as of ["officer", "owner-1", "agent-1", "officer-b"]) {
      expect(await world.refusal(world.ask({ dry_run: true }, { as }))).toEqual(["not_permitted"]);
      expect(await world.refusal(world.ask({ confirm: `${origin}@2` }, { as }))).toEqual(["not_permitted"]);
    }
    await world.refusal(world.ask({ confirm: "something" }));
    await world.open((await world.plan()).opens);
    expect(await world.refusal(world.ask({ confirm: `${origin}@2` }))).toEqual(["wrong_state", "not_halted"]);
    expect(await world.eventsOf("c-test", "log.epoch_opened")).toEqual(["allow"]);
    await world.gateway.keeper.sequence();
    expect(await world.eventsOf("gateway", "log.epoch_planned")).toEqual(["allow"]);
    expect(await world.eventsOf("gateway", "log.epoch_ordered")).toEqual(["deny", "allow", "deny"]);
    expect(await world.eventsOf("gateway", "request.refused")).toEqual(Array(8).fill("deny"));
  });

  it("loses more than once, and each epoch says what of the one before", async () => {
    const first = await world.setBack();
    await world.open((await world.plan()).opens);
    const between = await readMany(world.gateway, 12);
    const kept = await newestCheckpoint(world.stored);
    const second = await world.setBack("again", 5);
    await world.open((await world.plan()).opens);
    const renewed = await world.freshTrust();
    expect(renewed.earlier.map(({ name }) => name)).toEqual([origin, `${origin}@2`]);
    const verdict = await verifyLog(world.gateway, renewed, { seen: [...first.before.promises, ...between, kept] });
    expect(verdict).toMatchObject({ ok: true, problems: [] });
    expect(verdict.lost).toEqual([
      { epoch: 2, from: first.held, to: first.published },
      { epoch: 3, from: second.held, to: second.published },
    ]);
    const lost = await verifyLog(world.gateway, renewed, { seen: [...first.gone.promises, ...second.gone.promises] });
    expect(new Set(lost.problems.map(({ code }) => code))).toEqual(new Set(["seen_lost"]));
    expect(lost.problemsFound).toBe(first.gone.promises.length + second.gone.promises.length);
  });

  it("says what an epoch lost that the database never saw: a copy from before it was put back", async () => {
    await readMany(world.gateway, 20);
    const older = await sizeOf(world.stored);
    const backToOlder = await rememberLogs(world.owner, "older");
    const { held } = await world.setBack();
    await world.open((await world.plan()).opens);
    const unseen = await readMany(world.gateway, 8);
    const kept = await newestCheckpoint(world.stored);
    await backToOlder();
    await expect(world.gateway.keeper.patrol()).rejects.toThrow(`it calls itself ${origin}, and ${origin}@2 was published`);
    const planned = await world.plan();
    expect(planned).toMatchObject({ opens: `${origin}@3`, entries: older, lost: { from: older } });
    expect(older).toBeLessThan(held);
    await world.open(planned.opens);
    const verdict = await verifyLog(world.gateway, await world.freshTrust(), { seen: [...unseen, kept] });
    expect(verdict.problems.map(({ code }) => code)).toEqual(Array(unseen.length + 1).fill("seen_lost"));
  });

  it("is the gateway's own, too", async () => {
    await world.gateway.keeper.sequence();
    const gateway = { owner: world.owner, log: "gateway" };
    const back = await rememberLogs(world.owner, "yesterday");
    for (let i = 0; i < 5; i++) await world.gateway.call("GET", "/v1/contracts", { as: "owner-1" });
    await world.gateway.keeper.sequence();
    const published = await sizeOf(gateway);
    await back();
    await expect(world.gateway.keeper.patrol()).rejects.toThrow("log gateway is halted: the database was set back");
    const planned = await world.plan("gateway");
    expect(planned.lost.to).toBe(published);
    await world.open(planned.opens, "gateway");
    await world.gateway.keeper.prepare();
    await world.gateway.keeper.sequence();
    await world.gateway.keeper.patrol();
    expect(await world.readyz()).toBe("ok");
    expect(await world.eventsOf("gateway", "log.epoch_opened")).toEqual(["allow"]);
    expect(await world.eventsOf("gateway", "log.epoch_ordered")).toEqual(["allow"]);
    expect((await (await world.gateway.call("GET", "/log/gateway/checkpoint")).text()).split("\n")[0]).toBe("test/postern/gateway@2");
    expect((await world.freshTrust()).gateway.name).toBe("test/postern/gateway@2");
    expect(await verifyLog(world.gateway, world.trust)).toMatchObject({ ok: true });
  });

  it("is read over HTTP under its new origin, and proven to extend what was published before", async () => {
    const { held } = await world.setBack();
    await world.open((await world.plan()).opens);
    await readMany(world.gateway, 5);
    const get = (path: string) => world.gateway.call("GET", `/log/c-test/${path}`, { as: "officer" });
    const [newest] = (await (await get("checkpoint")).text()).split("\n");
    expect(newest).toBe(`${origin}@2`);
    expect((await (await get(`consistency?from=${held}`)).text()).split("\n\n")[1]?.split("\n")[0]).toBe(`${origin}@2`);
    expect((await (await get(`consistency?from=1&to=${held}`)).text()).split("\n\n")[1]?.split("\n")[0]).toBe(origin);
    expect(await (await get("policy")).text()).toContain(`log ${origin}@2+`);
    expect((await get("tile/0/000.p/1")).status).toBe(200);
    expect((await get("tile/entries/000.p/1")).status).toBe(200);
    const listed = (await (
      await world.gateway.call("GET", "/v1/contracts/c-test/audit/entries?event=log.epoch_opened", { as: "officer" })
    ).json()) as {
      entries: { index: number; facts: Record<string, unknown> }[];
    };
    expect(listed.entries).toMatchObject([{ index: held, facts: { kept: held, before: origin } }]);
  });
});
