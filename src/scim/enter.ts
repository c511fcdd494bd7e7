/**
 * The door of vendors' directories:  token → vendor → which log.  A token is good for its vendor's paths and for nothing else; whatever is wrong with it, and whether
 * there is such a vendor at all, is answered alike.
 */
import type { Actor, EntryDraft, LogHandle } from "../audit/index.ts";
import type { Bundles, Contract } from "../contracts/index.ts";
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { ok, type Presented, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import { KeysUnavailable } from "../keys/index.ts";
import { admittedTo, logOfContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import { useToken } from "./postgres-tokens.ts";

/** Whose tokens the vendor's people come by, and which attribute is their subject there. */
export interface DirectoryProfile {
  readonly issuer: string;
  readonly subject: "external_id" | "user_name";
}

export interface ScimDesk extends OfficeDoor {
  readonly bundles: Bundles;
  /** Of resources' locations. */
  readonly origin: string;
  /** `null` = the operator's file has no directory of this vendor. */
  readonly profileOf: (vendor: string) => DirectoryProfile | null;
}

export interface Directory {
  readonly vendor: string;
  readonly profile: DirectoryProfile;
  readonly actor: Actor;
  readonly log: LogHandle;
}

const tokenForm = /^Bearer (psc_[A-Za-z0-9_-]{43})$/i;

/** What is stored of a token: 256 random bits need no salt, and their digest is looked up by an index, so no comparison tells anything by its time. */
export function digestOfToken(token: string): string {
  return toHex(sha256(utf8(token)));
}

export async function enterScim(desk: ScimDesk, visit: Visit, vendor: string): Promise<Result<Directory, Refusal>> {
  const directory = await identify(desk, visit, vendor);
  if (directory.ok) return directory;
  await refuseStranger(desk, visit, directory.refusal.code);
  return directory;
}

/** A request that no use case saw. */
export async function logDirectoryTurnedAway(desk: ScimDesk, visit: Visit, vendor: string | null, code: RefusalCode): Promise<void> {
  const directory = vendor === null ? null : await identify(desk, visit, vendor);
  if (!directory?.ok) return refuseStranger(desk, visit, code);
  const { actor, log } = directory.value;
  await desk.audit.append(log, { ...refusedDraft(visit, code), actor, facts: { vendor: directory.value.vendor } });
}

async function identify(desk: ScimDesk, { authorization, request }: Visit, vendor: string): Promise<Result<Directory, Refusal>> {
  if (authorization === null) return refuse({ code: "token_missing" });
  const token = tokenOf(authorization);
  const profile = desk.profileOf(vendor);
  const used =
    token === null || !admittedTo(request.route).includes("scim") ? null : await useToken(desk.database, vendor, digestOfToken(token));
  if (!used || !profile) return refuse({ code: "token_invalid" });
  if (used.vendorIsRevoked) return refuse({ code: "token_revoked" });
  const actor: Actor = { role: "scim", issuer: `scim:${vendor}`, subject: used.id };
  return ok({ vendor, profile, actor, log: await desk.logs.gateway(desk.database) });
}

function tokenOf(shown: Presented): string | null {
  return typeof shown === "string" ? (tokenForm.exec(shown)?.[1] ?? null) : null;
}

function refuseStranger(desk: ScimDesk, visit: Visit, code: RefusalCode): Promise<void> {
  return desk.strangers.refused(code, () => Promise.resolve(refusedDraft(visit, code)));
}

function refusedDraft({ request }: Visit, code: RefusalCode): EntryDraft {
  return { event: "request.refused", actor: { role: "unknown" }, request, outcome: { effect: "deny", code } };
}

/** Of an act: its entry in the gateway's log, which names the vendor. */
export async function noteScim(desk: ScimDesk, visit: Visit, { vendor, actor, log }: Directory, draft: ScimNote): Promise<void> {
  const { facts, ...rest } = draft;
  await desk.audit.append(log, { ...rest, actor, request: visit.request, facts: { vendor, ...facts } });
}

export type ScimNote = Pick<EntryDraft, "event" | "outcome" | "facts">;

/** The contract's own log, or the gateway's where its keys do not open: that a merchant has closed its share keeps nobody's access up. */
export function logAt(desk: ScimDesk, { log }: Directory, contract: Pick<Contract, "id" | "state">): Promise<LogHandle> {
  return logOfContract(desk, contract).catch((fault: unknown) => (fault instanceof KeysUnavailable ? log : Promise.reject(fault)));
}
