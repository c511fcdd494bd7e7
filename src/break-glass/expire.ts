/**
 * A glass is whole again by its own minutes, whatever runs; that it is over, and later that nobody looked at it in time, the log says once.
 * Crash order: the entry first, then it is noted. Whoever takes it up after a crash looks in the log before it writes.
 */
import { type ExpiryParts, keylessLogOf } from "../approvals/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { inTurn } from "../kernel/index.ts";
import { type Glass, reviewDueAt } from "./glass.ts";
import { type DueGlass, noteGlassTold, takeDue } from "./postgres.ts";

/** By a clock that is believed. Safe in any number of processes. */
export async function tellOfGlasses(parts: ExpiryParts): Promise<void> {
  await inTurn(await takeDue(parts.database, parts.leaseMs), async (glass) => {
    const told = {
      ended: { event: "break_glass.ended", code: "expired" },
      review_missing: { event: "break_glass.review_missing", code: "overdue" },
    } as const;
    await ensureEntry(parts, await keylessLogOf(parts, glass.contract), { ...told[glass.due], effect: "deny", facts: factsOf(glass) });
    await noteGlassTold(parts.database, glass);
  });
}

function factsOf(glass: DueGlass) {
  const { contract, id, purpose } = glass;
  return { contract, approval: id, purpose, review_due_at: isoOfDue(glass) };
}

function isoOfDue(glass: Glass): string {
  return new Date(reviewDueAt(glass) ?? glass.readAt).toISOString();
}
