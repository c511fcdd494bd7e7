/** A contract that keeps customers for 30 days, with more of them than a batch that are older, copied for every test. */
import type { Trust } from "../../src/audit/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { importLines } from "./agreement.ts";
import { openTestPool } from "./databases.ts";
import { type Copy, copyOf } from "./purge-kill.ts";
import { createWorld, dumpOf, entriesOf, type LoggedEntry, neighbour, openGateway, populate } from "./purge-world.ts";

/** Three batches of what is too old. */
export const [records, old] = [1_120, 1_105];

export interface AgedWorld {
  readonly trust: Trust;
  readonly neighbourBefore: Record<string, string[]>;
  inCopy(work: (copy: Copy, owner: Database) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function createAgedWorld(): Promise<AgedWorld> {
  const world = await createWorld();
  const { gateway, owner } = world;
  const trust = await populate(gateway, { more: "retention: { customer: 30d, order: 60d }\n" }, records);
  await populate(gateway, neighbour, 7);
  // Of U0, who is too old, an order that is not.
  await importLines(gateway, [{ id: "O1", customer_id: "U0", items: [{ sku: "a", name: "茶", qty: 1 }] }], { type: "order" });
  await owner.query("update postern.record set written_at = now() - interval '29 days'");
  await owner.query(
    `update postern.record set written_at = now() - interval '32 days' where contract_id = 'c-test' and type = 'customer' and
       (locator in (select subject from postern.record where type = 'order') or locator in
       (select locator from postern.record where contract_id = 'c-test' and type = 'customer' and locator not in
         (select subject from postern.record where type = 'order') order by locator limit ${old - 1}))`,
  );
  await gateway.keeper.sequence();
  const neighbourBefore = await dumpOf(owner, "c-other");
  await gateway.close();
  await owner.close();
  return {
    trust,
    neighbourBefore,
    async inCopy(work) {
      const copy = await copyOf(world);
      const pool = openTestPool(copy.ownerUrl, { poolSize: 2 });
      try {
        await work(copy, pool);
      } finally {
        await pool.close();
        await copy.remove();
      }
    },
    close: () => world.close(),
  };
}

/** A keeper's turn, by a process of today. */
export async function tick(copy: Copy): Promise<void> {
  const gateway = await openGateway(copy);
  await gateway.keeper.tick();
  await gateway.close();
}

export async function countsOf(owner: Database): Promise<number[]> {
  const [row] = await owner.query(
    `select (select count(*)::int from postern.record where contract_id = 'c-test' and type = 'customer'),
       (select count(*)::int from postern.record where contract_id = 'c-test' and type = 'order'),
       (select count(*)::int from postern.subject_key where contract_id = 'c-test'),
       (select count(*)::int from postern.blind_index where contract_id = 'c-test')`,
  );
  return (row ?? []).map(Number);
}

export async function lapsesOf(owner: Database): Promise<LoggedEntry[]> {
  return (await entriesOf(owner, "c-test")).filter(({ event }) => event.startsWith("records.lapsed"));
}
