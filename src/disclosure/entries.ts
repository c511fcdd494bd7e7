/** What the log says of an agent's asking: one entry for every way out. */
import { type EntryDraft, gatewayLog, type LogHandle } from "../audit/index.ts";
import type { TurnedAway } from "../http/index.ts";
import type { Principal } from "../identity/index.ts";
import { type ContractId, type Locator, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import { KeysUnavailable } from "../keys/index.ts";
import { treatmentNames } from "../masking/index.ts";
import type { Bundle } from "../policy/index.ts";
import type { Ask, Disclosure, Want } from "./ask.ts";
import type { Loaded } from "./load.ts";
import { windowSeconds } from "./misses.ts";
import type { Opened, OpenedRecords } from "./open.ts";
import type { Sharing } from "./sharing.ts";

export function draftOf(
  ask: Ask,
  who: Principal,
  bundle: Bundle,
  decided: { role: string; purpose: string; digest: string; lastDays: boolean },
): EntryDraft {
  const { want, ticket, request } = ask;
  const { type, field } = knownNames(ask, bundle);
  return {
    event: eventOf(want),
    actor: { role: "agent", issuer: who.issuer, subject: who.subject },
    request,
    reason: { purpose: decided.purpose, ticket: ticket ?? undefined },
    resource: { type, records: recordsAsked(want), fields: {} },
    decision: { policy: decided.digest, role: decided.role },
    outcome: { effect: "allow", code: "masked" },
    ...((field !== null || decided.lastDays) && {
      facts: { ...(field !== null && { searched_by: field }), ...(decided.lastDays && { last_days: 1 }) },
    }),
  };
}

function eventOf(want: Want): EntryDraft["event"] {
  if (want.kind === "write") return "record.writing";
  return want.kind === "read" || (want.kind === "upstream" && !want.list) ? "record.read" : "record.searched";
}

function recordsAsked(want: Want): { readonly locator: Locator }[] {
  return want.kind === "read" ? [{ locator: want.locator }] : [];
}

const unknownName = "unknown";

/** The names of the ask as the log may hold them. Agents paste names, mails and ids into the wrong place: what the policy does not know is not repeated. */
function knownNames({ type, want }: Ask, bundle: Bundle | undefined): { type: string; field: string | null } {
  const resource = bundle && Object.hasOwn(bundle.resources, type) ? bundle.resources[type] : undefined;
  const isKnown = (field: string) => field === "id" || (resource !== undefined && Object.hasOwn(resource.fields, field));
  return {
    type: resource ? type : unknownName,
    field: want.kind === "read" || want.kind === "write" || want.field === null ? null : isKnown(want.field) ? want.field : unknownName,
  };
}

/** What a row rule kept away is counted, not named: to the agent it is not there. */
export function excludedDraft(draft: EntryDraft, { notHeld, failed }: OpenedRecords["refused"]): EntryDraft {
  const facts = { ...draft.facts, ...(notHeld > 0 && { rows_not_held: notHeld }), ...(failed > 0 && { rows_failed: failed }) };
  return Object.keys(facts).length > 0 ? { ...draft, facts } : draft;
}

type Leaving = Pick<Opened, "settled" | "left"> & {
  readonly record: Pick<Opened["record"], "locator">;
  readonly subject: string | undefined;
};

export function disclosedDraft(draft: EntryDraft, ask: Pick<Ask, "type">, opened: readonly Leaving[]): EntryDraft {
  const records = opened.map(({ record, subject }) => ({ locator: record.locator, subject }));
  const outcomes = opened.map(({ settled }) => settled.outcome);
  const failed = [...new Set(opened.flatMap(({ settled }) => settled.failed))].sort();
  const facts = {
    ...draft.facts,
    // In the order of the records; the bundle, the role and the purpose say which conditions they are.
    ...(outcomes.some((outcome) => outcome !== "") && { conditions: outcomes }),
    ...(failed.length > 0 && { conditions_failed: failed }),
  };
  return {
    ...draft,
    resource: { type: ask.type, records, fields: mostOf(opened.map(({ left }) => left)) },
    ...(Object.keys(facts).length > 0 && { facts }),
  };
}

type Left = Opened["left"];

/** Of records that a condition treats differently, the most that left of each field. */
function mostOf(left: readonly Left[]): Left {
  const [only, second] = left;
  if (only !== undefined && second === undefined) return only;
  const most: Record<string, Left[string]> = {};
  for (const fields of left) {
    for (const [path, treatment] of Object.entries(fields)) {
      const standing = Object.hasOwn(most, path) ? most[path] : undefined;
      if (standing === undefined || treatmentNames.indexOf(treatment) > treatmentNames.indexOf(standing)) most[path] = treatment;
    }
  }
  return most;
}

export async function denyDraft(deps: Disclosure, log: LogHandle, draft: EntryDraft, refusal: Refusal): Promise<Result<never, Refusal>> {
  await deps.audit.append(log, { ...draft, outcome: { effect: "deny", code: refusal.code } });
  return refuse(refusal);
}

/** Refused before a purpose and a role are known to hold. */
export async function deny(
  deps: Disclosure,
  ask: Ask,
  who: Principal,
  refusal: Refusal,
  { log, exists, bundle }: { readonly log: LogHandle; readonly exists: boolean; readonly bundle?: Bundle },
): Promise<Result<never, Refusal>> {
  const { want, ticket, request, contract } = ask;
  const { type } = knownNames(ask, bundle);
  const inGateway = log.log === gatewayLog && exists;
  await deps.audit.append(log, {
    event: eventOf(want),
    actor: { role: "agent", issuer: who.issuer, subject: who.subject },
    request,
    reason: { ticket: ticket ?? undefined },
    resource: { type, records: recordsAsked(want), fields: {} },
    outcome: { effect: "deny", code: refusal.code },
    ...(inGateway ? { facts: { contract } } : {}),
  });
  return refuse(refusal);
}

/** Beside the entry of the request by which it was seen. */
export function sharedDraft(
  { contract, request }: Ask,
  { issuer, subject }: Principal,
  { networks, countries, oneToken }: Sharing,
  code: RefusalCode | null,
): EntryDraft {
  return {
    event: "seat.shared",
    actor: { role: "agent", issuer, subject },
    request,
    outcome: code ? { effect: "deny", code } : { effect: "allow", code: "noted" },
    facts: { contract, networks, countries, one_token: oneToken ? 1 : 0 },
  };
}

/** The same. What was asked for stands in the entries of the requests. */
export function guessingDraft({ contract, request }: Ask, { issuer, subject }: Principal, misses: number): EntryDraft {
  return {
    event: "seat.guessing",
    actor: { role: "agent", issuer, subject },
    request,
    outcome: { effect: "allow", code: "noted" },
    facts: { contract, misses, seconds: windowSeconds },
  };
}

/** Somebody without a token that holds. Of a contract that exists its officers are to learn who tried; what else a path says is not repeated in the log. */
export async function denyUnknown(
  deps: Disclosure,
  { contract, request }: Pick<Ask, "request"> & { readonly contract: ContractId | null },
  code: RefusalCode,
): Promise<Result<never, Refusal>> {
  await deps.strangers.refused(code, async () => {
    const exists = contract !== null && (await deps.load({ ...nobody, contract })).contract !== null;
    return refusedDraft({ role: "unknown" }, request, code, exists ? contract : null);
  });
  return refuse({ code });
}

const nobody = { issuer: "", subject: "", token: "", key: "", type: "", find: null };

/** A request that never became an ask: malformed, or lost to a fault. Whoever sits at the contract is found in its log. */
export async function logAgentTurnedAway(deps: Disclosure, { refusal, caller, contract: named }: TurnedAway): Promise<void> {
  const { code } = refusal;
  const { request } = caller;
  const contract = named as ContractId | null;
  const principal = await deps.identity.identify(caller.authorization);
  if (!principal.ok) {
    await denyUnknown(deps, { contract, request }, code);
    return;
  }
  const { issuer, subject, tokenId: token, keyId: key } = principal.value;
  const loaded = contract === null ? null : await deps.load({ contract, issuer, subject, token, key, type: "", find: null });
  const exists = loaded !== null && loaded.contract !== null;
  const own = contract !== null && loaded ? logOf(deps, { contract }, loaded) : deps.logs.gateway(deps.database);
  // Where the contract's keys do not open, this is perhaps what the entry is about.
  const log = await own.catch((fault: unknown) =>
    fault instanceof KeysUnavailable ? deps.logs.gateway(deps.database) : Promise.reject(fault),
  );
  const inGateway = exists && log.log === gatewayLog;
  const role = loaded?.seat ? "agent" : "unknown";
  await deps.audit.append(log, refusedDraft({ role, issuer, subject }, request, code, inGateway ? contract : null));
}

function refusedDraft(actor: EntryDraft["actor"], request: Ask["request"], code: RefusalCode, contract: string | null): EntryDraft {
  const facts = contract === null ? {} : { facts: { contract } };
  return { event: "request.refused", actor, request, outcome: { effect: "deny", code }, ...facts };
}

/** Of a contract that has keys and an open log, if somebody of its own asks; from the purge's fence on, and for strangers, the gateway's. */
export async function logOf(deps: Disclosure, ask: Pick<Ask, "contract">, { contract, seat }: Loaded): Promise<LogHandle> {
  const own = contract && seat !== null && (contract.state === "active" || contract.state === "ended");
  if (!own) return deps.logs.gateway(deps.database);
  return deps.logs.contract(await deps.keyring.keysOf(deps.database, ask.contract, contract.epoch));
}
