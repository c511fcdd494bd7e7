/**
 * A purge whose process is killed (SIGKILL, a real one) and taken up by another: the same certificate, each act said once, whatever the moment was.
 * Every run starts from a copy of one approved purge. One moment a step in the usual run, all of them with POSTERN_TEST_LONG=1; then killed again and again, at
 * random moments, and with another keeper at it at the same time.
 */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySignature } from "../src/crypto/index.ts";
import { acts } from "../src/purge/plan.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import type { Database } from "../src/storage/index.ts";
import { openTestPool } from "./support/databases.ts";
import type { Gateway } from "./support/gateway.ts";
import { isLong } from "./support/long.ts";
import type { Moment } from "./support/purge-child.ts";
import { type ApprovedPurge, type Copy, certificateIn, essenceOf, makeApprovedPurge, runKeeper } from "./support/purge-kill.ts";
import { dumpOf, eventsOf, openGateway, stateOf, verifyLog } from "./support/purge-world.ts";

/** In the midst of each act, by what it does and not by what it says: an act that came before its intent would be caught. */
const midAct = {
  fence: ["uncommitted state of purge.fence.intent", "committed state of purge.fence.intent"],
  return: ["after purge.return.intent"],
  share_b: ["during destroy"],
  share_a: ["uncommitted share_a of purge.share_a.intent", "committed share_a of purge.share_a.intent"],
  rows: ["uncommitted rows of purge.rows.intent", "committed rows of purge.rows.intent"],
  derived: ["committed derived of purge.derived.intent"],
  sweep: ["after catalogue"],
} as const satisfies Record<(typeof acts)[number], readonly Moment[]>;

const usual: readonly Moment[] = [
  ...acts.map((act) => midAct[act].at(-1) ?? act),
  "uncommitted freeze of purge.verified",
  "after certificate",
];

/** In their order. */
const every: readonly Moment[] = [
  ...acts.flatMap((act) => [
    `before purge.${act}.intent`,
    `after purge.${act}.intent`,
    ...midAct[act],
    `before purge.${act}.done`,
    `after purge.${act}.done`,
  ]),
  "before purge.verified",
  "after purge.verified",
  "uncommitted freeze of purge.verified",
  "committed freeze of purge.verified",
  "before checkpoint",
  "after checkpoint",
  "before certificate",
  "after certificate",
  "before certificate.issued",
  "after certificate.issued",
  "uncommitted state of certificate.issued",
  "committed state of certificate.issued",
].filter((moment, place, all) => all.indexOf(moment) === place);

const moments = isLong ? [...usual, ...every.filter((moment) => !usual.includes(moment))] : usual;

let approved: ApprovedPurge;
let uninterrupted: unknown;
let neighbourBefore: Record<string, string[]>;

async function inCopy<Value>(work: (copy: Copy, owner: Database) => Promise<Value>): Promise<Value> {
  const copy = await approved.copy();
  const owner = openTestPool(copy.ownerUrl, { poolSize: 2 });
  try {
    return await work(copy, owner);
  } finally {
    await owner.close();
    await copy.remove();
  }
}

