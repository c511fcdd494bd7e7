/** The purge's own entries: each stands once in the log, however often the job was interrupted. */
import {
  type EventName,
  gatewayLog,
  type LogHandle,
  readEntry,
  selectEntriesAt,
  selectIndexesOfEvent,
  selectPending,
} from "../audit/index.ts";
import type { EntryFacts, PurgeParts } from "./parts.ts";

/**
 * Writes the entry unless this job's stands already, numbered or not. For the holder of the job's lease alone: two who look at once would both write.
 * What waits is read before what is numbered, so that an entry on its way from one to the other is seen.
 */
export async function ensureEntry(
  { database, sequencer, audit }: Pick<PurgeParts, "database" | "sequencer" | "audit">,
  log: LogHandle,
  event: EventName,
  facts: { readonly job: string } & EntryFacts,
): Promise<void> {
  await sequencer.run(log.log);
  const waiting = await selectPending(database, log.log);
  const indexes = await selectIndexesOfEvent(database, log.log, event);
  const numbered = await selectEntriesAt(database, log.log, indexes);
  for (const bytes of [...waiting, ...numbered.flatMap((found) => found.bytes ?? [])]) {
    const entry = readEntry(bytes);
    if (entry?.event === event && entry.facts?.job === facts.job) return;
  }
  const outcome = { effect: "allow", code: log.log === gatewayLog ? "issued" : "purge" } as const;
  await audit.append(log, { event, actor: { role: "system" }, outcome, facts: { ...facts } });
}
