/**
 * The gateway with levers that a test pulls from outside (`levers.ts`), by the file `levers.json` where it runs and SIGUSR2: its clock steps, a promise is
 * rejected that nobody waits for, something is thrown that nobody catches, its memory is measured once nothing is left that nobody needs (`memory.json`).
 * All else is the product, run like `postern`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { leversShape, type Measured } from "./levers.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

const { now } = Date;
let aheadMs = 0;
const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [RealDate.now()] : given, self),
});
RealDate.now = () => now() + aheadMs;

process.on("SIGUSR2", () => {
  const levers = leversShape.parse(JSON.parse(readFileSync("levers.json", "utf8")));
  if (levers.clockMs !== undefined) aheadMs = levers.clockMs;
  if (levers.reject !== undefined) void Promise.reject(new Error(levers.reject));
  if (levers.measure !== undefined) {
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    writeFileSync("memory.json", JSON.stringify({ measure: levers.measure, heapUsed, external, rss } satisfies Measured));
  }
  if (levers.throw !== undefined) {
    const error = new Error(levers.throw);
    setImmediate(() => {
      throw error;
    });
  }
});

await import("../../src/cli.ts");
