/**
 * Somebody who came by a page shows that they are there in person:  session → what their passkey is to sign → what it signed → an entry → stepped up
 * The first passkey is registered by who has just logged in; any other, and the end of one, want one shown. An operator ends those of somebody who lost
 * theirs, and can register none.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { type Actor, actorPseudonym, type EntryDraft } from "../audit/index.ts";
import { randomBytes, sha256, toBase64Url, toHex } from "../crypto/index.ts";
import type { Principal } from "../identity/index.ts";
import { isSession, ok, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import { enterOperations, type Visit } from "../offices/index.ts";
import {
  type Ceremony,
  countUse,
  deletePasskey,
  deletePasskeysOf,
  insertPasskey,
  type Passkey,
  type PasskeyHolder,
  passkeysMax,
  selectPasskeys,
} from "../passkeys/index.ts";
import { challengeSession, isFresh, sessionId, spendChallenge, stepUpSession } from "../sessions/index.ts";
import type { LoginDesk } from "./login.ts";

export interface PasskeyDesk extends LoginDesk {
  readonly ceremony: Ceremony;
}

interface Holding {
  readonly who: Principal;
  /** Of their session. */
  readonly id: Uint8Array;
  readonly known: readonly Passkey[];
}

export async function listPasskeys(desk: PasskeyDesk, visit: Visit): Promise<Result<readonly Passkey[], Refusal>> {
  const held = await enterSession(desk, visit);
  return held.ok ? ok(held.value.known) : held;
}

/** The options are for `navigator.credentials.create`. */
export async function beginRegistration(desk: PasskeyDesk, visit: Visit): Promise<Result<object, Refusal>> {
  const held = await enterToRegister(desk, visit);
  if (!held.ok) return held;
  const { who, id, known } = held.value;
  const { options, challenge } = await desk.ceremony.askNew(who.subject, known);
  await challengeSession(desk.database, id, challenge);
  return ok(options);
}

export async function finishRegistration(
  desk: PasskeyDesk,
  visit: Visit,
  { name, response }: { readonly name: string; readonly response: RegistrationResponseJSON },
): Promise<Result<readonly Passkey[], Refusal>> {
  const held = await enterToRegister(desk, visit);
  if (!held.ok) return held;
  const { who, id } = held.value;
  const made = await desk.ceremony.readNew(response);
  if (!made || !(await spendChallenge(desk.database, id, made.challenge))) return turnAway(desk, visit, who, "step_up_refused");
  await note(desk, visit, personOf(who), { event: "passkey.registered", code: "registered", facts: { passkey: namePasskey(made.id) } });
  if (!(await insertPasskey(desk.database, who, { name, ...made }))) return turnAway(desk, visit, who, "step_up_refused");
  return ok(await selectPasskeys(desk.database, who));
}

/** The options are for `navigator.credentials.get`. */
export async function beginStepUp(desk: PasskeyDesk, visit: Visit): Promise<Result<object, Refusal>> {
  const held = await enterSession(desk, visit);
  if (!held.ok) return held;
  const { who, id, known } = held.value;
  if (known.length === 0) return turnAway(desk, visit, who, "not_found");
  const { options, challenge } = await desk.ceremony.askKnown(known);
  await challengeSession(desk.database, id, challenge);
  return ok(options);
}

/** From then on the session is another secret's: whoever had the one before has nothing. */
export async function finishStepUp(
  desk: PasskeyDesk,
  visit: Visit,
  response: AuthenticationResponseJSON,
): Promise<Result<{ readonly secret: string; readonly expiresAt: number }, Refusal>> {
  const held = await enterSession(desk, visit);
  if (!held.ok) return held;
  const { who, id, known } = held.value;
  const passkey = known.find((one) => toBase64Url(one.id) === response.id);
  const shown = passkey && (await desk.ceremony.readKnown(response, passkey));
  const counts =
    shown && (await spendChallenge(desk.database, id, shown.challenge)) && (await countUse(desk.database, passkey.id, shown.counter));
  if (!counts) return turnAway(desk, visit, who, "step_up_refused");
  await note(desk, visit, personOf(who), { event: "session.stepped_up", code: "stepped_up", facts: { passkey: namePasskey(passkey.id) } });
  const secret = toBase64Url(randomBytes(32));
  await stepUpSession(desk.database, id, sessionId(secret));
  return ok({ secret, expiresAt: who.expiresAt });
}