beforeAll(async () => {
  approved = await makeApprovedPurge();
  await inCopy(async (copy, owner) => {
    neighbourBefore = await dumpOf(owner, "c-other");
    expect(await runKeeper(copy, null)).toBe("0");
    const [jws = ""] = await certificateIn(owner);
    expect(await verifyCertificate(jws, approved.trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
    uninterrupted = essenceOf(jws);
  });
});
afterAll(() => approved.remove());

/** What must hold right after the kill: no act without its intent, no done without its act. */
async function expectCrashOrder(copy: Copy, owner: Database, moment: string): Promise<void> {
  const events = new Set(await eventsOf(owner, "c-test"));
  const [epoch] = await owner.query("select share_a is null from postern.key_epoch where contract_id = 'c-test'");
  const [counts] = await owner.query(
    "select count(*)::int, (select count(*)::int from postern.blind_index where contract_id = $1) from postern.record where contract_id = $1",
    ["c-test"],
  );
  const [records = 0, index = 0] = (counts ?? []).map(Number);
  const happened = {
    fence: (await stateOf(owner)).contract !== "active",
    return: events.has("purge.return.intent"),
    share_b: moment.includes("during destroy") || !readdirSync(copy.shareDirectory).includes("c-test.1.share"),
    share_a: epoch?.[0] === true,
    rows: records < 20,
    derived: index < 20,
    sweep: false,
  };
  for (const act of acts) {
    if (happened[act]) expect([moment, act, events.has(`purge.${act}.intent`)]).toEqual([moment, act, true]);
    if (events.has(`purge.${act}.done`) && act !== "sweep") expect([moment, act, happened[act]]).toEqual([moment, act, true]);
  }
  expect((await stateOf(owner)).contract).not.toBe("ended");
}

/** By this process, which knows nothing of the other but what that left. */
async function resume(gateway: Gateway, owner: Database): Promise<void> {
  for (let turns = 0; (await stateOf(owner)).step !== "certified"; turns++) {
    if (turns > 200) throw new Error("the purge did not come to its end");
    await gateway.keeper.tick();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Another process takes it up, and all is as if nothing had happened. */
async function expectConverged(copy: Copy, owner: Database): Promise<void> {
  const gateway = await openGateway(copy);
  await resume(gateway, owner);
  const jws = await certificateIn(owner);
  expect(jws).toHaveLength(1);
  expect(essenceOf(jws[0] ?? "")).toEqual(uninterrupted);
  expect(await verifyCertificate(jws[0] ?? "", approved.trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
  expect(await stateOf(owner)).toEqual({ contract: "purged", log: "frozen", step: "certified" });
  expect(readdirSync(copy.shareDirectory)).toEqual(["c-other.1.share", "c-test.purged"]);
  const said = (await eventsOf(owner, "c-test")).filter((event) => /\.(intent|done)$|verified$/.test(event));
  expect(said).toEqual([...acts.flatMap((act) => [`purge.${act}.intent`, `purge.${act}.done`]), "purge.verified"]);
  expect((await eventsOf(owner, "gateway")).filter((event) => event === "certificate.issued")).toHaveLength(1);
  expect(await dumpOf(owner, "c-other")).toEqual(neighbourBefore);
  expect(await verifyLog(gateway, approved.trust)).toMatchObject({ ok: true, problems: [] });
  await gateway.close();
}

describe.concurrent("a purge is killed and taken up by another process", () => {
  it.each(moments)("%s", { timeout: 60_000 }, async (moment) => {
    await inCopy(async (copy, owner) => {
      expect(await runKeeper(copy, moment)).toBe("SIGKILL");
      await expectCrashOrder(copy, owner, moment);
      await expectConverged(copy, owner);
    });
  });
});

/** Where one keeper is killed, and where another that runs at the same time is; `null` = no other. */
interface Kill {
  readonly at: Moment;
  readonly rival: Moment | null;
}

/** Who takes up a half-done act does not say its intent again: then its moments have no entry to be named by. */
const anyMoment = [
  ...new Set(every.flatMap((moment) => [moment, moment.replace(/ of .*/, "")])),
  "uncommitted numbering",
  "committed numbering",
];
const kill: fc.Arbitrary<Kill> = fc.record({
  at: fc.constantFrom(...anyMoment),
  rival: fc.option(fc.constantFrom(...anyMoment), { freq: 3 }),
});
/** In the order of the purge, so that most are lived to see; and in any. */
const kills = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(kill, { minLength: 1, maxLength: 4 }).map((sequence) => sequence.toSorted((a, b) => placeOf(a) - placeOf(b))),
  },
  { weight: 1, arbitrary: fc.array(kill, { minLength: 1, maxLength: 4 }) },
);
const placeOf = ({ at }: Kill) => anyMoment.indexOf(at);

/** The other keeper writes with the edge's key, which the trust file names too: each process has its own. */
const rivalOf = (copy: Copy): Copy => ({ ...copy, secrets: { ...copy.secrets, keeperWriter: copy.secrets.edgeWriter } });

describe("a purge is killed again and again", () => {
  it("at random moments, at times with another keeper at it, and comes to the same end", {
    timeout: isLong ? 1_200_000 : 60_000,
  }, async () => {
    const survived = async (sequence: readonly Kill[]) =>
      inCopy(async (copy, owner) => {
        for (const { at, rival } of sequence) {
          const others = rival === null ? [] : [runKeeper(rivalOf(copy), rival)];
          const ends = await Promise.all([runKeeper(copy, at), ...others]);
          expect(ends.filter((end) => !["SIGKILL", "0"].includes(end))).toEqual([]);
          await expectCrashOrder(copy, owner, `${at}, ${rival}`);
          // Whoever did not live to see its moment has brought the purge to its end.
          if (ends.includes("0")) break;
        }
        await expectConverged(copy, owner);
      });
    await fc.assert(fc.asyncProperty(kills, survived), { numRuns: isLong ? 60 : 1, endOnFailure: true });
  });
});
