/**
 * SIGTERM under load: the gateway takes nothing new, answers what it began, and is gone within ten seconds. Nothing is cut, counted from both sides:
 * as many answers at the clients as entries in the log.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countBothSides, type House, openHouse } from "./support/house.ts";
import { readAtOnce, startReaders } from "./support/readers.ts";
import { pause } from "./support/until.ts";

const drainMsMax = 10_000;
const connections = 64;

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.remove());

describe("a gateway that is told to stop under load", () => {
  it.each([
    { name: "at full speed", delayMs: 0 },
    { name: "on a slow wire to its database", delayMs: 50 },
  ])("drains within ten seconds and cuts nothing: $name", { timeout: 40_000 }, async ({ delayMs }) => {
    const before = (await countBothSides(house, [])).reads;
    house.wire.delay(delayMs);
    const readers = startReaders(house.read, connections);
    await readers.releasedReaches(connections);
    const { code, tookMs } = await house.gateway.terminate();
    await readers.stop();
    house.wire.pass();
    const tally = readers.tally();
    expect({ code, kinds: Object.keys(tally).sort() }).toEqual({ code: 0, kinds: ["200", "closed"] });
    expect(tookMs).toBeLessThan(drainMsMax);
    await house.gateway.start();
    const { missing, reads } = await countBothSides(house, readers.promises);
    expect({ missing, reads: reads - before }).toEqual({ missing: [], reads: tally[200] });
  });

  it.runIf(process.env.POSTERN_TEST_LONG)(
    "is gone within ten seconds where its database hangs, and what waits is told so",
    { timeout: 40_000 },
    async () => {
      await readAtOnce(house.read, connections);
      house.cluster.hang();
      try {
        const reading = readAtOnce(house.read, connections);
        await pause(500);
        const { code, tookMs } = await house.gateway.terminate();
        expect({ code, late: tookMs > drainMsMax + 1_000 }).toEqual({ code: 0, late: false });
        expect([...new Set((await reading).map(({ status }) => status))]).toEqual([503]);
      } finally {
        house.cluster.goOn();
      }
    },
  );
});
