/**
 * An officer asks who saw what:  enter → cursor → log this reading → search → open who and from where → answer
 * Officers read the log, never the data: locators, pseudonyms and treatments, and the names of the people who acted.
 */
import {
  actorPseudonym,
  type Entry,
  type EntryDetails,
  gatewayLog,
  openDetails,
  readEntry,
  searchEntries,
  selectEntriesAt,
  subjectPseudonym,
} from "../audit/index.ts";
import { type Aead, fromBase64 } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type AuditKeys, type Keyring, newestEpoch } from "../keys/index.ts";
import { type Entered, enterContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import { openCursor, sealCursor } from "./cursor.ts";

export interface Oversight extends OfficeDoor {
  readonly auditKeys: AuditKeys;
  readonly keyring: Keyring;
  readonly aead: Aead;
}

export interface Filter {
  /** A pseudonym `a_…`, or `issuer/subject`. */
  readonly actor?: string | undefined;
  /** A pseudonym `s_…`, or the locator `r_…` of the record that stands for the person. */
  readonly subject?: string | undefined;
  readonly effect?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface ListedEntry {
  /** Leaf index in the contract's log. */
  readonly index: number;
  readonly entry: Entry;
  /** Who and from where; `null` where nothing was sealed, or it does not open. A month whose key is gone fails the whole listing. */
  readonly details: EntryDetails | null;
}

export interface Listed {
  readonly entries: readonly ListedEntry[];
  /** `null` = the end. */
  readonly next: string | null;
}

export async function listEntries(deps: Oversight, visit: Visit, id: ContractId, filter: Filter): Promise<Result<Listed, Refusal>> {
  const entered = await enterContract(deps, visit, id, "officer");
  if (!entered.ok) return entered;
  const { who, actor, log } = entered.value;
  const cursorKey = await deps.auditKeys.keyOf(deps.database, gatewayLog, "pseudonym");
  const { cursor, limit, ...asked } = filter;
  const scope = JSON.stringify([id, who.issuer, who.subject, asked]);
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : openCursor(cursorKey, scope, cursor);
  const keyed = before === null ? null : await keyedFilter(deps, entered.value, filter);
  const refusal = before === null ? badQuery("cursor") : keyed && !keyed.ok ? keyed.refusal : null;
  const outcome = refusal ? ({ effect: "deny", code: refusal.code } as const) : ({ effect: "allow", code: "ok" } as const);
  await deps.audit.append(log, { event: "audit.listed", actor, request: visit.request, outcome, facts: { contract: id } });
  if (before === null || !keyed?.ok) return refuse(refusal ?? badQuery("cursor"));

  const { effect, from, to } = filter;
  const indexes = await searchEntries(deps.database, id, { ...keyed.value, effect, from, to, before, limit: limit + 1 });
  const shown = indexes.slice(0, limit);
  const last = shown.at(-1);
  const next = indexes.length > limit && last !== undefined ? sealCursor(cursorKey, scope, last) : null;
  return ok({ entries: await readListed(deps, id, shown), next });
}

/** Names become pseudonyms under the contract's key; after the purge only pseudonyms can be asked for. */
async function keyedFilter(
  deps: Oversight,
  { contract }: Entered,
  { actor, subject }: Filter,
): Promise<Result<{ actor: string | undefined; subject: string | undefined }, Refusal>> {
  const named = actor?.includes("/") || subject?.startsWith("r_");
  if (!named) return ok({ actor, subject });
  if (contract.state !== "active" && contract.state !== "ended") return refuse(badQuery(actor?.includes("/") ? "actor" : "subject"));
  const { pseudonym } = await deps.keyring.keysOf(deps.database, contract.id, await newestEpoch(deps.database, contract.id));
  const [issuer, ...rest] = (actor ?? "").split("/");
  return ok({
    actor: actor?.includes("/") ? actorPseudonym(pseudonym, { role: "unknown", issuer: issuer ?? "", subject: rest.join("/") }) : actor,
    subject: subject?.startsWith("r_") ? subjectPseudonym(pseudonym, subject) : subject,
  });
}

async function readListed(deps: Oversight, log: string, indexes: readonly number[]): Promise<ListedEntry[]> {
  const listed: ListedEntry[] = [];
  for (const { index, bytes } of await selectEntriesAt(deps.database, log, indexes)) {
    const entry = bytes && readEntry(bytes);
    if (entry) listed.push({ index, entry, details: await detailsOf(deps, log, entry) });
  }
  return listed.reverse();
}

async function detailsOf({ auditKeys, database, aead }: Oversight, log: string, entry: Entry): Promise<EntryDetails | null> {
  if (!entry.details) return null;
  const key = await auditKeys.keyOf(database, log, entry.details.key);
  return openDetails(aead, key, entry, fromBase64(entry.details.box));
}

function badQuery(name: string): Refusal {
  return { code: "bad_query", errors: [{ pointer: `query:${name}`, code: "not_usable" }] };
}
