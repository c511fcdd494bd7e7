/**
 * How one data subject comes to be erased (PIPL 47, GDPR 17), by one owner of the merchant, who holds the person's request:
 * plan (counts, nothing changes) · request (the name typed once more) · receipt
 */
import { uuidv7 } from "uuidv7";
import { subjectPseudonym } from "../audit/index.ts";
import { type Bundles, type Contract, lockContract } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { newestEpoch, selectKeyEpochs, selectSubjectKeys } from "../keys/index.ts";
import { enterContract, logAct, type OfficeDoor, type Visit } from "../offices/index.ts";
import { countSubject, locatorOf, type SubjectRows } from "../records/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type Erasure, insertErasure, selectErasure, selectErasureOf } from "./postgres.ts";
import { type Closing, closingOf } from "./receipt.ts";
import { type ErasureParts, runErasures } from "./run.ts";

export interface ErasureDesk extends OfficeDoor {
  readonly bundles: Bundles;
  readonly erasures: ErasureParts;
}

/** A data subject, by the merchant's own id or by the locator of the record that stands for them. `type`: of that record; may be left out where there is one only. */
export type SubjectName = { readonly type?: string | undefined } & ({ readonly id: string } | { readonly locator: string });

export interface ErasurePlan extends SubjectRows {
  readonly contract: ContractId;
  readonly locator: string;
  /** The pseudonym that the log has for them. */
  readonly subject: string;
  /** Under which their key is wrapped, so that it is this one's end that closes the copies; `null` = there is no key. */
  readonly epoch: number | null;
  /** Legal holds that stand in the way, as a refusal names them. */
  readonly holds: NonNullable<Refusal["errors"]>;
}

export interface Receipt extends Closing {
  readonly erasure: Erasure;
  readonly subject: string | null;
}

/** Counts what would go; changes nothing. */
export async function planErasure(
  desk: ErasureDesk,
  visit: Visit,
  id: ContractId,
  name: SubjectName,
): Promise<Result<ErasurePlan, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const found = await find(desk, entered.value.contract, name);
  const outcome = found.ok ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: found.refusal.code } as const);
  await logAct(desk, visit, entered.value, { event: "erasure.planned", outcome, facts: { contract: id }, ...resourceOf(found) });
  if (!found.ok) return found;
  const { standing: _standing, type: _type, ...plan } = found.value;
  return ok(plan);
}

/**
 * `confirm`: the id or the locator, as it was said. Who was erased already is answered with that receipt.
 * Crash order: the request's entry, then the job's row; a keeper carries on from there.
 */
export async function requestErasure(
  desk: ErasureDesk,
  visit: Visit,
  id: ContractId,
  { name, confirm }: { readonly name: SubjectName; readonly confirm: string },
): Promise<Result<Receipt, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const isConfirmed = confirm === ("id" in name ? name.id : name.locator);
  const unconfirmed: Refusal = { code: "unacceptable", errors: [{ pointer: "/confirm", code: "not_the_subject" }] };
  const found: Result<Found, Refusal> = isConfirmed ? await find(desk, entered.value.contract, name) : refuse(unconfirmed);
  const held: Refusal | null = found.ok && found.value.holds.length > 0 ? { code: "held", errors: found.value.holds } : null;
  const refusal = found.ok ? held : found.refusal;
  const outcome = refusal ? ({ effect: "deny", code: refusal.code } as const) : ({ effect: "allow", code: "requested" } as const);
  await logAct(desk, visit, entered.value, { event: "erasure.requested", outcome, facts: { contract: id }, ...resourceOf(found) });
  if (!found.ok) return found;
  if (held) return refuse(held);
  const { locator, type } = found.value;
  const job = await desk.database.transaction(async (tx) => {
    // Of those who ask at once, one after the other.
    const contract = await lockContract(tx, id, "update");
    if (!contract || !isOpen(contract)) return null;
    const { records, epoch } = await whatIsHeld(tx, id, locator);
    if (records > 0 || epoch !== null) await insertErasure(tx, { contract: id, id: uuidv7(), subject: locator, type });
    return selectErasureOf(tx, id, locator);
  });
  if (!job) return refuse({ code: "wrong_state" });
  if (job.step !== "done") await runErasures(desk.erasures, [job]);
  return ok(await receiptOf(desk, (await selectErasure(desk.database, id, job.id)) ?? job));
}

async function whatIsHeld(database: Queryable, contract: ContractId, subject: string): Promise<SubjectRows & { epoch: number | null }> {
  const key = (await selectSubjectKeys(database, contract, [subject])).get(subject);
  return { ...(await countSubject(database, contract, subject)), epoch: key?.epoch ?? null };
}

/** The receipt as it reads today: it may be closed everywhere by now. */
export async function readReceipt(desk: ErasureDesk, visit: Visit, id: ContractId, erasure: string): Promise<Result<Receipt, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const found = await selectErasure(desk.database, id, erasure);
  const outcome = found ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: "not_found" } as const);
  await logAct(desk, visit, entered.value, { event: "erasure.read", outcome, facts: { contract: id } });
  return found ? ok(await receiptOf(desk, found)) : refuse({ code: "not_found" });
}

interface Found extends ErasurePlan {
  readonly type: string;
  /** The last time that they were erased. */
  readonly standing: Erasure | null;
}

async function find(desk: ErasureDesk, contract: Contract, name: SubjectName): Promise<Result<Found, Refusal>> {
  if (!isOpen(contract)) return refuse({ code: "wrong_state" });
  const { database } = desk;
  const { id } = contract;
  const bundle = await desk.bundles.bundleOf(database, id, contract.bundleDigest);
  const types = Object.keys(bundle.resources).filter((type) => bundle.resources[type]?.subject.path === null);
  const [only] = types;
  const type = name.type ?? (types.length === 1 ? only : undefined);
  if (type === undefined) return refuse({ code: "unacceptable", errors: [{ pointer: "/subject/type", code: "required" }] });
  if (!types.includes(type)) return refuse({ code: "unacceptable", errors: [{ pointer: "/subject/type", code: "unknown" }] });
  const keys = await desk.keyring.keysOf(database, id, await newestEpoch(database, id));
  const locator = "id" in name ? locatorOf(keys.locator, type, name.id) : name.locator;
  const held = await whatIsHeld(database, id, locator);
  const standing = await selectErasureOf(database, id, locator);
  if (held.records === 0 && held.epoch === null && standing === null) return refuse({ code: "not_found" });
  const holds = await desk.erasures.holdsOn(database, id, locator);
  return ok({ contract: id, locator, type, subject: subjectPseudonym(keys.pseudonym, locator), ...held, holds, standing });
}

function isOpen({ state }: Contract): boolean {
  return state !== "draft" && state !== "purging" && state !== "purged";
}

function resourceOf(found: Result<Found, Refusal>) {
  if (!found.ok) return {};
  const { type, locator } = found.value;
  return { resource: { type, records: [{ locator, subject: locator }], fields: {} } };
}

async function receiptOf(desk: ErasureDesk, erasure: Erasure): Promise<Receipt> {
  const { database, keyring } = desk;
  const { contract } = erasure;
  const epochs = await selectKeyEpochs(database, contract);
  const newest = epochs.at(-1);
  // After the purge nobody can make the log's pseudonyms again.
  const keys = newest?.destroyedAt === null ? await keyring.keysOf(database, contract, newest.epoch) : null;
  return { erasure, subject: keys && subjectPseudonym(keys.pseudonym, erasure.subject), ...closingOf(erasure, epochs) };
}
