/** The gateway log names the heads of all others once a minute. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { peekCheckpoint } from "../src/audit/checkpoint.ts";
import { type NamedHead, nameInRoot, openHeadLine, sealHead } from "../src/audit/root-line.ts";
import { inventoryOf } from "../src/audit/root-log.ts";
import type { Trust } from "../src/audit/trust.ts";
import { toBase64 } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { importLines } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany } from "./support/log-gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { newestCheckpoint } from "./support/stored-log.ts";

let world: LogGateway;
let trust: Trust;
beforeEach(async () => {
  world = await createLogGateway();
  trust = await agreeOnTrust(world.gateway);
  await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  await readMany(world.gateway, 4);
  await world.gateway.keeper.sequence();
});
afterEach(() => world.close());

async function announced(): Promise<{ logs: unknown; heads: unknown; inventory: unknown }[]> {
  const entries = await entriesOf(world, "gateway");
  return entries.flatMap(({ entry }) =>
    entry.event === "log.heads" ? [{ logs: entry.facts?.logs, heads: entry.facts?.heads, inventory: entry.facts?.inventory }] : [],
  );
}

/** The newest head of c-test, as its trust file's key opens a line. */
async function newestHead(): Promise<NamedHead> {
  const { origin, size, root } = peekCheckpoint(await newestCheckpoint({ owner: world.owner, log: "c-test" })) ?? {};
  return { origin: origin ?? "", size: size ?? 0, root: toBase64(root ?? new Uint8Array()) };
}

const opened = (heads: unknown) => (heads as string[]).map((line) => openHeadLine(nodeAead, trust.rootKey, line, "test/postern/c-test"));
const nextMinute = () =>
  world.owner.query("update audit.upkeep set announced_at = announced_at - interval '1 minute' where log = 'gateway'");

describe("the gateway log", () => {
  it("names each head that is new, once, and all logs every minute", async () => {
    await world.gateway.keeper.patrol();
    const first = await newestHead();
    const inventory = inventoryOf([nameInRoot(trust.rootKey)]);
    expect((await announced()).map(({ heads, ...said }) => ({ ...said, heads: opened(heads) }))).toEqual([
      { logs: 1, heads: [first], inventory },
    ]);
    await nextMinute();
    await world.gateway.keeper.patrol();
    expect((await announced()).slice(1)).toEqual([{ logs: 1, heads: [], inventory }]);
    await readMany(world.gateway, 3);
    await nextMinute();
    await world.gateway.keeper.patrol();
    const second = await newestHead();
    expect(second).not.toEqual(first);
    expect((await announced()).slice(2).flatMap(({ heads }) => opened(heads))).toEqual([second]);
  });

  it("says to nobody but who has the log's key whose head it is, or how long that log is", async () => {
    await world.gateway.keeper.patrol();
    const [{ heads } = { heads: [] }] = await announced();
    const [line = ""] = heads as string[];
    expect(line).toMatch(/^l_[a-z2-7]{26} [A-Za-z0-9+/]+=*$/);
    expect(openHeadLine(nodeAead, new Uint8Array(32), line, "test/postern/c-test")).toBeNull();
    const lengths = [1, 12_345_678].map((size) => sealHead(nodeAead, trust.rootKey, { origin: "a/b", size, root: "-" }).length);
    expect(new Set(lengths).size).toBe(1);
  });

  it("is told by one of the keepers that run at once", async () => {
    await Promise.all(Array.from({ length: 5 }, () => world.gateway.keeper.patrol()));
    expect(await announced()).toHaveLength(1);
  });

  it("shows that a log was dropped: it was named, and the inventory has it no more", async () => {
    await world.gateway.keeper.patrol();
    await world.owner.query("delete from audit.log where log = 'c-test'");
    await nextMinute();
    await expect(world.gateway.keeper.patrol()).rejects.toThrow("log c-test is halted");
    const [before, after] = await announced();
    expect(opened(before?.heads)).toMatchObject([{ origin: "test/postern/c-test" }]);
    expect(after).toEqual({ logs: 0, heads: [], inventory: inventoryOf([]) });
  });

  it("goes on in parts where more logs have changed than an entry holds", async () => {
    await world.owner.query(
      "insert into audit.log (log, origin, state, size, root, range) select 'c-' || n, 'test/postern/c-' || n, 'open', 0, '', '' from generate_series(1, 450) n",
    );
    await world.gateway.keeper.patrol();
    const parts = await announced();
    expect(parts.map(({ heads }) => (heads as string[]).length)).toEqual([200, 200, 51]);
    expect(new Set(parts.flatMap(({ heads }) => heads)).size).toBe(451);
    expect(new Set(parts.map(({ inventory }) => inventory)).size).toBe(1);
  });
});
