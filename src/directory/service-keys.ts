/**
 * Keys of merchants' own systems, made, rotated and revoked by an owner:  enter → log → written.
 * A key is shown once, to who made it; what is kept is its digest. It is looked up with each request that brings it, so what is revoked here holds from the
 * next one on.
 */
import type { EntryDraft } from "../audit/index.ts";
import { type Contract, shareContract } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import {
  insertServiceKey,
  mintKey,
  replaceSecret,
  revokeServiceKey,
  type Scope,
  type ServiceKey,
  selectServiceKeys,
} from "../service-keys/index.ts";

/** That count, of one contract. */
const keysMax = 20;

export interface KeyWish {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly days: number;
}

export interface MintedKey {
  readonly id: string;
  /** The key itself. */
  readonly text: string;
  /** Milliseconds. */
  readonly expiresAt: number;
}

export async function createServiceKey(
  door: OfficeDoor,
  visit: Visit,
  contract: ContractId,
  { name, scopes, days }: KeyWish,
): Promise<Result<MintedKey, Refusal>> {
  const entered = await enterContract(door, visit, contract);
  if (!entered.ok) return entered;
  const event = "service_key.created";
  if (!takesKeys(entered.value.contract)) return turnDown(door, visit, entered.value, { event, refusal: { code: "wrong_state" } });
  const minted = mintKey();
  const facts = { contract, key: minted.id, scopes: [...scopes], days };
  await logAct(door, visit, entered.value, { event, outcome: { effect: "allow", code: "created" }, facts });
  const { issuer, subject } = entered.value.who;
  const row = { contract, minted, name, scopes: scopes.join(" "), createdBy: { issuer, subject }, days };
  const written = await door.database.transaction<Result<MintedKey, Refusal>>(async (tx) => {
    // So that it is written before a purge's fence, or not at all.
    await shareContract(tx, contract);
    if ((await selectServiceKeys(tx, contract)).filter(counts).length >= keysMax) return refuse({ code: "busy" });
    await insertServiceKey(tx, row);
    return ok({ id: minted.id, text: minted.text, expiresAt: await endOf(tx, contract, minted.id) });
  });
  return written.ok ? written : turnDown(door, visit, entered.value, { event, refusal: written.refusal });
}

/** `overlapHours`: for so long the key from before counts as well, so that a system can be given the new one while it runs. */
export async function rotateServiceKey(
  door: OfficeDoor,
  visit: Visit,
  contract: ContractId,
  { id, days, overlapHours }: { readonly id: string; readonly days: number; readonly overlapHours: number },
): Promise<Result<MintedKey, Refusal>> {
  const entered = await enterContract(door, visit, contract);
  if (!entered.ok) return entered;
  const event = "service_key.rotated";
  if (!takesKeys(entered.value.contract)) return turnDown(door, visit, entered.value, { event, refusal: { code: "wrong_state" } });
  const minted = mintKey(id);
  const facts = { contract, key: id, days, overlap_hours: overlapHours };
  await logAct(door, visit, entered.value, { event, outcome: { effect: "allow", code: "rotated" }, facts });
  const done = await replaceSecret(door.database, contract, { minted, days, overlapHours });
  if (!done) return turnDown(door, visit, entered.value, { event, refusal: { code: "not_found" } });
  return ok({ id, text: minted.text, expiresAt: await endOf(door.database, contract, id) });
}

export async function revokeKey(door: OfficeDoor, visit: Visit, contract: ContractId, id: string): Promise<Result<void, Refusal>> {
  const entered = await enterContract(door, visit, contract);
  if (!entered.ok) return entered;
  const event = "service_key.revoked";
  await logAct(door, visit, entered.value, { event, outcome: { effect: "allow", code: "revoked" }, facts: { contract, key: id } });
  const done = await revokeServiceKey(door.database, contract, id);
  return done ? ok(undefined) : turnDown(door, visit, entered.value, { event, refusal: { code: "not_found" } });
}

export async function listServiceKeys(door: OfficeDoor, visit: Visit, contract: ContractId): Promise<Result<ServiceKey[], Refusal>> {
  const entered = await enterContract(door, visit, contract);
  if (!entered.ok) return entered;
  const outcome: EntryDraft["outcome"] = { effect: "allow", code: "ok" };
  await logAct(door, visit, entered.value, { event: "service_keys.listed", outcome });
  return ok(await selectServiceKeys(door.database, contract));
}

export function counts({ revokedAt, expiresAt, readAt }: ServiceKey): boolean {
  return revokedAt === null && expiresAt > readAt;
}

async function endOf(database: Parameters<typeof selectServiceKeys>[0], contract: ContractId, id: string): Promise<number> {
  const found = (await selectServiceKeys(database, contract)).find((key) => key.id === id);
  if (!found) throw new Error("a key that was just written is not there");
  return found.expiresAt;
}

function takesKeys({ state, endsAt, readAt }: Contract): boolean {
  return state === "active" && endsAt > readAt;
}
