/**
 * A rotation, or the erasure of one person, whose process is killed (SIGKILL, a real one) and taken up by others: the same end, each act said once,
 * every record readable, whatever the moment was. Every run starts from a copy of one database. A few moments in the usual run, all of them with
 * POSTERN_TEST_LONG=1.
 */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { fromBase64 } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { createFileShareStore } from "../src/keys/file-share-store.ts";
import { createKeyring, createRootKey, newestEpoch } from "../src/keys/index.ts";
import { acts } from "../src/rotation/plan.ts";
import type { Database } from "../src/storage/index.ts";
import { search } from "./support/agreement.ts";
import { openTestPool } from "./support/databases.ts";
import { isLong } from "./support/long.ts";
import type { Moment } from "./support/purge-child.ts";
import { type Copy, copyOf, runKeeper } from "./support/purge-kill.ts";
import { countOpened } from "./support/purge-shred.ts";
import { createWorld, dumpOf, eventsOf, neighbour, openGateway, populate, verifyLog, type World } from "./support/purge-world.ts";
import { askIndexRotation, finishRotation } from "./support/rotation.ts";

const contract = "c-test" as ContractId;
/** Three batches. */
const records = 1_100;

/** In the midst of each act, by what it does and not by what it says. */
const midAct = {
  epoch: ["after put", "uncommitted epoch of keys.epoch.intent", "committed epoch of keys.epoch.intent"],
  rewrap: ["uncommitted rewrap of keys.rewrap.intent", "committed rewrap of keys.rewrap.intent"],
  index: ["uncommitted index of keys.index.intent", "committed index of keys.index.intent"],
  retire: ["uncommitted retire of keys.retire.intent", "committed retire of keys.retire.intent"],
  index_drop: ["uncommitted index_drop of keys.index_drop.intent", "committed index_drop of keys.index_drop.intent"],
  share_b: ["during destroy"],
  share_a: ["uncommitted share_a of keys.share_a.intent", "committed share_a of keys.share_a.intent"],
} as const satisfies Record<(typeof acts)[number], readonly Moment[]>;
const around = acts.flatMap((act) => [
  `before keys.${act}.intent`,
  `after keys.${act}.intent`,
  `before keys.${act}.done`,
  `after keys.${act}.done`,
]);
/** The acts whose halves are worst to be left with; all the others in the long form. */
const usual: readonly Moment[] = (["rewrap", "share_b"] as const).map((act) => midAct[act].at(-1) ?? act);
const rest = [...acts.flatMap((act) => midAct[act]), ...around].filter((moment) => !usual.includes(moment));
const moments = isLong ? [...usual, ...rest] : usual;

const erasureMoments = [
  "after subject.erased.intent",
  "uncommitted erase of subject.erased.intent",
  "committed erase of subject.erased.intent",
];

let world: World;
let trust: Trust;
let neighbourBefore: Record<string, string[]>;

async function inCopy(work: (copy: Copy, owner: Database) => Promise<void>): Promise<void> {
  const copy = await copyOf(world);
  const owner = openTestPool(copy.ownerUrl, { poolSize: 2 });
  try {
    await work(copy, owner);
  } finally {
    await owner.close();
    await copy.remove();
  }
}

beforeAll(async () => {
  world = await createWorld();
  trust = await populate(world.gateway, {}, records);
  await populate(world.gateway, neighbour, 7);
  await world.gateway.keeper.sequence();
  neighbourBefore = await dumpOf(world.owner, "c-other");
  await world.gateway.close();
  await world.owner.close();
});
afterAll(() => world.close());

/** What must hold right after the kill: no act without its intent, no done without its act, and every record opens. */
async function expectCrashOrder(copy: Copy, owner: Database, moment: Moment): Promise<void> {
  const events = new Set(await eventsOf(owner, "c-test"));
  const epochs = await owner.query(
    "select epoch, share_a is null, retired_at is not null from postern.key_epoch where contract_id = 'c-test' order by epoch",
  );
  const [old = [], fresh] = epochs;
  const [moved] = await owner.query("select count(*)::int from postern.subject_key where contract_id = 'c-test' and epoch > 1");
  const rows = await owner.query("select distinct generation from postern.blind_index where contract_id = 'c-test'");
  const generations = new Set(rows.map(([generation]) => Number(generation)));
  const happened = {
    epoch: fresh !== undefined,
    rewrap: Number(moved?.[0]) > 0,
    index: generations.has(2),
    retire: old[2] === true,
    index_drop: !generations.has(1),
    share_b: !readdirSync(copy.shareDirectory).includes("c-test.1.share") || moment === "during destroy",
    share_a: old[1] === true,
  };
  for (const act of acts) {
    if (happened[act]) expect([moment, act, events.has(`keys.${act}.intent`)]).toEqual([moment, act, true]);
    if (events.has(`keys.${act}.done`)) expect([moment, act, happened[act]]).toEqual([moment, act, true]);
  }
  expect([moment, await opened(copy, owner)]).toEqual([moment, records]);
}

