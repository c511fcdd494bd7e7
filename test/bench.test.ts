/** The bench itself, too short to say anything about speed: that it runs, and the JSON form that all later benches keep. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
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

const short = ["--json", "--seconds", "1", "--rounds", "1", "--connections", "4", "--customers", "50"];

describe("npm run bench", () => {
  it("measures each scenario beside the baseline and prints the agreed form", { timeout: 90_000 }, () => {
    const run = spawnSync(process.execPath, [join(root, "test/bench/main.ts"), ...short], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(report.parse(JSON.parse(run.stdout)).scenarios.map(({ name }) => name)).toEqual(["read", "search"]);
  });
});
