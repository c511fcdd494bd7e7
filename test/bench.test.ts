/** The bench itself, too short to say anything about speed: that it runs, and the JSON form that all later benches keep. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { isLong } from "./support/long.ts";
import { root } from "./support/repository.ts";

const positive = z.number().positive();
const latencies = { rps: positive, p50_ms: positive, p99_ms: positive };
const report = z.strictObject({
  machine: z.strictObject({ platform: z.string(), cpu: z.string(), cores: positive, memory_mb: positive }),
  versions: z.record(z.string(), z.string()),
  scenarios: z.array(
    z.strictObject({
      name: z.enum(["read", "search"]),
      connections: z.literal(4),
      ...latencies,
      rss_mb: positive,
      cpu_us: positive,
      baseline: z.strictObject({ name: z.literal("plain-postgres"), ...latencies }),
      ratio: positive,
    }),
  ),
});

const costs = z.object({
  scenarios: z
    .array(
      z.object({ name: z.string(), connections: z.literal(1), baseline: z.object({ name: z.string(), ...latencies }), ratio: positive }),
    )
    .min(1),
  masking: z.object({
    data: z.array(z.object({ set: z.string(), promise: z.string(), of: positive, held: positive, percent: positive })),
    hostile_64kb_ms: positive,
  }),
});

const logAppend = z.object({
  scenarios: z.array(
    z.strictObject({
      name: z.string(),
      connections: positive,
      ...latencies,
      rss_mb: positive,
      cpu_us: positive,
      baseline: z.strictObject({ name: z.string(), ...latencies }),
      ratio: positive,
    }),
  ),
});

const logVerify = z.object({
  log_verify: z
    .array(
      z.strictObject({
        shape: z.string(),
        entries: z.literal(1_024),
        export_mb: positive,
        hashing_leaves_per_s: positive,
        signatures: positive,
        signatures_per_s: positive,
        verified_entries_per_s: positive,
        seconds: positive,
        rss_mb: positive,
      }),
    )
    .length(2),
});

const purged = z.object({
  purge: z
    .array(
      z.strictObject({
        database: z.string(),
        records: z.literal(400),
        rows: positive,
        key_gone_ms: positive,
        rows_seconds: positive,
        rows_per_s: positive,
        p99_before_ms: positive.nullable(),
        p99_meanwhile_ms: positive.nullable(),
        p99_times: positive.nullable(),
        rss_before_mb: positive,
        rss_most_mb: positive,
        untrue_looks: z.literal(0),
        looks: positive,
      }),
    )
    .length(2),
});

const short = ["--json", "--seconds", "1", "--rounds", "1", "--connections", "4", "--customers", "50"];

describe("npm run bench", () => {
  it.runIf(isLong)("measures each scenario beside the baseline and prints the agreed form", { timeout: 90_000 }, () => {
    const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), ...short], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(report.parse(JSON.parse(run.stdout)).scenarios.map(({ name }) => name)).toEqual(["read", "search"]);
  });

  it.runIf(isLong)(
    "measures what a decision and a mask cost, and what the masks do to data, without a database",
    { timeout: 60_000 },
    () => {
      const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), "decide-mask", "masking", ...short], {
        encoding: "utf8",
      });
      expect(run.stderr).toBe("");
      const { scenarios, masking } = costs.parse(JSON.parse(run.stdout));
      expect(scenarios[0]).toMatchObject({ name: "decide-mask", connections: 1, baseline: { name: "parse-stringify" } });
      for (const { held, of } of masking.data) expect(held).toBeLessThanOrEqual(of);
    },
  );

  it.runIf(isLong)("measures what it costs to know who asks", { timeout: 60_000 }, () => {
    const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), "verified-token", ...short], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const { scenarios } = logAppend.parse(JSON.parse(run.stdout));
    expect(scenarios.map(({ name, baseline }) => [name, baseline.name])).toEqual([
      ["verified-token-cached", "sha256"],
      ["verified-token-first", "jwt-verify"],
    ]);
  });

  it.runIf(isLong)("measures how entries become durable and get their places", { timeout: 120_000 }, () => {
    const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), "log-append", ...short], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const { scenarios } = logAppend.parse(JSON.parse(run.stdout));
    expect(scenarios.map(({ name, baseline }) => [name, baseline.name])).toEqual([
      ["log-append", "chain-per-row"],
      ["log-append, added", "round-trip"],
      ["log-append, 10 ms away", "chain-per-row"],
      ["sequencing at 1000 entries/s", "the append alone"],
    ]);
    expect(scenarios.at(-1)?.ratio).toBe(1);
  });

  it.runIf(isLong)("measures a merchant's own API through the gateway, beside a proxy and beside itself", { timeout: 120_000 }, () => {
    const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), "upstream", ...short], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const { scenarios } = logAppend.parse(JSON.parse(run.stdout));
    expect(scenarios.map(({ name, baseline }) => [name, baseline.name])).toEqual([
      ["upstream-order", "order, hono-proxy"],
      ["upstream-order, added", "order, direct"],
      ["upstream-trade", "trade, hono-proxy"],
      ["upstream-trade, added", "trade, direct"],
    ]);
  });

  it.runIf(isLong)("measures what it takes to verify an export", { timeout: 60_000 }, () => {
    const args = [join(root, "test/bench/main.ts"), "log-verify", "--json", "--entries", "1000"];
    const run = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(logVerify.parse(JSON.parse(run.stdout)).log_verify).toHaveLength(2);
  });

  it.runIf(isLong)("measures a purge beside readers, and one on the embedded database", { timeout: 180_000 }, () => {
    const args = [join(root, "test/bench/main.ts"), "purge", "--json", "--records", "400"];
    const run = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(purged.parse(JSON.parse(run.stdout)).purge.map(({ database }) => database.split(" ")[0])).toEqual(["Postgres", "embedded"]);
  });
});
