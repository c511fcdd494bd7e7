/**
 * An agent asks for customers' records, by name (read) or by what the caller says (search):
 * identify → load → standing → seat → hours, network → purpose → decide → find → open plain → row rules, conditions → open the rest → mask →
 * log, await durable → release
 *
 * Every way out leaves exactly one entry. It never sees what a record means: classes and treatments come from the policy.
 */

import { type AuditPromise, type EntryDraft, type LogHandle, Undisclosed } from "../audit/index.ts";
import { isInLastDays, standingAt } from "../contracts/index.ts";
import type { Principal } from "../identity/index.ts";
import { ok, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import type { ContractKeys } from "../keys/index.ts";
import { normalize } from "../masking/index.ts";
import { admittedTo, type Offices } from "../offices/index.ts";
import {
  type AgentRequest,
  type Bundle,
  type Circumstances,
  circumstancesOf,
  type Decision,
  decide,
  faultOfSeat,
  type HeldSeat,
  lastDaysOf,
} from "../policy/index.ts";
import { indexValueOf, locatorOf } from "../records/index.ts";
import type { Ask, Disclosure } from "./ask.ts";
import { deny, denyDraft, denyUnknown, disclosedDraft, draftOf, excludedDraft, guessingDraft, logOf, sharedDraft } from "./entries.ts";
import { type Glass, glassDraft, glassFor, isOpenFor } from "./glass.ts";
import type { Find, Loaded, LoadedRecord, Question } from "./load.ts";
import { type MaskedRecord, type Opened, openRecords } from "./open.ts";
import { faultOfSharing } from "./sharing.ts";

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
  const reached = await reach(deps, ask);
  if (!reached.ok) return reached;
  const { log, draft, shown, more } = reached.value;
  const receipt = await deps.audit.append(log, disclosedDraft(draft, ask, shown));
  for (const { unknown } of shown) deps.metrics.unknownFields.add(unknown, ask.contract, ask.type, "read");
  const records = new Undisclosed(shown.map(({ record }) => record)).release(receipt);
  return ok({ records, more, promise: receipt });
}

export interface Reached {
  /** The database's clock when the asking was loaded, milliseconds. */
  readonly now: number;
  readonly keys: ContractKeys;
  readonly log: LogHandle;
  readonly draft: EntryDraft;
  readonly found: readonly LoadedRecord[];
  /** Of a read: exactly one. */
  readonly shown: readonly Opened[];
  readonly more: boolean;
}

/** Somebody whose seat lets them ask now. */
export interface Inside {
  readonly who: Principal;
  readonly role: string;
  readonly loaded: Loaded;
  readonly keys: ContractKeys;
  readonly log: LogHandle;
  readonly digest: string;
  readonly lastDays: boolean;
  readonly bundle: Bundle;
}

/** identify → load → standing → keys, bundle. `find`: what is loaded beside who asks. A refusal has left its entry already. */
export async function enter(deps: Disclosure, ask: Ask, find: Find): Promise<Result<Inside, Refusal>> {
  const principal = await deps.tokens.identify(ask.authorization);
  if (!principal.ok) return denyUnknown(deps, ask, principal.refusal);
  const who = principal.value;

  const come = { contract: ask.contract, who, address: ask.request.address, country: ask.request.country };
  const looked = deps.watch.look(come);
  const loading = deps.load(questionOf(ask, who, find));
  // Where both fail it is the load that says why.
  if (looked instanceof Promise) looked.catch(() => undefined);
  const loaded = await loading;
  const sharing = looked instanceof Promise ? await looked : looked;
  const seated = standAt(loaded, deps.offices, who, ask.request.route);
  if (!seated.ok) {
    // Perhaps another process fenced it: what this one cached of its keys goes too.
    if (seated.refusal.code === "contract_purged") deps.keyring.forget(ask.contract);
    return deny(deps, ask, who, seated.refusal, { log: await logOf(deps, ask, loaded), exists: loaded.contract !== null });
  }
  const { seat, epoch, digest, lastDays } = seated.value;
  const { role } = seat;

  const keys = await deps.keyring.keysOf(deps.database, ask.contract, epoch);
  const log = deps.logs.contract(keys);
  const agreed = await deps.bundles.bundleOf(deps.database, ask.contract, digest);
  const bundle = lastDays ? lastDaysOf(agreed) : agreed;
  const fault = faultOfSeat(bundle, seat, loaded.now);
  if (fault) return deny(deps, ask, who, { code: fault }, { log, exists: true, bundle });
  if (sharing) {
    const code = faultOfSharing(bundle.contract.seats?.sharing, who, loaded.now);
    if (deps.watch.takeNews(come)) {
      await deps.audit.append(log, sharedDraft(ask, who, sharing, code));
      await deps.watch.noted(come);
    }
    if (code) return deny(deps, ask, who, { code }, { log, exists: true, bundle });
  }
  return ok({ who, role, loaded, keys, log, digest, lastDays, bundle });
}

/** When, where, what for; and for whose records alone, where two owners opened that purpose. */
export interface Occasion {
  readonly circumstances: Circumstances;
  readonly glass: Glass;
}

/** Hours, network, purpose, glass. A refusal has left its entry already. */
export async function occasionOf(deps: Disclosure, ask: Ask, inside: Inside): Promise<Result<Occasion, Refusal>> {
  const { who, role, loaded, log, bundle } = inside;
  const circumstances = circumstancesOf(bundle, requestOf(ask, who, role, loaded.now));
  if (!circumstances.ok) return deny(deps, ask, who, circumstances.refusal, { log, exists: true, bundle });
  const { purpose } = circumstances.value.request;
  const glass = await glassFor(deps, ask.contract, { bundle, who, purpose });
  if (glass === "closed") return denyDraft(deps, log, draftOf(ask, who, bundle, { ...inside, purpose }), { code: "break_glass_needed" });
  return ok({ circumstances: circumstances.value, glass });
}

