/** The bench itself, too short to say anything about speed: that it runs, that it says what it does not understand, and that documents say what was saved. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compare } from "./bench/compare.ts";
import { documentsOf, fillIn } from "./bench/documents.ts";
import { judge } from "./bench/goals.ts";
import { readOptions } from "./bench/options.ts";
import { patternsOfOurFiles, stepNames, stepsOf } from "./bench/profile.ts";
import { parseResults, type Result, type Results, type Row, readResults } from "./bench/results.ts";
import { shownOf } from "./bench/scenarios.ts";
import { isLong } from "./support/long.ts";
import { root, sourceFiles } from "./support/repository.ts";

const short = ["--json", "--seconds", "1", "--rounds", "1", "--connections", "4", "--customers", "50"];

/** As npm runs it; answers what it printed. */
function bench(...args: readonly string[]): Results {
  const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), ...args, ...short], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  return parseResults(run.stdout);
}

/** Of every row; and every column that the documents show of it is there. */
function cellsOf(result: Result | undefined, ...columns: readonly string[]): unknown[][] {
  return (result?.rows ?? []).map((row) => columns.map((column) => row[column]));
}

/** Figures of a row that are no measure: nothing, or less than nothing. */
function unmeasured({ rows }: Result): string[] {
  return rows.flatMap((row) =>
    Object.entries(row)
      .filter(([, value]) => typeof value === "number" && !(value >= 0))
      .map(([column]) => column),
  );
}

const saved = (rows: readonly Row[]): Result => ({
  ...{ at: "2026-11-28", machine: { platform: "test", cpu: "test", cores: 2, memory_mb: 1, load: 0 }, versions: { node: "v0" } },
  ...{ rounds: 1, seconds: 1, rows: [...rows] },
});

describe("what documents say about speed", () => {
  it("is what was saved, to the digit, tables and curves", () => {
    for (const [path, text] of documentsOf(readResults()))
      expect(readFileSync(join(root, path), "utf8"), `${path}: npm run bench -- --docs`).toBe(text);
  });

  it("has a table for each scenario that was saved, with the columns that tell its rows apart", () => {
    const text = readFileSync(join(root, "docs/PERFORMANCE.md"), "utf8");
    for (const [name, { rows }] of Object.entries(readResults())) {
      expect(text).toContain(`<!-- bench: ${name} -->`);
      const keys = rows.map((row) => (shownOf(name)?.keys ?? []).map((key) => row[key]).join());
      expect(new Set(keys).size).toBe(rows.length);
    }
  });

  it("changes with one figure", () => {
    const text = "before\n<!-- bench: import -->\nold\n<!-- end -->\nafter\n";
    const filled = (rate: number) => fillIn(text, { import: saved([{ records: 1_000, records_per_s: rate }]) });
    expect(filled(5_000)).toContain("| 1,000 | 5,000 |");
    expect(filled(5_001)).not.toBe(filled(5_000));
    const inLine = (where: string) => `so many: <!-- figure: import records_per_s${where} -->0<!-- end -->/s`;
    const two = {
      import: saved([
        { records: 10, records_per_s: 1 },
        { records: 20, records_per_s: 2_345 },
      ]),
    };
    expect(fillIn(inLine(" records=20"), two)).toBe(inLine(" records=20").replace(">0<", ">2,345<"));
    expect(fillIn(inLine(" records=2"), two)).toBe(inLine(" records=2").replace(">0<", ">(not measured yet)<"));
    expect(fillIn(filled(5_000), {})).toBe(
      "before\n<!-- bench: import -->\nNot measured yet: `npm run bench -- import --save`.\n<!-- end -->\nafter\n",
    );
  });
});