/** By a process that knows nothing but what lies there. */
async function opened({ secrets, shareDirectory }: Copy, owner: Database): Promise<number> {
  const root = createRootKey(nodeAead, fromBase64(secrets.root));
  const keyring = createKeyring({ aead: nodeAead, root, shares: createFileShareStore(shareDirectory), now: Date.now });
  return countOpened(owner, contract, await keyring.keysOf(owner, contract, await newestEpoch(owner, contract)));
}

/** Asked for by a gateway that then goes away. */
async function ask(copy: Copy): Promise<void> {
  const gateway = await openGateway(copy);
  await askIndexRotation(gateway);
  await gateway.close();
}

async function expectEnd(copy: Copy, owner: Database): Promise<void> {
  const gateway = await openGateway(copy);
  const { epochs } = await finishRotation(gateway);
  const newest = epochs.at(-1);
  expect(epochs.map(({ state }) => state)).toEqual(["destroyed", "in_use"]);
  expect(epochs.map(({ wrapped }) => wrapped)).toEqual([
    { subjects: 0, purposes: 0 },
    { subjects: records, purposes: 3 },
  ]);
  expect(readdirSync(copy.shareDirectory).sort()).toEqual(["c-other.1.share", `c-test.${newest?.epoch}.share`]);
  expect(await opened(copy, owner)).toBe(records);
  expect(await owner.query("select generation, count(*)::int from postern.blind_index where contract_id = 'c-test' group by 1")).toEqual([
    [2, records],
  ]);
  for (const phone of ["13810000000", "13810000707"]) expect((await search(gateway, { phone })).records).toHaveLength(1);
  const said = (await eventsOf(owner, "c-test")).filter((event) => /^keys\..*\.(intent|done)$/.test(event));
  expect(said).toEqual(acts.flatMap((act) => [`keys.${act}.intent`, `keys.${act}.done`]));
  expect(await dumpOf(owner, "c-other")).toEqual(neighbourBefore);
  expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  await gateway.close();
}

describe.concurrent("a rotation is killed and taken up by another process", () => {
  it.each(moments)("%s", { timeout: 120_000 }, async (moment) => {
    await inCopy(async (copy, owner) => {
      await ask(copy);
      expect(await runKeeper(copy, moment, "rotation")).toBe("SIGKILL");
      await expectCrashOrder(copy, owner, moment);
      await expectEnd(copy, owner);
    });
  });

  it("is killed once in every act, one after the other, with two keepers racing in between", { timeout: 120_000 }, async () => {
    await inCopy(async (copy, owner) => {
      await ask(copy);
      for (const act of acts) {
        const moment = midAct[act][0];
        const [killed] = await Promise.all([
          runKeeper(copy, moment, "rotation"),
          act === "rewrap" ? runKeeper(copy, moment, "rotation") : null,
        ]);
        expect(["SIGKILL", "0"]).toContain(killed);
        expect(await opened(copy, owner)).toBe(records);
      }
      await expectEnd(copy, owner);
    });
  });
});

describe.concurrent("an erasure is killed and taken up by another process", () => {
  it.each(isLong ? [...erasureMoments, "after subject.erased.done"] : erasureMoments.slice(-1))(
    "%s",
    { timeout: 120_000 },
    async (moment) => {
      await inCopy(async (copy, owner) => {
        // Ordered, and not begun: its row alone, as a gateway leaves it that dies right after.
        const locators = await owner.query("select locator from postern.record where contract_id = 'c-test' order by locator limit 1");
        const subject = String(locators[0]?.[0]);
        await owner.query(
          "insert into postern.erasure (contract_id, job_id, subject, type, step) values ('c-test', 'e-1', $1, 'customer', 'requested')",
          [subject],
        );
        expect(await runKeeper(copy, moment, "erasure")).toBe("SIGKILL");
        const left = Number((await owner.query("select count(*)::int from postern.record where contract_id = 'c-test'"))[0]?.[0]);
        if (left < records) expect(await eventsOf(owner, "c-test")).toContain("subject.erased.intent");
        expect(await runKeeper(copy, null, "erasure")).toBe("0");
        expect(await owner.query("select step, records::int, epoch from postern.erasure")).toEqual([["done", 1, 1]]);
        expect(await opened(copy, owner)).toBe(records - 1);
        const said = (await eventsOf(owner, "c-test")).filter((event) => event.startsWith("subject."));
        expect(said).toEqual(["subject.erased.intent", "subject.erased.done"]);
        expect(await dumpOf(owner, "c-other")).toEqual(neighbourBefore);
      });
    },
  );
});
