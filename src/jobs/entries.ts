/** A job's own entries, a request's, and those of an end: each stands once in the log, however often whoever writes it was interrupted. */
import {
  type AuditLog,
  type EntryDraft,
  type EventName,
  type LogHandle,
  readEntry,
  type Sequencer,
  selectEntriesAt,
  selectIndexesOfEvent,
  selectPending,
} from "../audit/index.ts";
import type { Database } from "../storage/index.ts";

export interface JobLog {
  readonly database: Database;
  readonly sequencer: Sequencer;
  readonly audit: AuditLog;
}

export interface JobEntry extends Pick<EntryDraft, "resource"> {
  readonly event: EventName;
  readonly code: string;
  /** Default: allow. */
  readonly effect?: "deny";
  /** Whose entry it is. */
  readonly facts: ({ readonly job: string } | { readonly approval: string } | { readonly ends_at: string }) &
    NonNullable<EntryDraft["facts"]>;
}

/**
 * Writes the entry unless it stands already, numbered or not. For the holder of the lease alone: two who look at once would both write.
 * What waits is read before what is numbered, so that an entry on its way from one to the other is seen.
 */
export async function ensureEntry({ database, sequencer, audit }: JobLog, log: LogHandle, wanted: JobEntry): Promise<void> {
  const { event, effect = "allow", code, facts, resource } = wanted;
  const whose = (["job", "approval"] as const).find((name) => name in facts) ?? "ends_at";
  await sequencer.run(log.log);
  const waiting = await selectPending(database, log.log);
  const indexes = await selectIndexesOfEvent(database, log.log, event);
  const numbered = await selectEntriesAt(database, log.log, indexes);
  for (const bytes of [...waiting, ...numbered.flatMap((found) => found.bytes ?? [])]) {
    const entry = readEntry(bytes);
    if (entry?.event === event && entry.facts?.[whose] === facts[whose]) return;
  }
  await audit.append(log, { event, actor: { role: "system" }, outcome: { effect, code }, facts: { ...facts }, resource });
}