describe("a run beside the one that was saved", () => {
  const read = (rps: number, p99_ms: number): Results => ({
    read: saved([{ name: "read", connections: 64, baseline: "plain-postgres", rps, p99_ms, ratio: 0.5, p99_times: 2, rss_mb: 251 }]),
  });

  it("says of each figure whether it became better or worse, and of a tenth neither", () => {
    expect(compare(read(4_000, 30), read(5_000, 45)).map(({ figure, change }) => [figure, change])).toEqual([
      ["rps", "+25 %, better"],
      ["p99_ms", "+50 %, worse"],
      ["rss_mb", "0 %"],
      ["ratio", "0 %"],
    ]);
    expect(compare(read(4_000, 30), read(3_720, 30))[0]?.change).toBe("-7 %");
  });

  it("is compared with rows of the same name, connections and baseline, and with no others", () => {
    const other = { read: saved([{ name: "read", connections: 16, baseline: "plain-postgres", rps: 1 }]) };
    expect(compare(read(4_000, 30), other)).toEqual([]);
  });

  it("reaches a goal at the very figure, not beyond it, and is silent about what was not measured", () => {
    const reached = judge(read(4_000, 30)).filter(({ measured }) => measured !== null);
    expect(reached.map(({ measured, reached: is }) => [measured, is])).toEqual([
      [0.5, true],
      [2, true],
      [251, false],
    ]);
  });
});

describe("a profile of a read", () => {
  const frame = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
    ...{ id, hitCount: 0, children: [...children] },
    callFrame: { functionName, url, scriptId: "", lineNumber: 0, columnNumber: 0 },
  });
  const nodes = [
    frame(1, "(root)", "", [2, 5, 6, 7, 8]),
    frame(2, "maskDocument", "file:///shop/src/masking/mask.ts", [3]),
    frame(3, "stringify", "file:///shop/src/kernel/lossless-json.ts"),
    frame(5, "(idle)", ""),
    frame(6, "(garbage collector)", ""),
    frame(7, "read", "file:///shop/node_modules/postgres/src/connection.js"),
    frame(8, "flush", "file:///shop/src/audit/writer.ts", [9]),
    frame(9, "write", "file:///shop/src/storage/wire.ts"),
  ];
  const profiled = (...samples: readonly number[]) => ({
    ...{ nodes, startTime: 0, endTime: 0, samples: [...samples], timeDeltas: samples.map(() => 100) },
  });

  it("gives what all steps share to the step that asked for it, and what nobody asked for to itself", () => {
    expect([...stepsOf(profiled(2, 3, 9, 7, 6))]).toEqual([
      ["mask", 200],
      ["log", 100],
      ["Postgres' driver, its sockets", 100],
      ["garbage collection", 100],
    ]);
  });

  it("counts no time in which there was nothing to do", () => {
    expect([...stepsOf(profiled(5, 5, 2))]).toEqual([["mask", 100]]);
  });

  it("knows no file by a pattern that none of ours fits any more", () => {
    const files = sourceFiles("src").map((path) => `file:///shop/${path}`);
    for (const pattern of patternsOfOurFiles)
      expect(
        files.some((file) => pattern.test(file)),
        String(pattern),
      ).toBe(true);
  });
});

