/**
 * One run of the tests: every file in its own process, one Postgres cluster for all of them, a plain closing line.
 */
import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.ts";
import { LongestFirst } from "./test/support/longest-first.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // One more than cores of a small machine: much of a test is waiting, for a database or another process.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/postgres-cluster.ts"],
    reporters: ["default", new ClosingLine()],
    testTimeout: 40_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
});