/** Everything before the entry. A refusal has left its entry already. */
export async function reach(deps: Disclosure, ask: Ask): Promise<Result<Reached, Refusal>> {
  const entered = await enter(deps, ask, ask.want.kind === "read" ? { locator: ask.want.locator } : null);
  if (!entered.ok) return entered;
  const { who, role, loaded, keys, log, digest, lastDays, bundle } = entered.value;
  const epoch = loaded.contract?.epoch;
  const occasion = await occasionOf(deps, ask, entered.value);
  if (!occasion.ok) return occasion;
  const { circumstances, glass } = occasion.value;
  const { purpose } = circumstances.request;
  const decision = decide(bundle, { role, type: ask.type, purpose });
  const draft = draftOf(ask, who, bundle, { role, purpose, digest, lastDays });
  if (!decision) {
    await noteMiss(deps, ask, who, log);
    return denyDraft(deps, log, draft, { code: "not_found" });
  }

  const found = await find(deps, ask, who, { loaded, decision, keys });
  if (!found.ok) return denyDraft(deps, log, draft, found.refusal);
  const { contract: now } = found.value;
  const sealed = found.value.records.filter(({ subject }) => isOpenFor(glass, subject));
  // A rotation may have come between two loads: what was loaded last may be wrapped under an epoch that the first did not know.
  const opener = now && now.epoch !== epoch ? await deps.keyring.keysOf(deps.database, ask.contract, now.epoch) : keys;

  const noted = glassDraft(draft, glass, sealed);
  const opened = openRecords(deps.aead, { contract: ask.contract, type: ask.type, decision, keys: opener, circumstances }, sealed);
  if (opened === null) return denyDraft(deps, log, noted, { code: "record_damaged" });
  const { shown, more, refused } = opened;
  const told = excludedDraft(noted, refused);
  if (shown.length === 0) await noteMiss(deps, ask, who, log);
  if (shown.length === 0 && ask.want.kind === "read") return denyDraft(deps, log, told, { code: "not_found" });
  return ok({ now: loaded.now, keys: opener, log, draft: told, found: sealed, shown, more });
}

/** What is found does not come by here. */
export async function noteMiss(deps: Disclosure, ask: Ask, who: Principal, log: LogHandle): Promise<void> {
  const asker = { contract: ask.contract, who };
  const misses = await deps.misses.miss(asker);
  if (misses === null) return;
  await deps.audit.append(log, guessingDraft(ask, who, misses));
  await deps.misses.noted(asker);
}

/**
 * May somebody who sits here see anything now? The answer for "no such contract" and "no seat" is one and the same;
 * who holds an office there is inside, and refused: they do not see the data, whatever seat they had before.
 */
function standAt(
  { contract, revoked, seat, now }: Loaded,
  offices: Offices,
  who: Principal,
  route: string,
): Result<{ seat: HeldSeat; epoch: number; digest: string; lastDays: boolean }, Refusal> {
  if (revoked) return refuse({ code: "token_revoked" });
  if (!contract) return refuse({ code: "not_found" });
  if (offices.officeAt(contract, who) !== null) return refuse({ code: "not_permitted" });
  if (seat === null) return refuse({ code: "not_found" });
  if (!admittedTo(route).includes("agent")) return refuse({ code: "not_permitted" });
  const standing = standingAt(contract, now);
  if (standing === "active" || standing === "winding_down")
    return ok({ seat, epoch: contract.epoch, digest: contract.bundleDigest, lastDays: isInLastDays(contract, now) });
  return refuse({ code: refusalOfStanding[standing] });
}

const refusalOfStanding = {
  draft: "contract_not_active",
  not_started: "contract_not_active",
  suspended: "contract_suspended",
  ended: "contract_ended",
  held: "contract_ended",
  purging: "contract_purged",
  purged: "contract_purged",
} as const satisfies Record<string, RefusalCode>;

function requestOf({ purpose, ticket, request: { address } }: Ask, who: Principal, role: string, now: number): AgentRequest {
  return { agent: { role, issuer: who.issuer, subject: who.subject }, now, address, proven: who.proof !== undefined, purpose, ticket };
}

/** For a read the first load has the record already; a search computes the blind value with the contract's keys and loads again. */
async function find(
  deps: Disclosure,
  ask: Ask,
  who: Principal,
  { loaded, decision, keys }: { loaded: Loaded; decision: Decision; keys: ContractKeys },
): Promise<Result<Pick<Loaded, "contract" | "records">, Refusal>> {
  const { want, type } = ask;
  if (want.kind !== "search") return ok(loaded);
  if (want.field === "id") {
    return ok(await deps.load(questionOf(ask, who, { locator: locatorOf(keys.locator, type, want.value) })));
  }
  const field = Object.hasOwn(decision.resource.fields, want.field) ? decision.resource.fields[want.field] : undefined;
  if (!field?.search) return refuse({ code: "not_permitted", errors: [{ pointer: "/by", code: "not_searchable" }] });
  const normalized = normalize(field.class, want.value);
  if (normalized === null) return refuse({ code: "unacceptable", errors: [{ pointer: "/by", code: "empty" }] });
  const indexValue = indexValueOf(keys.index, type, want.field, normalized);
  return ok(await deps.load(questionOf(ask, who, { field: want.field, indexValue })));
}

function questionOf(ask: Ask, who: Principal, find: Find): Question {
  const { issuer, subject, tokenId, keyId } = who;
  return { contract: ask.contract, issuer, subject, token: tokenId, key: keyId, type: ask.type, find };
}