describe("npm run bench", () => {
  it.each([
    [["raed"], /^no scenario raed; there are: read, search, /],
    [["read", "--rounds", "0"], /^--rounds takes a whole number from 1: not "0"$/],
    [["read", "--connections", "1,x"], /^--connections takes whole numbers from 1, as 10,100: not "x"$/],
    [["read", "--speed"], /^Unknown option '--speed'.*--help$/],
    [["read", "--profile", "here", "--save"], /is not saved$/],
  ])("does not understand %s, and says why", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  it.runIf(isLong)("measures a read beside all that it is compared with, and a search", { timeout: 180_000 }, () => {
    const { read, search } = bench("read", "search");
    const beside = cellsOf(read, "baseline").flat().map(String);
    expect(beside.slice(0, 2)).toEqual(["plain-postgres", "memory"]);
    expect(beside[2]).toMatch(/^views, pgcrypto, (pgaudit|log_statement=all \(no pgaudit here\))$/);
    expect(beside.slice(3).every((name) => name === "nginx before plain-postgres")).toBe(true);
    expect(cellsOf(search, "name", "connections", "baseline")).toEqual([["search", 4, "plain-postgres"]]);
    for (const result of [read, search]) expect(result && unmeasured(result)).toEqual([]);
  });

  it.runIf(isLong)(
    "measures what a decision and a mask cost, and what the masks do to data, without a database",
    { timeout: 60_000 },
    () => {
      const { policy, masking } = bench("policy", "masking");
      expect(cellsOf(policy, "name", "baseline")[0]).toEqual(["decide-mask", "parse-stringify"]);
      for (const [of = 0, held = 0] of cellsOf(masking, "of", "held")) expect(Number(held)).toBeLessThanOrEqual(Number(of));
    },
  );

  it.runIf(isLong)("measures what each step of a read costs", { timeout: 120_000 }, () => {
    const { steps } = bench("steps");
    expect(cellsOf(steps, "step").flat()).toEqual([...stepNames, "all"]);
    for (const step of ["open", "mask", "log", "respond"]) expect(steps?.rows.find((row) => row.step === step)?.us).toBeGreaterThan(0);
  });

  it.runIf(isLong)("measures what it costs to know who asks", { timeout: 60_000 }, () => {
    expect(cellsOf(bench("verified-token")["verified-token"], "name", "baseline")).toEqual([
      ["verified-token-cached", "sha256"],
      ["verified-token-first", "jwt-verify"],
    ]);
  });

  it.runIf(isLong)("measures how entries become durable and get their places", { timeout: 120_000 }, () => {
    const rows = bench("log-append")["log-append"];
    expect(cellsOf(rows, "name", "baseline")).toEqual([
      ["log-append", "chain-per-row"],
      ["log-append, added", "round-trip"],
      ["log-append, 10 ms away", "chain-per-row"],
      ["sequencing at 1000 entries/s", "the append alone"],
    ]);
    expect(rows?.rows.at(-1)?.ratio).toBe(1);
  });

  it.runIf(isLong)("measures a merchant's own API through the gateway, beside a proxy and beside itself", { timeout: 120_000 }, () => {
    expect(cellsOf(bench("upstream").upstream, "name", "baseline")).toEqual([
      ["upstream-order", "order, hono-proxy"],
      ["upstream-order, added", "order, direct"],
      ["upstream-trade", "trade, hono-proxy"],
      ["upstream-trade, added", "trade, direct"],
    ]);
  });

  it.runIf(isLong)("measures what it takes to verify an export, and an import beside a bare one", { timeout: 120_000 }, () => {
    const { "log-verify": verified, import: imported } = bench("log-verify", "import", "--entries", "1000", "--import", "1000");
    expect(cellsOf(verified, "entries")).toEqual([[1_024], [1_024]]);
    expect(cellsOf(imported, "records", "baseline")).toEqual([[1_000, "plain-postgres"]]);
  });

  it.runIf(isLong)("measures a purge beside readers, and one on the embedded database", { timeout: 180_000 }, () => {
    const { purge } = bench("purge", "--records", "400");
    expect(cellsOf(purge, "database", "untrue_looks").map(([database, untrue]) => [String(database).split(" ")[0], untrue])).toEqual([
      ["Postgres", 0],
      ["embedded", 0],
    ]);
  });

  it.runIf(isLong)("measures how long it takes to be ready, and what the Workers' scripts weigh", { timeout: 180_000 }, () => {
    const { start } = bench("start");
    expect(cellsOf(start, "name").flat()).toEqual([
      ...["embedded", "embedded, its database there", "Postgres", "raw workerd"],
      ...["script: edge", "script: directory", "script: keeper"],
    ]);
  });

  it.runIf(isLong)("measures what grows at each size, of records and of the log", { timeout: 300_000 }, () => {
    const { growth } = bench("growth", "--sizes", "256,512");
    const figures = ["officer search", "read", "search", "memory, serving", "log append", "verification", "memory, verifying", "purge"];
    expect(cellsOf(growth, "figure", "size")).toEqual(
      [...figures, "memory, purging"].flatMap((figure) => [
        [figure, 256],
        [figure, 512],
      ]),
    );
  });
});
