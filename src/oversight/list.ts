/**
 * An officer asks who saw what:  ask → search → open who and from where → answer
 * Officers read the log, never the data: locators, pseudonyms and treatments, and the names of the people who acted.
 */
import { searchEntries } from "../audit/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import type { Visit } from "../offices/index.ts";
import { askLog, type Filter, type Oversight } from "./ask.ts";
import { type ListedEntry, readListed } from "./read.ts";

export interface ListQuestion {
  readonly filter: Filter;
  readonly cursor: string | undefined;
  /** What the gateway's log holds about the contract. */
  readonly inGateway: boolean;
  readonly limit: number;
}

export interface Listed {
  /** Newest first. */
  readonly entries: readonly ListedEntry[];
  /** `null` = the end. */
  readonly next: string | null;
}

/** Pages are places in the log, which nothing moves: what is written meanwhile comes before the first page and changes none. */
export async function listEntries(
  deps: Oversight,
  visit: Visit,
  id: ContractId,
  { filter, cursor, inGateway, limit }: ListQuestion,
): Promise<Result<Listed, Refusal>> {
  const kind = inGateway ? "list gateway" : "list";
  const asked = await askLog(deps, visit, id, { kind, event: "audit.listed", code: "ok", filter, cursor, inGateway });
  if (!asked.ok) return asked;
  const { search, searched, places, cursorAt } = asked.value;
  const [to = Number.MAX_SAFE_INTEGER] = places ?? [];
  const indexes = await searchEntries(deps.database, searched, search, { order: "newest", from: 0, to, limit: limit + 1 });
  const shown = indexes.slice(0, limit);
  const last = shown.at(-1);
  const next = indexes.length > limit && last !== undefined ? cursorAt(last) : null;
  // The tables that are searched are derived: whatever they say, nobody is shown an entry that names another one's contract.
  const listed = (await readListed(deps, searched, shown)).filter(({ entry }) => !inGateway || entry.facts?.contract === id);
  return ok({ entries: listed.reverse(), next });
}
