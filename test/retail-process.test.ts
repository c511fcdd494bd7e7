import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPglite } from "../src/storage/pglite.ts";
import { createLeakScanner, type Leak } from "./support/leaks.ts";
import { isLong } from "./support/long.ts";
import { type RetailType, retailPath, retailTypes } from "./support/retail/data.ts";
import { type Dumped, dumpFiles, dumpTables } from "./support/retail/dump.ts";
import { bringRetailIntoForce, each, type FoundLeak, linesOf, readAndScan, retailContract } from "./support/retail/journeys.ts";
import { type Ended, type ServedGateway, serveGateway } from "./support/retail/process.ts";
import { provokeAndScan } from "./support/retail/provoke.ts";
import { readRetailWorld } from "./support/retail/world.ts";
import { hasShared } from "./support/shared.ts";

const readEvery = 8;

// In the usual run retail.test.ts says the same in one process.
describe.runIf(isLong && hasShared(retailPath))("a gateway that an operator runs, fed by the command line with another shop's data", () => {
  const { all, templates, planted } = readRetailWorld();
  const scanner = createLeakScanner(all.flatMap(({ secrets, shown }) => [...secrets, ...shown]));
  const printed: Ended[] = [];
  let gateway: ServedGateway;
  let answers: FoundLeak[];
  let server: Ended;
  let exported: Uint8Array;

  beforeAll(async () => {
    gateway = await serveGateway();
    await bringRetailIntoForce(gateway);
    for (const type of retailTypes) printed.push(await importFile(type, gateway.writeInput(`${type}.ndjson`, linesOf(type, all))));
    const sample = [...all.filter((_, index) => index % readEvery === 0), ...planted];
    answers = await each(sample, (record) => readAndScan(gateway, record));
    answers.push(...(await each(planted, (record) => provokeAndScan(gateway, record))));
    printed.push(...(await mistakes()));
    const file = join(gateway.data, "..", "export.tar");
    printed.push(await gateway.command("audit", "export", "--contract", retailContract, "-o", file, "--as", "officer"));
    exported = readFileSync(file);
    server = await gateway.stop();
  }, 240_000);
  afterAll(() => gateway.remove());

  it("takes 500 users and 1,000 orders by `records import`, and says by path what it did not store", () => {
    const [users, orders] = printed;
    expect(users).toMatchObject({ code: 0, output: expect.stringContaining("user: 501 lines, 501 created, 0 updated, 0 rejected") });
    expect(users?.output).toMatch(/payment_methods +501\n +orders +501/);
    expect(orders).toMatchObject({ code: 0, output: expect.stringContaining("order: 1001 lines, 1001 created, 0 updated, 0 rejected") });
    expect(orders?.output).toMatch(/user_id +1001/);
  });

  it("gives no value away over HTTP, neither in an answer nor in an error", () => {
    expect(answers).toEqual([]);
  });

  it("prints no value: not the server, not a command, not one that fails", () => {
    expect(printed.map(({ code }) => code)).toEqual([0, 0, 1, 1, 1, 0]);
    expect(server.code).toBe(0);
    expect([...printed, server].flatMap(({ output }) => scanner.scan(output))).toEqual([]);
  });

  it("leaves no value on the disk: tables, write-ahead log, key files, the exported log", async () => {
    expect(scanner.scan(exported)).toEqual([]);
    const files = [...dumpFiles(gateway.data)];
    expect(files.filter(({ name }) => name.includes("pg_wal/0")).length).toBeGreaterThan(0);
    expect(files.flatMap(scanDumped)).toEqual([]);
    const database = await openPglite({ directory: join(gateway.data, "db") });
    try {
      expect((await dumpTables(database)).flatMap(scanDumped)).toEqual([]);
      const [[records] = []] = await database.query("select count(*)::int from postern.record");
      expect(records).toBe(1_502);
    } finally {
      await database.close();
    }
  }, 60_000);

  it("would be caught: a value in a file of the database or in a line of output is reported", () => {
    const value = templates[0]?.id ?? "";
    expect(scanDumped({ name: "db/base/1", bytes: Buffer.concat([Buffer.alloc(8_192, 0xa5), Buffer.from(value)]) })).toEqual([
      { where: "db/base/1", value, encoding: "raw" },
    ]);
    expect(scanner.scan(`{"level":"error","at":"${Buffer.from(value).toString("hex")}"}`)).toEqual([{ value, encoding: "hex" }]);
  });

  function importFile(type: RetailType, file: string): Promise<Ended> {
    return gateway.command("records", "import", file, "--contract", retailContract, "--type", type, "--as", "owner-1");
  }

  /** Broken lines, customers' lines under a type that is none, and somebody who may not. */
  async function mistakes(): Promise<Ended[]> {
    const lines = templates.map(({ line }) => line);
    const broken = gateway.writeInput(
      "broken.ndjson",
      lines.flatMap((line) => [line.slice(0, -1), `${line}${line}`, `[${line}]`]).join("\n"),
    );
    const words = ["--contract", retailContract, "--type"];
    return [
      await importFile("user", broken),
      await gateway.command("records", "import", broken, ...words, "nobody", "--as", "owner-1"),
      await gateway.command("records", "import", broken, ...words, "user", "--as", "agent-1"),
    ];
  }

  function scanDumped({ name, bytes }: Dumped): (Leak & { where: string })[] {
    return scanner.scan(bytes).map((leak) => ({ ...leak, where: name }));
  }
});
