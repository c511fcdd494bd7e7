/**
 * Refusals of callers that nobody knows: no token, or none that holds. Each leaves an entry of its own until there are too many; what comes then is
 * counted by its code, and one entry a window holds the counts. So a flood of bad tokens fills neither the log nor the disk, and is still in it.
 * The counts live in the process until then: they die with it, for a window at most. Nothing is ever released to these callers.
 */
import type { RefusalCode } from "../kernel/index.ts";
import type { AuditLog, EntryDraft, LogHandle } from "./log.ts";

const windowMs = 10_000;
/** Of one process, in one window. */
const namedMax = 20;

/** Inert, so that on Workers it outlives the request that it was filled by. */
export interface StrangersTally {
  /** Milliseconds: when the window began. */
  since: number;
  named: number;
  counts: Map<RefusalCode, number>;
}

export function createStrangersTally(): StrangersTally {
  return { since: 0, named: 0, counts: new Map() };
}

export interface Strangers {
  /** Appends what `draft` says, or counts the refusal. Throws as the log does. */
  refused(code: RefusalCode, draft: () => Promise<EntryDraft>): Promise<void>;
  /** Writes what was counted, once its window is over; `now`: at once. */
  settle(when?: "now"): Promise<void>;
}

export interface StrangersParts {
  readonly audit: AuditLog;
  /** The gateway's log. */
  readonly log: () => Promise<LogHandle>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly tally: StrangersTally;
}

export function createStrangers({ audit, log, now, tally }: StrangersParts): Strangers {
  const settle = async (when?: "now"): Promise<void> => {
    const until = now();
    if (when !== "now" && until - tally.since < windowMs) return;
    const { since, counts } = tally;
    // Taken before it is written: whoever comes meanwhile counts into the next window, and nothing is written twice.
    Object.assign(tally, { since: until, named: 0, counts: new Map() } satisfies StrangersTally);
    if (counts.size === 0) return;
    const facts = { counts: Object.fromEntries([...counts].sort()), from: textOf(since), to: textOf(until) };
    const entry: EntryDraft = {
      event: "strangers.counted",
      actor: { role: "unknown" },
      outcome: { effect: "deny", code: "counted" },
      facts,
    };
    try {
      await audit.append(await log(), entry);
    } catch (error) {
      for (const [code, count] of counts) tally.counts.set(code, (tally.counts.get(code) ?? 0) + count);
      throw error;
    }
  };
  return {
    settle,
    async refused(code, draft) {
      await settle();
      if (tally.named < namedMax) {
        tally.named++;
        await audit.append(await log(), await draft());
      } else {
        tally.counts.set(code, (tally.counts.get(code) ?? 0) + 1);
      }
    },
  };
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}
