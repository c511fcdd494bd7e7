/**
 * An agent asks for customers' records, by name (read) or by what the caller says (search):
 * identify → load → standing → purpose → decide → find → open what the plan needs → mask → log, await durable → release
 *
 * Every way out leaves exactly one entry. It never sees what a record means: classes and treatments come from the policy.
 */

import type { AuditPromise } from "../audit/index.ts";
import {
  type AuditLog,
  type EntryDraft,
  gatewayLog,
  type LogHandle,
  type LogHandles,
  type RequestFacts,
  Undisclosed,
} from "../audit/index.ts";
import { type Bundles, standingAt } from "../contracts/index.ts";
import type { Aead } from "../crypto/index.ts";
import type { Identity, Principal } from "../identity/index.ts";
import {
  type ContractId,
  type InFlight,
  type JsonObject,
  type Locator,
  ok,
  type Refusal,
  type RefusalCode,
  type Result,
  refuse,
} from "../kernel/index.ts";
import type { ContractKeys, Keyring } from "../keys/index.ts";
import { maskDocument, normalize } from "../masking/index.ts";
import type { Offices } from "../offices/index.ts";
import { type Bundle, type Decision, decide, type MaskingNote, mergeLevels } from "../policy/index.ts";
import { indexValueOf, locatorOf, openLevel } from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { hitsMax, type Load, type Loaded, type LoadedRecord } from "./load.ts";

export interface Disclosure {
  readonly identity: Identity;
  readonly database: Queryable;
  readonly load: Load;
  readonly bundles: Bundles;
  readonly keyring: Keyring;
  readonly aead: Aead;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly inFlight: InFlight;
  readonly offices: Offices;
}

export interface Ask {
  readonly authorization: string | null;
  readonly contract: ContractId;
  readonly type: string;
  readonly want: Want;
  /** `null` = not sent. */
  readonly purpose: string | null;
  readonly ticket: string | null;
  readonly request: RequestFacts;
}

/** `field`: a searchable field, or `id` for the merchant's own id. */
export type Want =
  | { readonly kind: "read"; readonly locator: Locator }
  | { readonly kind: "search"; readonly field: string; readonly value: string };

export interface MaskedRecord {
  readonly type: string;
  readonly locator: Locator;
  readonly fields: JsonObject;
  readonly masking: readonly MaskingNote[];
}

export interface Disclosed {
  readonly records: readonly MaskedRecord[];
  /** More matched than are shown. */
  readonly more: boolean;
  readonly promise: AuditPromise;
}

export function disclose(deps: Disclosure, ask: Ask): Promise<Result<Disclosed, Refusal>> {
  return deps.inFlight.run(ask.contract, () => answer(deps, ask));
}

async function answer(deps: Disclosure, ask: Ask): Promise<Result<Disclosed, Refusal>> {
  const principal = await deps.identity.identify(ask.authorization);
  if (!principal.ok) return denyUnknown(deps, ask, principal.refusal);
  const who = principal.value;

  const loaded = await deps.load(questionOf(ask, who, ask.want.kind === "read" ? { locator: ask.want.locator } : null));
  const seated = standAt(loaded, deps.offices, who);
  if (!seated.ok) {
    // Perhaps another process fenced it: what this one cached of its keys goes too.
    if (seated.refusal.code === "contract_purged") deps.keyring.forget(ask.contract);
    return deny(deps, ask, who, seated.refusal, { log: await logOf(deps, ask, loaded), exists: loaded.contract !== null });
  }
  const { role, epoch, digest } = seated.value;

  const keys = await deps.keyring.keysOf(deps.database, ask.contract, epoch);
  const log = deps.logs.contract(keys);
  const bundle = await deps.bundles.bundleOf(deps.database, ask.contract, digest);
  const purpose = purposeOf(bundle, ask.purpose);
  if (!purpose.ok) return deny(deps, ask, who, purpose.refusal, { log, exists: true, bundle });
  const decision = decide(bundle, { role, type: ask.type, purpose: purpose.value });
  const draft = draftOf(ask, who, bundle, { role, purpose: purpose.value, digest });
  if (!decision) return denyDraft(deps, log, draft, { code: "not_found" });

  const found = await find(deps, ask, who, { loaded, decision, keys });
  if (!found.ok) return denyDraft(deps, log, draft, found.refusal);
  if (found.value.length === 0 && ask.want.kind === "read") return denyDraft(deps, log, draft, { code: "not_found" });

  const opened = found.value.slice(0, hitsMax).map((record) => openAndMask(deps, { ask, decision, keys, record }));
  if (opened.some((record) => record === null)) return denyDraft(deps, log, draft, { code: "record_damaged" });
  const masked = opened.filter((record) => record !== null);

  const receipt = await deps.audit.append(log, disclosedDraft(draft, ask, masked));
  const records = new Undisclosed(masked.map(({ record }) => record)).release(receipt);
  return ok({ records, more: found.value.length > hitsMax, promise: receipt });
}

