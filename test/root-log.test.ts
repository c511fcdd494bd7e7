/** The gateway log names the heads of all others once a minute. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { peekCheckpoint } from "../src/audit/checkpoint.ts";
import { sha256, toBase64, toHex, utf8 } from "../src/crypto/index.ts";
import { bringIntoForce, importLines } from "./support/agreement.ts";
import { createLogGateway, type LogGateway, readMany } from "./support/log-gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { newestCheckpoint } from "./support/stored-log.ts";

let world: LogGateway;
beforeEach(async () => {
  world = await createLogGateway();
  await bringIntoForce(world.gateway);
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

async function headLine(): Promise<string> {
  const { size, root } = peekCheckpoint(await newestCheckpoint({ owner: world.owner, log: "c-test" })) ?? {};
  return `c-test ${size} ${toBase64(root ?? new Uint8Array())}`;
}

const inventoryOf = (...lines: string[]) => `sha256:${toHex(sha256(utf8(lines.map((line) => `${line}\n`).join(""))))}`;
const nextMinute = () =>
  world.owner.query("update audit.upkeep set announced_at = announced_at - interval '1 minute' where log = 'gateway'");

describe("the gateway log", () => {
  it("names each head that is new, once, and all logs every minute", async () => {
    await world.gateway.keeper.patrol();
    const first = await headLine();
    expect(await announced()).toEqual([{ logs: 1, heads: [first], inventory: inventoryOf(first) }]);
    await nextMinute();
    await world.gateway.keeper.patrol();
    expect((await announced()).slice(1)).toEqual([{ logs: 1, heads: [], inventory: inventoryOf(first) }]);
    await readMany(world.gateway, 3);
    await nextMinute();
    await world.gateway.keeper.patrol();
    const second = await headLine();
    expect(second).not.toBe(first);
    expect((await announced()).slice(2)).toEqual([{ logs: 1, heads: [second], inventory: inventoryOf(second) }]);
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
    expect(before?.heads).toEqual([expect.stringMatching(/^c-test /)]);
    expect(after).toEqual({ logs: 0, heads: [], inventory: inventoryOf() });
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
