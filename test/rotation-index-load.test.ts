/** A contract's index key moves while two processes search and import all the time, on a real Postgres. */
import { describe, expect, it } from "vitest";
import { importLines } from "./support/agreement.ts";
import { isLong } from "./support/long.ts";
import { createWorld, customers, openGateway, populate, type World } from "./support/purge-world.ts";
import { askIndexRotation, finishRotation, hits, indexRowsOf } from "./support/rotation.ts";

async function inWorld(work: (world: World) => Promise<void>, twist: Parameters<typeof createWorld>[0] = {}): Promise<void> {
  const world = await createWorld(twist);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

describe.runIf(isLong)("a rotation of the index key under load", () => {
  it("lets no search miss a record or find it twice, whether it was there before or came meanwhile, here or through another process's cache", async () => {
    await inWorld(
      async (world) => {
        const { gateway } = world;
        const records = 1_500;
        await populate(gateway, {}, records);
        const elsewhere = await openGateway(world);
        const wrong: string[] = [];
        const imported: string[] = [];
        let searches = 0;
        let stopped = false;
        // What a process opened lives for less than the fence: a minute of 65 s, and here 0.4 s of 1.5.
        const expiry = setInterval(() => elsewhere.keeper.purge.keyring.forget("c-test" as never), 400);
        const look = async (n: number) => {
          const door = n % 2 === 0 ? elsewhere : gateway;
          // Of those that came meanwhile: each that an import has answered for.
          const phone =
            n % 3 === 0 && imported.length > 0 ? (imported[n % imported.length] ?? "") : `138${10_000_000 + ((n * 7) % records)}`;
          const found = await hits(door, phone).catch((error: unknown) => String(error));
          searches++;
          if (found !== 1) wrong.push(`${phone}: ${found}`);
        };
        const load = (async () => {
          const under: Promise<void>[] = [];
          for (let n = 0; !stopped; n++) {
            under.push(look(n));
            await new Promise((resolve) => setTimeout(resolve, 8));
          }
          await Promise.all(under);
        })();
        const imports = (async () => {
          for (let n = 0; !stopped; n++) {
            const fresh = customers(5).map((customer, i) => ({ ...customer, id: `new-${n}-${i}`, phone: `139${10_000_000 + n * 5 + i}` }));
            await importLines(n % 2 === 0 ? gateway : elsewhere, fresh);
            imported.push(...fresh.map(({ phone }) => phone));
            await new Promise((resolve) => setTimeout(resolve, 60));
          }
        })();
        for (let turn = 0; turn < 2; turn++) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          await askIndexRotation(gateway);
          await finishRotation(gateway);
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        stopped = true;
        await Promise.all([load, imports]);
        clearInterval(expiry);
        expect(wrong).toEqual([]);
        expect(searches).toBeGreaterThan(200);
        expect(await indexRowsOf(world.owner)).toEqual({ "3": records + imported.length });
        expect([...gateway.faults, ...elsewhere.faults]).toEqual([]);
        await elsewhere.close();
      },
      { keeper: { fenceWaitMs: 1_500 } },
    );
  }, 60_000);
});
