/**
 * What every question to a contract's log has in common:  enter → cursor → names to pseudonyms → log this reading
 * A question that is not usable is logged as well: an officer who was refused has asked all the same.
 */
import { actorPseudonym, type EventName, gatewayLog, type SearchFilter, subjectPseudonym } from "../audit/index.ts";
import type { Bundles } from "../contracts/index.ts";
import type { Aead } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type AuditKeys, type ContractKeys, type Keyring, newestEpoch } from "../keys/index.ts";
import { type Entered, enterContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import { openCursor, sealCursor } from "./cursor.ts";

export interface Oversight extends OfficeDoor {
  readonly auditKeys: AuditKeys;
  readonly keyring: Keyring;
  readonly bundles: Bundles;
  readonly aead: Aead;
}

export interface Filter extends Omit<SearchFilter, "subjects" | "contract"> {
  /** A pseudonym `a_…`, `system`, `unknown`, or `issuer/subject`. */
  readonly actor?: string | undefined;
  /** A pseudonym `s_…`, or the locator `r_…` of the record that stands for the person. */
  readonly subject?: string | undefined;
}

export interface Question {
  /** Which route, and what else its cursors are bound to. */
  readonly kind: string;
  readonly event: EventName;
  /** Of the entry's outcome where the question is usable. */
  readonly code: string;
  readonly filter: Filter;
  readonly cursor: string | undefined;
  /** What the gateway's log holds about the contract, rather than the contract's own. */
  readonly inGateway?: boolean;
}

/** `log`: where this reading's own entry lies. */
export interface Asked extends Entered {
  /** Name of the log that is asked. */
  readonly searched: string;
  readonly search: SearchFilter;
  /** Of the cursor; `null` where the question begins. */
  readonly places: readonly number[] | null;
  /** Id of the flush that holds this reading's own entry. */
  readonly flush: string;
  /** A cursor for the same person, contract, kind and filter. */
  cursorAt(...places: readonly number[]): string;
}

/** `into`: the log for the entry, where it is not the contract's. */
export async function askLog(
  deps: Oversight,
  visit: Visit,
  id: ContractId,
  question: Question,
  into: (entered: Entered) => Promise<Entered["log"]> = async ({ log }) => log,
): Promise<Result<Asked, Refusal>> {
  const entered = await enterContract(deps, visit, id);
  if (!entered.ok) return entered;
  const { who, actor, contract } = entered.value;
  const { kind, event, filter, cursor, inGateway = false } = question;
  const key = await deps.auditKeys.keyOf(deps.database, gatewayLog, "pseudonym");
  const scope = JSON.stringify([kind, id, who.issuer, who.subject, filter]);
  const places = cursor === undefined ? null : openCursor(key, scope, cursor);
  const search =
    cursor !== undefined && places === null
      ? refuseQuery("cursor")
      : inGateway
        ? ok(searchInGateway(key, id, filter))
        : await searchOf(deps, entered.value, filter);
  const begun = contract.state !== "draft" || event === "audit.listed";
  const refusal: Refusal | null = search.ok ? (begun ? null : { code: "wrong_state" }) : search.refusal;
  const log = await into(entered.value);
  const { flush } = await deps.audit.append(log, {
    event,
    actor,
    request: visit.request,
    outcome: refusal ? { effect: "deny", code: refusal.code } : { effect: "allow", code: question.code },
    facts: {
      contract: id,
      ...(inGateway && { of: gatewayLog }),
      ...(Object.keys(filter).length > 0 && { asked_by: Object.keys(filter).sort() }),
    },
  });
  if (refusal || !search.ok) return refuse(refusal ?? { code: "bad_query" });
  const searched = inGateway ? gatewayLog : id;
  return ok({ ...entered.value, log, searched, search: search.value, places, flush, cursorAt: (...at) => sealCursor(key, scope, at) });
}

/** Names become pseudonyms under the contract's key; after the purge only pseudonyms can be asked for. */
async function searchOf(deps: Oversight, entered: Entered, { subject, ...filter }: Filter): Promise<Result<SearchFilter, Refusal>> {
  const { actor } = filter;
  const nameIn = actor?.includes("/") ? "actor" : subject?.startsWith("r_") ? "subject" : null;
  const keys = nameIn === null ? null : await keysOf(deps, entered);
  if (nameIn !== null && keys === null) return refuseQuery(nameIn);
  const subjects = subject === undefined ? undefined : subject.startsWith("r_") && keys ? namesOf(keys, subject) : [subject];
  return ok({ ...filter, subjects, actor: keys && actor?.includes("/") ? pseudonymOf(keys.pseudonym, actor) : actor });
}

/** There people have names under the gateway's own key, and nothing but what names the contract is found. */
function searchInGateway(key: Uint8Array, contract: ContractId, { subject, actor, ...filter }: Filter): SearchFilter {
  const named = actor?.includes("/") ? pseudonymOf(key, actor) : actor;
  return { ...filter, contract, actor: named, subjects: subject === undefined ? undefined : [subject] };
}

/** `null` = there are none: the contract has not begun, or its purge has. */
export async function keysOf({ keyring, database }: Oversight, { contract }: Entered): Promise<ContractKeys | null> {
  if (contract.state !== "active" && contract.state !== "ended") return null;
  return keyring.keysOf(database, contract.id, await newestEpoch(database, contract.id));
}

/** How entries name a person: by pseudonym, and where nothing was opened by the locator that was asked for. */
function namesOf({ pseudonym }: ContractKeys, locator: string): string[] {
  return [subjectPseudonym(pseudonym, locator), locator];
}

function pseudonymOf(key: Uint8Array, name: string): string {
  const [issuer = "", ...rest] = name.split("/");
  return actorPseudonym(key, { role: "unknown", issuer, subject: rest.join("/") });
}

export function refuseQuery(name: string): Result<never, Refusal> {
  return refuse({ code: "bad_query", errors: [{ pointer: `query:${name}`, code: "not_usable" }] });
}
