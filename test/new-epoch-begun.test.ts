/** A new epoch is begun once, finished by whoever repeats the order, and opened for no log that was not set back. A real Postgres, the anchor as files. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Anchor, createSequencer, openEpoch, planEpoch } from "../src/audit/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { forgetfulAnchor } from "./support/gateway.ts";
import { readMany, verifyLog } from "./support/log-gateway.ts";
import { createEpochWorld, type EpochWorld, origin } from "./support/set-back.ts";
import { cutTail, rememberLogs, sizeOf } from "./support/stored-log.ts";

let world: EpochWorld;
beforeEach(async () => {
  world = await createEpochWorld();
});
afterEach(() => world.close());

describe("an epoch that somebody began and did not live to finish", () => {
  const dying = (step: "transaction" | "anchor" | "publish"): { anchor: Anchor; database: typeof world.keeper } => ({
    anchor: {
      ...world.anchor,
      advance: async (log, head) => {
        if (step === "anchor") throw new Error("killed");
        await world.anchor.advance(log, head);
        if (step === "publish") throw new Error("killed");
      },
    },
    database:
      step === "transaction"
        ? {
            ...world.keeper,
            transaction: (work) => world.keeper.transaction((tx) => work(tx).then(() => Promise.reject(new Error("killed")))),
          }
        : world.keeper,
  });

  it.each(["transaction", "anchor", "publish"] as const)(
    "(killed at its %s) stays halted or goes on, and is finished by the same order",
    async (step) => {
      const { held, before, gone } = await world.setBack();
      const writer = { aead: nodeAead, now: Date.now, signer: world.edgeWriter, mergeDelaySeconds: 300 };
      const parts = { ...dying(step), signer: world.logSigner, writer };
      const planned = await planEpoch(parts, "c-test");
      if (!planned.ok) throw new Error(planned.refusal);
      await expect(openEpoch(parts, planned.value, "an order")).rejects.toThrow("killed");
      expect(await sizeOf(world.stored)).toBe(step === "transaction" ? held : held + 1);
      if (step === "publish") {
        await world.gateway.keeper.sequence();
        expect(await world.refusal(world.ask({ dry_run: true }))).toEqual(["wrong_state", "not_halted"]);
      } else {
        await expect(world.gateway.keeper.patrol()).rejects.toThrow("log c-test is halted");
        const again = await world.plan();
        expect(again).toMatchObject({ opens: `${origin}@2`, entries: held, begun: step === "anchor", lost: { from: held } });
        await world.open(again.opens);
      }
      await readMany(world.gateway, 5);
      expect(await world.eventsOf("c-test", "log.epoch_opened")).toEqual(["allow"]);
      const verdict = await verifyLog(world.gateway, await world.freshTrust(), { seen: before.promises });
      expect(verdict).toMatchObject({ ok: true, problems: [] });
      expect((await verifyLog(world.gateway, await world.freshTrust(), { seen: gone.promises })).problemsFound).toBe(gone.promises.length);
    },
  );

  it("is opened once by two operators at a time", async () => {
    await world.setBack();
    const answers = await Promise.all([1, 2, 3].map(() => world.ask({ confirm: `${origin}@2` })));
    expect(answers.map(({ status }) => status)).toContain(200);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    await readMany(world.gateway, 3);
    expect(await world.eventsOf("c-test", "log.epoch_opened")).toEqual(["allow"]);
    expect(await verifyLog(world.gateway, await world.freshTrust())).toMatchObject({ ok: true });
  });
});

describe("a log that was not set back", () => {
  it("has no new epoch: not a healthy one, not one that nobody knows", async () => {
    await readMany(world.gateway, 5);
    const size = await sizeOf(world.stored);
    for (const log of ["c-test", "gateway", "c-nobody"]) {
      expect(await world.refusal(world.ask({ dry_run: true }, { log }))).toEqual(["wrong_state", "not_halted"]);
      expect(await world.refusal(world.ask({ confirm: `test/postern/${log}@2` }, { log }))).toEqual(["wrong_state", "not_halted"]);
    }
    expect(await sizeOf(world.stored)).toBe(size);
  });

  it("has none where it was rewritten, grew without its anchor, or was cut by hand", async () => {
    await readMany(world.gateway, 8);
    const back = await rememberLogs(world.owner, "whole");
    const size = await sizeOf(world.stored);
    await readMany(world.gateway, 8);
    await cutTail(world.stored, size);
    const thief = createSequencer({ database: world.keeper, signer: world.logSigner, anchor: forgetfulAnchor });
    for (let i = 0; i < 24; i++) await world.readOnce();
    await thief.run("c-test");
    expect(await world.refusal(world.ask({ confirm: `${origin}@2` }))).toEqual(["wrong_state", "not_set_back"]);
    await back();
    await world.owner.query("update audit.log set size = size - 1 where log = 'c-test'");
    expect(await world.refusal(world.ask({ confirm: `${origin}@2` }))).toEqual(["wrong_state", "not_set_back"]);
    await back();
    await world.owner.query("update audit.log set origin = origin || '@2' where log = 'c-test'");
    expect(await world.refusal(world.ask({ confirm: `${origin}@2` }))).toEqual(["wrong_state", "not_set_back"]);
    await expect(world.gateway.keeper.patrol()).rejects.toThrow("log c-test is halted");
    const codes = (await verifyLog(world.gateway, world.trust)).problems.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(["epoch_not_trusted", "checkpoint_signature", "epoch_order", "log_halted"]));
  });

  it("gets one from a thief of every key but the anchor's, and is found by whoever verifies", async () => {
    await readMany(world.gateway, 12);
    const size = await sizeOf(world.stored);
    const promises = await readMany(world.gateway, 5);
    await cutTail(world.stored, size);
    const writer = { aead: nodeAead, now: Date.now, signer: world.edgeWriter, mergeDelaySeconds: 300 };
    const thief = { database: world.keeper, signer: world.logSigner, anchor: { ...forgetfulAnchor, read: world.anchor.read }, writer };
    const planned = await planEpoch(thief, "c-test");
    if (!planned.ok) throw new Error(planned.refusal);
    await openEpoch(thief, planned.value, "no order");
    await createSequencer({ ...thief, anchor: forgetfulAnchor }).run("c-test");
    await expect(world.gateway.keeper.patrol()).rejects.toThrow(`it calls itself ${origin}@2, and ${origin} was published`);
    const verdict = await verifyLog(world.gateway, world.trust, { seen: [promises.at(-1) ?? ""] });
    expect(verdict.problems.map(({ code }) => code)).toEqual(["epoch_not_trusted", "log_halted", "seen_lost"]);
  });
});
