/**
 * A contract is suspended by one owner, at once, and resumed by two. What each request loads says so, so every process refuses agents from the next one on.
 * The term runs on: a suspended contract ends on its day.
 */
import { type Approval, digestOf, type Effect, requestApproval, saidOf } from "../approvals/index.ts";
import { type Contract, lockContract, setSuspended } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, type Visit } from "../offices/index.ts";

export const suspensionReasons = ["incident", "investigation", "audit", "breach", "other"] as const;
export type SuspensionReason = (typeof suspensionReasons)[number];

export async function suspend(door: OfficeDoor, visit: Visit, id: ContractId, reason: SuspensionReason): Promise<Result<void, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const open = canBeSuspended(entered.value.contract);
  await logAct(door, visit, entered.value, {
    event: "contract.suspended",
    outcome: open ? { effect: "allow", code: "suspended" } : { effect: "deny", code: "wrong_state" },
    facts: { contract: id, reason },
  });
  if (!open) return refuse({ code: "wrong_state" });
  return door.database.transaction(async (tx) => {
    const contract = await lockContract(tx, id, "update");
    if (contract?.state !== "active") return refuse({ code: "wrong_state" });
    // Of two who suspend at once the first one counts.
    if (contract.suspendedAt === null) await setSuspended(tx, id, true);
    return ok(undefined);
  });
}

export async function requestResumption(door: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<Approval, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const open = isSuspended(contract);
  const digest = resumptionDigest(contract);
  await logAct(door, visit, entered.value, {
    event: "contract.resumption_requested",
    outcome: open ? { effect: "allow", code: "requested" } : { effect: "deny", code: "wrong_state" },
    facts: { contract: id, ...(open && { digest }) },
  });
  if (!open) return refuse({ code: "wrong_state" });
  return door.database.transaction(async (tx) => {
    // Of twenty who ask at once one request is made.
    await lockContract(tx, id, "update");
    const ask = { contract: id, action: "resume", digest, by: who, now: contract.readAt } as const;
    return ok(await requestApproval(tx, { ...ask, said: saidOf(door, visit, entered.value) }));
  });
}

/** The second owner's approval, of this suspension and no later one. */
export function resumeEffect(): Effect {
  return {
    event: "contract.resumed",
    async apply(tx, { contract: id, digest }) {
      const contract = await lockContract(tx, id, "update");
      if (!contract || !isSuspended(contract) || resumptionDigest(contract) !== digest) return refuse({ code: "wrong_state" });
      await setSuspended(tx, id, false);
      return ok(undefined);
    },
    after: ({ contract }) => Promise.resolve({ contract }),
  };
}

function canBeSuspended({ state, suspendedAt, endsAt, readAt }: Contract): boolean {
  return state === "active" && suspendedAt === null && endsAt > readAt;
}

function isSuspended({ state, suspendedAt, endsAt, readAt }: Contract): boolean {
  return state === "active" && suspendedAt !== null && endsAt > readAt;
}

function resumptionDigest({ id, suspendedAt }: Pick<Contract, "id" | "suspendedAt">): string {
  const since = suspendedAt === null ? null : new Date(suspendedAt).toISOString();
  return digestOf({ act: "resume", contract: id, suspended_at: since });
}
