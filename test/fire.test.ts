/**
 * Every fault of `support/fire-faults.ts`, under readers and importers: refusals and nothing else, all by itself well within five seconds of its end, each
 * promise in the log once, nothing acknowledged that is lost, nothing told. In the long form.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "./support/cluster.ts";
import { type Endured, endure, type Fault } from "./support/fire.ts";
import { faultsOfDisks, onSmallDisks } from "./support/fire-disks.ts";
import { connectionsMax, faults } from "./support/fire-faults.ts";
import { faultsOfServices, startServices } from "./support/fire-services.ts";
import { faultsOfFailover, startStandby } from "./support/fire-standby.ts";
import { type House, type HouseOptions, openHouse } from "./support/house.ts";
import { leversScript } from "./support/levers.ts";
import { isLong } from "./support/long.ts";
import { canMount } from "./support/small-disk.ts";

const healMsMax = 5_000;
const timeout = 150_000;

function expectHarmless(fault: Fault, endured: Endured): void {
  const { name, process: left = "same", isExact = false, importHealsWithinMs = healMsMax } = fault;
  console.log(name, JSON.stringify({ ...endured, count: undefined }));
  const { count, meanwhile, late } = endured;
  const kinds = (of: Readonly<Record<string, number>>, known: readonly (string | null)[]) =>
    Object.keys(of).filter((kind) => !known.includes(kind));
  expect(kinds(meanwhile, [...fault.meanwhile, fault.late])).toEqual([]);
  if (fault.late !== null) expect(Object.keys(late)).toEqual([fault.late]);
  else expect(Object.keys(meanwhile)).toContain(fault.meanwhile[0]);
  expect(kinds(endured.imports, ["200", "401", "503", "closed"])).toEqual([]);
  const { missing, twice, untimely } = count;
  expect({ missing, twice, untimely, lost: endured.lost }).toEqual({ missing: [], twice: [], untimely: [], lost: [] });
  expect(count.verdict).toMatchObject({ ok: true, problems: [] });
  const doubtful = isExact ? { reads: 0, imports: 0 } : endured.doubtful;
  for (const what of ["reads", "imports"] as const) {
    expect(endured.unanswered[what], what).toBeGreaterThanOrEqual(0);
    expect(endured.unanswered[what], what).toBeLessThanOrEqual(doubtful[what]);
  }
  expect(endured.healedMs.read).toBeLessThan(healMsMax);
  expect(endured.healedMs.import).toBeLessThan(importHealsWithinMs);
  expect({ leaked: endured.leaked, isSameProcess: endured.isSameProcess }).toEqual({ leaked: [], isSameProcess: left === "same" });
}

/** All of them in one house, which each leaves as it found it. */
function underEach(
  inflicted: readonly Fault[],
  options: HouseOptions,
  furnish: (house: House) => Promise<unknown> = async () => undefined,
): void {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(options);
    await furnish(house);
  });
  afterAll(() => house?.remove());

  it.each(inflicted.map((fault) => [fault.name, fault] as const))("%s", { timeout }, async (_name, fault) => {
    expectHarmless(fault, await endure(house, fault));
  });
}

describe.runIf(isLong)("a gateway under fire", () => {
  underEach(faults, { cluster: { settings: [`max_connections=${connectionsMax}`] }, script: leversScript });
});

describe.runIf(isLong)("a gateway whose other services are under fire", async () => {
  const services = isLong ? await startServices() : null;
  afterAll(() => services?.stop());
  if (services) underEach(faultsOfServices(services), services.options);
});

describe.runIf(isLong && canMount)("a gateway whose Postgres runs out of space", () => {
  underEach(faultsOfDisks, { cluster: { prepare: onSmallDisks, settings: ["max_wal_size=64MB", "min_wal_size=32MB"] } });
});

describe.runIf(isLong)("a gateway whose Postgres has a standby", () => {
  let standby: Cluster;
  afterAll(() => standby?.remove());
  underEach(
    faultsOfFailover(() => standby),
    {},
    async ({ cluster }) => {
      standby = await startStandby(cluster);
    },
  );
});

describe.runIf(isLong)("and all this would tell", () => {
  it("of a gateway that releases before it appends: the control", { timeout }, async () => {
    const house = await openHouse({ script: fileURLToPath(new URL("support/early-release-process.ts", import.meta.url)) });
    const fault = faults.find(({ name }) => name.includes("40001"));
    if (!fault) throw new Error("no such fault");
    const endured = await endure(house, fault);
    expect(() => expectHarmless(fault, endured)).toThrow();
    expect(endured.count.missing.length).toBeGreaterThan(0);
    expect(endured.count.verdict.problems.map(({ code }) => code)).toContain("seen_missing");
    await house.remove();
  });
});
