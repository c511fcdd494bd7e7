/** What a test does inside a gateway's process that runs `levers-process.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { House } from "./house.ts";

export const leversScript = fileURLToPath(new URL("levers-process.ts", import.meta.url));

export const leversShape = z.strictObject({
  clockMs: z.number().optional(),
  reject: z.string().optional(),
  throw: z.string().optional(),
  /** Which measurement. */
  measure: z.int().optional(),
});

type Levers = z.infer<typeof leversShape>;

export interface Measured {
  readonly measure: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

export function pull({ gateway }: House, levers: Levers): void {
  writeFileSync(join(gateway.home, "levers.json"), JSON.stringify(levers));
  process.kill(gateway.pid(), "SIGUSR2");
}