/**
 * May somebody who sits here see anything now? The answer for "no such contract" and "no seat" is one and the same;
 * owners and officers of the merchant are inside, and refused: they do not see the data.
 */
function standAt(
  { contract, role, now }: Loaded,
  offices: Offices,
  who: Principal,
): Result<{ role: string; epoch: number; digest: string }, Refusal> {
  if (!contract) return refuse({ code: "not_found" });
  if (role === null) return refuse({ code: offices.officeAt(contract.merchant, who) === null ? "not_found" : "not_permitted" });
  const standing = standingAt(contract, now);
  if (standing === "active") return ok({ role, epoch: contract.epoch, digest: contract.bundleDigest });
  return refuse({ code: refusalOfStanding[standing] });
}

const refusalOfStanding = {
  draft: "contract_not_active",
  not_started: "contract_not_active",
  ended: "contract_ended",
  purging: "contract_purged",
  purged: "contract_purged",
} as const satisfies Record<string, RefusalCode>;

function purposeOf(bundle: Bundle, asked: string | null): Result<string, Refusal> {
  const { purposes } = bundle.contract;
  const [only, ...others] = purposes;
  if (asked === null) return only !== undefined && others.length === 0 ? ok(only) : refuse({ code: "purpose_required" });
  return purposes.includes(asked) ? ok(asked) : refuse({ code: "purpose_unknown" });
}

/** For a read the first load has the record already; a search computes the blind value with the contract's keys and loads again. */
async function find(
  deps: Disclosure,
  ask: Ask,
  who: Principal,
  { loaded, decision, keys }: { loaded: Loaded; decision: Decision; keys: ContractKeys },
): Promise<Result<readonly LoadedRecord[], Refusal>> {
  const { want, type } = ask;
  if (want.kind === "read") return ok(loaded.records);
  if (want.field === "id") {
    const { records } = await deps.load(questionOf(ask, who, { locator: locatorOf(keys.locator, type, want.value) }));
    return ok(records);
  }
  const field = Object.hasOwn(decision.resource.fields, want.field) ? decision.resource.fields[want.field] : undefined;
  if (!field?.search) return refuse({ code: "not_permitted", errors: [{ pointer: "/by", code: "not_searchable" }] });
  const normalized = normalize(field.class, want.value);
  if (normalized === null) return refuse({ code: "unacceptable", errors: [{ pointer: "/by", code: "empty" }] });
  const indexValue = indexValueOf(keys.index, type, want.field, normalized);
  const { records } = await deps.load(questionOf(ask, who, { field: want.field, indexValue }));
  return ok(records);
}

interface Opening {
  readonly ask: Ask;
  readonly decision: Decision;
  readonly keys: ContractKeys;
  readonly record: LoadedRecord;
}

interface Opened {
  readonly record: MaskedRecord;
  readonly subject: string;
  readonly shown: ReturnType<typeof maskDocument>["shown"];
}

/** Opens only the levels from which something leaves. `null` = a key or a level does not open. */
function openAndMask(deps: Disclosure, { ask, decision, keys, record }: Opening): Opened | null {
  const { contract, type } = ask;
  const { locator, subject, version } = record;
  const subjectKey = record.subjectKey && keys.openSubjectKey(subject, record.subjectKey);
  if (!subjectKey) return null;
  const documents: JsonObject[] = [];
  for (const level of decision.levels) {
    const sealed = record.levels[level];
    if (!sealed) continue;
    const document = openLevel(deps.aead, subjectKey, { contract, subject, type, locator, level, version }, sealed);
    if (!document) return null;
    documents.push(document);
  }
  const { fields, shown } = maskDocument(decision.plan, mergeLevels(documents));
  return { record: { type, locator, fields, masking: decision.masking }, subject, shown };
}

