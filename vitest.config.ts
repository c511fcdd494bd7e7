/**
 * One run of the tests: three processes that take one file after another, one Postgres cluster for all of them, a plain closing line.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import "./src/node-imports.ts";
import { ClosingLine } from "./test/support/closing-line.ts";
import { isLong } from "./test/support/long.ts";
import { LongestFirst } from "./test/support/longest-first.ts";
import { nodeImports } from "./test/support/repository.ts";

// Hundreds of processes load the same modules: each command, each gateway. They compile them once.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url));

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // A file takes a second of the processor less where what it imports is there already. So none leaves anything of its own behind: no clock, no variable.
    // In the long form each has a process to itself: some are run there a second time, for another runtime.
    isolate: isLong,
    execArgv: nodeImports,
    // One more than the processors that the suite is held to: much of it waits, for a deadline, a clock, a process that starts.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/postgres-cluster.ts"],
    reporters: ["default", new ClosingLine()],
    testTimeout: 40_000,
    // What is waited for has come long before, but on a machine that is busy with something else.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
});
