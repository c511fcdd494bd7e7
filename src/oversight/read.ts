/** Entries as officers read them: what the log holds, and who acted and from where, opened under the month's key. */
import { type Entry, type EntryDetails, openDetails, readEntry, selectEntriesAt } from "../audit/index.ts";
import { fromBase64 } from "../crypto/index.ts";
import type { Oversight } from "./ask.ts";

export interface ListedEntry {
  /** Leaf index in the contract's log. */
  readonly index: number;
  readonly entry: Entry;
  /** Who and from where; `null` where nothing was sealed, it does not open, or it is gone. */
  readonly details: EntryDetails | null;
  /** It was sealed, and its month's key was destroyed at the end of its retention. */
  readonly gone: boolean;
}

/** Those at `indexes`, oldest first; what is no entry of ours is left out. */
export async function readListed(deps: Oversight, log: string, indexes: readonly number[]): Promise<ListedEntry[]> {
  const listed: ListedEntry[] = [];
  const keys = new Map<string, Uint8Array | null>();
  for (const { index, bytes } of await selectEntriesAt(deps.database, log, indexes)) {
    const entry = bytes && readEntry(bytes);
    if (!entry) continue;
    const { details: sealed } = entry;
    const known = sealed && keys.get(sealed.key);
    const key = sealed && (known === undefined ? await deps.auditKeys.standingKeyOf(deps.database, log, sealed.key) : known);
    if (sealed && key !== undefined) keys.set(sealed.key, key);
    const details = sealed && key ? openDetails(deps.aead, key, entry, fromBase64(sealed.box)) : null;
    listed.push({ index, entry, details, gone: key === null });
  }
  return listed;
}
