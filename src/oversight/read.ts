/** Entries as officers read them: what the log holds, and who acted and from where, opened under the month's key. */
import { type Entry, type EntryDetails, openDetails, readEntry, selectEntriesAt } from "../audit/index.ts";
import { fromBase64 } from "../crypto/index.ts";
import type { Oversight } from "./ask.ts";

export interface ListedEntry {
  /** Leaf index in the contract's log. */
  readonly index: number;
  readonly entry: Entry;
  /** Who and from where; `null` where nothing was sealed, or it does not open. A month whose key is gone fails the whole reading. */
  readonly details: EntryDetails | null;
}

/** Those at `indexes`, oldest first; what is no entry of ours is left out. */
export async function readListed(deps: Oversight, log: string, indexes: readonly number[]): Promise<ListedEntry[]> {
  const listed: ListedEntry[] = [];
  for (const { index, bytes } of await selectEntriesAt(deps.database, log, indexes)) {
    const entry = bytes && readEntry(bytes);
    if (entry) listed.push({ index, entry, details: await detailsOf(deps, log, entry) });
  }
  return listed;
}

async function detailsOf({ auditKeys, database, aead }: Oversight, log: string, entry: Entry): Promise<EntryDetails | null> {
  if (!entry.details) return null;
  const key = await auditKeys.keyOf(database, log, entry.details.key);
  return openDetails(aead, key, entry, fromBase64(entry.details.box));
}
