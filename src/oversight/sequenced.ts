/** Waiting until what was just written has its place in the tree. */
import { isNumbered, LogHalted, type Sequencer } from "../audit/index.ts";
import type { Queryable } from "../storage/index.ts";

const lookEveryMs = 100;

export interface Awaited {
  readonly log: string;
  /** Its id. */
  readonly flush: string;
  readonly withinMs: number;
}

/** The sequencer runs here and now; another one may hold the lock, so wait a little. `halted`: nothing is numbered in this log. */
export async function sequenced(
  { database, sequencer }: { readonly database: Queryable; readonly sequencer: Sequencer },
  { log, flush, withinMs }: Awaited,
): Promise<"numbered" | "late" | "halted"> {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      await sequencer.run(log);
    } catch (error) {
      if (error instanceof LogHalted) return "halted";
      throw error;
    }
    if (await isNumbered(database, log, flush)) return "numbered";
    if (Date.now() > until) return "late";
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
