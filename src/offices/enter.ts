/**
 * The door of owners, officers and vendors' admins, and of agents where they come for the log:  contract → identify → office or seat → which log
 * A refusal here is logged here; whoever comes through logs their own act.
 */
import {
  type Actor,
  type AuditLog,
  type EntryDraft,
  gatewayLog,
  type LogHandle,
  type LogHandles,
  type RequestFacts,
  type Strangers,
} from "../audit/index.ts";
import { type Bundles, type Contract, hasSeat, selectContract, selectContractsWith } from "../contracts/index.ts";
import type { Aead } from "../crypto/index.ts";
import type { Identity, Principal } from "../identity/index.ts";
import { type ContractId, ok, type Presented, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import { type AuditKeys, type Keyring, KeysUnavailable, newestEpoch } from "../keys/index.ts";
import { isVendorRevoked } from "../revocations/index.ts";
import { isGranted } from "../service-keys/index.ts";
import type { Database } from "../storage/index.ts";
import { admittedTo, wantsStepUp } from "./matrix.ts";
import type { Office, Offices } from "./offices.ts";

export interface OfficeDoor {
  readonly identity: Identity;
  readonly offices: Offices;
  readonly database: Database;
  readonly bundles: Bundles;
  readonly keyring: Keyring;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly strangers: Strangers;
  /** For what people say why they do it. */
  readonly aead: Aead;
  readonly auditKeys: AuditKeys;
}

export interface Visit {
  readonly authorization: Presented | null;
  readonly request: RequestFacts;
}

export interface Entered {
  readonly who: Principal;
  readonly actor: Actor;
  readonly contract: Contract;
  /** The contract's own log while it is open to others than the purge, the gateway's otherwise. */
  readonly log: LogHandle;
}

/** Comes in as the route's row of the matrix has it: as a holder of an office at the contract's merchant, or of a seat, who has no office there. */
export async function enterContract(door: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<Entered, Refusal>> {
  const roles = admittedTo(visit.request.route);
  const contract = await selectContract(door.database, id);
  const person = await identifyPerson(door, visit, contract?.id);
  if (!person.ok) return person;
  const who = person.value;
  if (who.service) return enterAsService(door, visit, contract, { who, scopes: who.service.scopes, id });
  const held = contract && door.offices.officeAt(contract, who);
  if (contract && held === "vendor_admin" && (await isVendorRevoked(door.database, contract.vendor)))
    return turnAway(door, visit, { role: held, ...personOf(who) }, "token_revoked", id);
  if (!contract || !held) {
    const inside = contract !== null && (await hasSeat(door.database, id, who.issuer, who.subject));
    if (inside && roles.includes("agent"))
      return ok({ who, actor: { role: "agent", ...personOf(who) }, contract, log: await logOfContract(door, contract) });
    const code = inside ? "not_permitted" : "not_found";
    return turnAway(door, visit, { role: "unknown", ...personOf(who) }, code, contract?.id);
  }
  const actor: Actor = { role: held, ...personOf(who) };
  const isAsked = held === "vendor_admin" && roles.includes("vendor_admin_asked") && (await asksVendor(door, contract));
  if (!roles.includes(held) && !isAsked) return turnAway(door, visit, actor, "not_permitted", id);
  if (lacksStepUp(visit, who)) return turnAway(door, visit, actor, "step_up_required", id);
  return ok({ who, actor, contract, log: await logOfContract(door, contract) });
}

/** Came by a session, to an act that wants its person there. A token's holder is nobody's browser: their provider says how they proved who they are. */
function lacksStepUp({ request }: Visit, { isSteppedUp }: Principal): boolean {
  return isSteppedUp === false && wantsStepUp.has(request.route);
}

/** A key is of one contract, and opens no other; there it opens what its scopes name, while its merchant is one. */
async function enterAsService(
  door: OfficeDoor,
  visit: Visit,
  contract: Contract | null,
  key: { readonly who: Principal; readonly scopes: string; readonly id: ContractId },
): Promise<Result<Entered, Refusal>> {
  const actor: Actor = { role: "service", ...personOf(key.who) };
  if (!contract || roleAt(door, contract, key.who) === null) return turnAway(door, visit, actor, "not_found", contract?.id);
  const { route } = visit.request;
  if (!admittedTo(route).includes("service") || !isGranted(key.scopes, route)) return turnAway(door, visit, actor, "not_permitted", key.id);
  return ok({ who: key.who, actor, contract, log: await logOfContract(door, contract) });
}

/** `null` = nobody of its own; agents are not asked about. */
function roleAt({ offices }: OfficeDoor, contract: Contract, who: Principal): Office | "vendor_admin" | "service" | null {
  if (!who.service) return offices.officeAt(contract, who);
  return who.service.contract === contract.id && offices.isMerchant(contract.merchant) ? "service" : null;
}

const offices = ["merchant_owner", "officer"] as const satisfies readonly Office[];

export interface House {
  readonly who: Principal;
  readonly actor: Actor;
  /** Where they hold the office by which they came in. */
  readonly merchants: readonly string[];
  /** Of a vendor's admin: the contracts that have them approve something. */
  readonly asking: readonly Contract[];
  readonly log: LogHandle;
}

/** Comes in as a holder, anywhere, of an office that the route's row names, or as a vendor's admin who is asked at some contract. */
export async function enterHouse(door: OfficeDoor, visit: Visit): Promise<Result<House, Refusal>> {
  const person = await identifyPerson(door, visit);
  if (!person.ok) return person;
  const who = person.value;
  const roles = admittedTo(visit.request.route);
  const office = offices.find((held) => roles.includes(held) && door.offices.merchantsOf(who, held).length > 0);
  const asking = !office && roles.includes("vendor_admin_asked") ? await contractsAsking(door, who) : [];
  if (!office && asking.length === 0) return turnAway(door, visit, { role: "unknown", ...personOf(who) }, "not_permitted");
  const actor: Actor = { role: office ?? "vendor_admin", ...personOf(who) };
  if (lacksStepUp(visit, who)) return turnAway(door, visit, actor, "step_up_required");
  const merchants = office ? door.offices.merchantsOf(who, office) : [];
  return ok({ who, actor, merchants, asking, log: await door.logs.gateway(door.database) });
}

/** Whether the contract has its vendor approve something. A draft is the merchant's own matter still. */
async function asksVendor({ database, bundles }: OfficeDoor, { id, state, bundleDigest }: Contract): Promise<boolean> {
  return state !== "draft" && (await bundles.bundleOf(database, id, bundleDigest)).contract.approvals !== undefined;
}

async function contractsAsking(door: OfficeDoor, who: Principal): Promise<Contract[]> {
  const asking: Contract[] = [];
  for (const vendor of door.offices.vendorsOf(who)) {
    if (await isVendorRevoked(door.database, vendor)) continue;
    for (const contract of await selectContractsWith(door.database, vendor)) if (await asksVendor(door, contract)) asking.push(contract);
  }
  return asking;
}

/** Somebody who runs the gateway; what they do stands in its own log. */
export interface Operating {
  readonly who: Principal;
  readonly actor: Actor;
  readonly log: LogHandle;
}

/** Comes in as one who runs the gateway. */
export async function enterOperations(door: OfficeDoor, visit: Visit): Promise<Result<Operating, Refusal>> {
  const person = await identifyPerson(door, visit);
  if (!person.ok) return person;
  const named = personOf(person.value);
  const admits = admittedTo(visit.request.route).includes("operator");
  if (!admits || !door.offices.isOperator(person.value)) return turnAway(door, visit, { role: "unknown", ...named }, "not_permitted");
  return ok({ who: person.value, actor: { role: "operator", ...named }, log: await door.logs.gateway(door.database) });
}

async function identifyPerson(door: OfficeDoor, visit: Visit, contract?: ContractId): Promise<Result<Principal, Refusal>> {
  const principal = await door.identity.identify(visit.authorization);
  if (principal.ok) return principal;
  await refuseStranger(door, visit, principal.refusal, contract);
  return refuse({ code: principal.refusal });
}

function refuseStranger(door: OfficeDoor, visit: Visit, code: RefusalCode, contract?: ContractId): Promise<void> {
  return door.strangers.refused(code, () => Promise.resolve(refusedDraft(visit, { role: "unknown" }, code, contract)));
}

/** The entry of an act of whoever came through the door. */
export async function logAct(
  desk: OfficeDoor,
  visit: Visit,
  { actor, log }: Entered,
  draft: Pick<EntryDraft, "event" | "outcome" | "facts" | "resource">,
): Promise<void> {
  await desk.audit.append(log, { ...draft, actor, request: visit.request });
}

/** An act that was refused behind the door: its entry, then the answer. */
export async function turnDown(
  desk: OfficeDoor,
  visit: Visit,
  entered: Entered,
  { event, refusal, facts, resource }: Pick<EntryDraft, "event" | "facts" | "resource"> & { readonly refusal: Refusal },
): Promise<Result<never, Refusal>> {
  const outcome = { effect: "deny", code: refusal.code } as const;
  await logAct(desk, visit, entered, { event, outcome, resource, facts: { contract: entered.contract.id, ...facts } });
  return refuse(refusal);
}

/** A request that no use case saw: malformed, or lost to a fault. Who holds an office at the contract's merchant, or is a system of its, is found in its log. */
export async function logTurnedAway(
  door: OfficeDoor,
  visit: Visit,
  { code, contract: named }: { readonly code: RefusalCode; readonly contract: string | null },
): Promise<void> {
  const contract = named === null ? null : await selectContract(door.database, named as ContractId);
  const principal = await door.identity.identify(visit.authorization);
  if (!principal.ok) return refuseStranger(door, visit, code, contract?.id);
  const held = contract && roleAt(door, contract, principal.value);
  const own = held ? logOfContract(door, contract) : door.logs.gateway(door.database);
  // Where the contract's keys do not open, this is perhaps what the entry is about.
  const log = await own.catch((fault: unknown) =>
    fault instanceof KeysUnavailable ? door.logs.gateway(door.database) : Promise.reject(fault),
  );
  const actor: Actor = { role: held ?? "unknown", ...personOf(principal.value) };
  await door.audit.append(log, refusedDraft(visit, actor, code, log.log === gatewayLog ? contract?.id : undefined));
}

/** `contract`: one that exists; what else a path says is not repeated in the log. */
async function turnAway(
  door: OfficeDoor,
  visit: Visit,
  actor: Actor,
  code: RefusalCode,
  contract?: ContractId,
): Promise<Result<never, Refusal>> {
  await door.audit.append(await door.logs.gateway(door.database), refusedDraft(visit, actor, code, contract));
  return refuse({ code });
}

function refusedDraft({ request }: Visit, actor: Actor, code: RefusalCode, contract: ContractId | undefined): EntryDraft {
  return { event: "request.refused", actor, request, outcome: { effect: "deny", code }, ...(contract ? { facts: { contract } } : {}) };
}

/** From the purge's fence on, the purge alone writes the contract's log; a draft has none yet. */
export async function logOfContract(
  { database, keyring, logs }: Pick<OfficeDoor, "database" | "keyring" | "logs">,
  contract: Pick<Contract, "id" | "state">,
): Promise<LogHandle> {
  if (contract.state !== "active" && contract.state !== "ended") return logs.gateway(database);
  return logs.contract(await keyring.keysOf(database, contract.id, await newestEpoch(database, contract.id)));
}

function personOf({ issuer, subject }: Principal): { issuer: string; subject: string } {
  return { issuer, subject };
}