function questionOf(ask: Ask, who: Principal, find: Parameters<Load>[0]["find"]): Parameters<Load>[0] {
  return { contract: ask.contract, issuer: who.issuer, subject: who.subject, type: ask.type, find };
}

function draftOf(ask: Ask, who: Principal, bundle: Bundle, decided: { role: string; purpose: string; digest: string }): EntryDraft {
  const { want, ticket, request } = ask;
  const { type, field } = knownNames(ask, bundle);
  return {
    event: want.kind === "read" ? "record.read" : "record.searched",
    actor: { role: "agent", issuer: who.issuer, subject: who.subject },
    request,
    reason: { purpose: decided.purpose, ticket: ticket ?? undefined },
    resource: { type, records: want.kind === "read" ? [{ locator: want.locator }] : [], fields: {} },
    decision: { policy: decided.digest, role: decided.role },
    outcome: { effect: "allow", code: "masked" },
    ...(field === null ? {} : { facts: { searched_by: field } }),
  };
}

const unknownName = "unknown";

/** The names of the ask as the log may hold them. Agents paste names, mails and ids into the wrong place: what the policy does not know is not repeated. */
function knownNames({ type, want }: Ask, bundle: Bundle | undefined): { type: string; field: string | null } {
  const resource = bundle && Object.hasOwn(bundle.resources, type) ? bundle.resources[type] : undefined;
  const isKnown = (field: string) => field === "id" || (resource !== undefined && Object.hasOwn(resource.fields, field));
  return {
    type: resource ? type : unknownName,
    field: want.kind === "read" ? null : isKnown(want.field) ? want.field : unknownName,
  };
}

function disclosedDraft(draft: EntryDraft, ask: Ask, opened: readonly Opened[]): EntryDraft {
  const records = opened.map(({ record, subject }) => ({ locator: record.locator, subject }));
  const fields = Object.assign({}, ...opened.map(({ shown }) => shown));
  return { ...draft, resource: { type: ask.type, records, fields } };
}

async function denyDraft(deps: Disclosure, log: LogHandle, draft: EntryDraft, refusal: Refusal): Promise<Result<never, Refusal>> {
  await deps.audit.append(log, { ...draft, outcome: { effect: "deny", code: refusal.code } });
  return refuse(refusal);
}

/** Refused before a purpose and a role are known to hold. */
async function deny(
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
    event: want.kind === "read" ? "record.read" : "record.searched",
    actor: { role: "agent", issuer: who.issuer, subject: who.subject },
    request,
    reason: { ticket: ticket ?? undefined },
    resource: { type, records: want.kind === "read" ? [{ locator: want.locator }] : [], fields: {} },
    outcome: { effect: "deny", code: refusal.code },
    ...(inGateway ? { facts: { contract } } : {}),
  });
  return refuse(refusal);
}

/** Of a contract that exists its officers are to learn who tried; what else a path says is not repeated in the log. */
async function denyUnknown(deps: Disclosure, ask: Ask, code: RefusalCode): Promise<Result<never, Refusal>> {
  const { contract } = await deps.load({ contract: ask.contract, issuer: "", subject: "", type: ask.type, find: null });
  await deps.audit.append(await deps.logs.gateway(deps.database), {
    event: "request.refused",
    actor: { role: "unknown" },
    request: ask.request,
    outcome: { effect: "deny", code },
    ...(contract ? { facts: { contract: ask.contract } } : {}),
  });
  return refuse({ code });
}

/** The contract's log while it has keys and somebody of its own asks; from the purge's fence on, and for strangers, the gateway's. */
async function logOf(deps: Disclosure, ask: Ask, { contract, role }: Loaded): Promise<LogHandle> {
  const own = contract && role !== null && (contract.state === "active" || contract.state === "ended");
  if (!own) return deps.logs.gateway(deps.database);
  return deps.logs.contract(await deps.keyring.keysOf(deps.database, ask.contract, contract.epoch));
}
