/**
 * How a rotation comes to be ordered, by one owner: it moves keys and loses nothing, so nobody need approve it.
 * plan (counts, nothing changes) · request · status
 */
import { uuidv7 } from "uuidv7";
import { lockContract } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { countWrapped, type KeyEpoch, selectContractKeys, selectKeyEpochs, type Wrapped } from "../keys/index.ts";
import { enterContract, logAct, type OfficeDoor, type Visit } from "../offices/index.ts";
import { countRecords } from "../records/index.ts";
import { isOver } from "./plan.ts";
import { insertRotation, type Rotation, selectRotation } from "./postgres.ts";

export interface KeysStanding {
  readonly contract: ContractId;
  readonly epochs: readonly (Omit<KeyEpoch, "shareA"> & { readonly wrapped: Wrapped })[];
  /** The one under way, or the last one. */
  readonly rotation: Rotation | null;
  /** The key that searches ask with, by its number, and how many records a rotation of it would open. `null` = the contract has no keys. */
  readonly index: { readonly generation: number; readonly records: number } | null;
}

export interface RotationOrder {
  /** The contract's id, typed. */
  readonly confirm: string;
  /** The index key as well. */
  readonly index: boolean;
}

/** Epochs, what is wrapped under which, commitments, ages. Never a key's bytes. */
export async function readKeys(desk: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<KeysStanding, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const outcome = { effect: "allow", code: "ok" } as const;
  await logAct(desk, visit, entered.value, { event: "keys.read", outcome, facts: { contract: id } });
  const wrapped = await countWrapped(desk.database, id);
  const epochs = (await selectKeyEpochs(desk.database, id)).map(({ shareA: _wrapped, ...epoch }) => ({
    ...epoch,
    wrapped: wrapped.get(epoch.epoch) ?? { subjects: 0, purposes: 0 },
  }));
  const asked = (await selectContractKeys(desk.database, id)).get("index");
  const records = (await countRecords(desk.database, id)).reduce((sum, { records: count }) => sum + count, 0);
  const index = asked ? { generation: asked.generation, records } : null;
  return ok({ contract: id, epochs, rotation: await selectRotation(desk.database, id), index });
}

/** Twice or twenty times at once is one job and one answer; one that leaves the index key is not joined by who asks for both. */
export async function requestRotation(
  desk: OfficeDoor,
  visit: Visit,
  id: ContractId,
  order: RotationOrder,
): Promise<Result<Rotation, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { state } = entered.value.contract;
  const isOpen = state !== "draft" && state !== "purging" && state !== "purged";
  const refusal: Refusal | null =
    order.confirm !== id
      ? { code: "unacceptable", errors: [{ pointer: "/confirm", code: "not_the_contract" }] }
      : isOpen && joins(order, await selectRotation(desk.database, id))
        ? null
        : { code: "wrong_state" };
  const outcome = refusal ? ({ effect: "deny", code: refusal.code } as const) : ({ effect: "allow", code: "requested" } as const);
  await logAct(desk, visit, entered.value, {
    event: "keys.rotation_requested",
    outcome,
    facts: { contract: id, keys: order.index ? "all" : "but_index" },
  });
  if (refusal) return refuse(refusal);
  return desk.database.transaction(async (tx) => {
    // Of those who ask at once, one after the other; and a purge that fences comes before or after.
    const contract = await lockContract(tx, id, "update");
    if (!contract || contract.state === "purging" || contract.state === "purged") return refuse({ code: "wrong_state" });
    const newest = (await selectKeyEpochs(tx, id)).at(-1)?.epoch ?? 0;
    const generation = ((await selectContractKeys(tx, id)).get("index")?.generation ?? 0) + 1;
    const index = order.index ? { index: { generation, records: null, indexed: 0, digest: null, dropped: 0 } } : {};
    const facts = { times: { requested: new Date(contract.readAt).toISOString() }, ...index };
    await insertRotation(tx, { contract: id, id: uuidv7(), epoch: newest + 1, facts });
    const found = await selectRotation(tx, id);
    if (!found) throw new Error("a rotation that was just written is not there");
    return joins(order, found) ? ok(found) : refuse({ code: "wrong_state" });
  });
}

/** `standing`: the one under way, or the last one. */
function joins(order: RotationOrder, standing: Rotation | null): boolean {
  return !order.index || standing === null || isOver(standing.step) || standing.facts.index !== undefined;
}