/** `passkey`: its id in base64url. */
export async function revokePasskey(desk: PasskeyDesk, visit: Visit, passkey: string): Promise<Result<readonly Passkey[], Refusal>> {
  const held = await enterSession(desk, visit);
  if (!held.ok) return held;
  const { who, known } = held.value;
  if (!who.isSteppedUp) return turnAway(desk, visit, who, "step_up_required");
  const found = known.find(({ id }) => toBase64Url(id) === passkey);
  if (!found) return turnAway(desk, visit, who, "not_found");
  await note(desk, visit, personOf(who), { event: "passkey.revoked", code: "revoked", facts: { passkey: namePasskey(found.id) } });
  await deletePasskey(desk.database, who, found.id);
  return ok(await selectPasskeys(desk.database, who));
}

/** All of one person's, by an operator: they lost theirs, and log in to register another. */
export async function revokePasskeysOf(desk: PasskeyDesk, visit: Visit, holder: PasskeyHolder): Promise<Result<number, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  const count = (await selectPasskeys(desk.database, holder)).length;
  const { actor, log } = entered.value;
  // Whose they were stands under a keyed name, as everywhere in the log.
  const person = actorPseudonym(log.pseudonymKey, { role: "agent", ...holder });
  await note(desk, visit, actor, { event: "passkey.revoked", code: "revoked", facts: { issuer: holder.issuer, person, passkeys: count } });
  await deletePasskeysOf(desk.database, holder);
  return ok(count);
}

/** With a session, and no token: a passkey is a person's at a browser. */
async function enterSession(desk: PasskeyDesk, visit: Visit): Promise<Result<Holding, Refusal>> {
  const shown = visit.authorization;
  const found = isSession(shown) ? await desk.identity.identify(shown) : refuse("token_missing" as const);
  if (found.ok && isSession(shown)) {
    const who = found.value;
    return ok({ who, id: sessionId(shown.session), known: await selectPasskeys(desk.database, who) });
  }
  const code = found.ok ? "token_missing" : found.refusal;
  await desk.strangers.refused(code, () => Promise.resolve(refusedDraft(visit, { role: "unknown" }, code)));
  return refuse({ code });
}

async function enterToRegister(desk: PasskeyDesk, visit: Visit): Promise<Result<Holding, Refusal>> {
  const held = await enterSession(desk, visit);
  if (!held.ok) return held;
  const { who, id, known } = held.value;
  const isThere = who.isSteppedUp || (known.length === 0 && (await isFresh(desk.database, id)));
  if (!isThere) return turnAway(desk, visit, who, "step_up_required");
  if (known.length >= passkeysMax) return turnAway(desk, visit, who, "unacceptable");
  return held;
}

function personOf({ issuer, subject }: Principal): Actor {
  return { role: "unknown", issuer, subject };
}

/** Enough to tell a person's passkeys apart in the log. */
function namePasskey(id: Uint8Array): string {
  return toHex(sha256(id)).slice(0, 16);
}

async function note(
  desk: PasskeyDesk,
  { request }: Visit,
  actor: Actor,
  { event, code, facts }: Pick<EntryDraft, "event" | "facts"> & { readonly code: string },
): Promise<void> {
  const draft = { event, actor, request, outcome: { effect: "allow", code }, facts } as const;
  await desk.audit.append(await desk.logs.gateway(desk.database), draft);
}

async function turnAway(desk: PasskeyDesk, visit: Visit, who: Principal, code: RefusalCode): Promise<Result<never, Refusal>> {
  await desk.audit.append(await desk.logs.gateway(desk.database), refusedDraft(visit, personOf(who), code));
  return refuse({ code });
}

function refusedDraft({ request }: Visit, actor: Actor, code: RefusalCode): EntryDraft {
  return { event: "request.refused", actor, request, outcome: { effect: "deny", code } };
}
