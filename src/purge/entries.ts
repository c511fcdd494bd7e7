/** The purge's own entries: each stands once in the log, however often the job was interrupted. */
import { type EventName, gatewayLog, type LogHandle, readEntry, selectEntriesAt, selectIndexesOfEvent } from "../audit/index.ts";
import type { EntryFacts, PurgeParts } from "./parts.ts";

/** Writes the entry unless this job's stands already. What was accepted before a crash is numbered first, so that it is seen. */
export async function ensureEntry(
  { database, sequencer, audit }: Pick<PurgeParts, "database" | "sequencer" | "audit">,
  log: LogHandle,
  event: EventName,
  facts: { readonly job: string } & EntryFacts,
): Promise<void> {
  await sequencer.run(log.log);
  const indexes = await selectIndexesOfEvent(database, log.log, event);
  for (const { raw } of await selectEntriesAt(database, log.log, indexes)) {
    if (raw && readEntry(raw.bytes)?.facts?.job === facts.job) return;
  }
  const outcome = { effect: "allow", code: log.log === gatewayLog ? "issued" : "purge" } as const;
  await audit.append(log, { event, actor: { role: "system" }, outcome, facts: { ...facts } });
}
