/**
 * Roles that take two: where the contract says so, a seat of such a role works once somebody else than who asks has approved it.
 * ask: enter → who waits for it, as things stand → log → the request. The approval is of exactly those seats: of others there is another request.
 */
import { type Approval, digestOf, type Effect, requestApproval, saidOf } from "../approvals/index.ts";
import { approveRoles, type Bundles, type Contract, lockContract, type Seat, selectUnapproved } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import type { Queryable } from "../storage/index.ts";

export interface AskedRoles {
  readonly approval: Approval;
  /** How many it is about. */
  readonly seats: number;
}

/** Of all seats that wait for it. */
export async function requestRoles(desk: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<AskedRoles, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract, who } = entered.value;
  const waiting = await whoWaits(desk.database, desk.bundles, contract);
  if (waiting.length === 0 || contract.state !== "active")
    return turnDown(desk, visit, entered.value, { event: "seats.approval_requested", refusal: { code: "wrong_state" } });
  const digest = digestOfRoles(contract, waiting);
  await logAct(desk, visit, entered.value, {
    event: "seats.approval_requested",
    outcome: { effect: "allow", code: "requested" },
    facts: { contract: id, seats: waiting.length, digest },
  });
  return desk.database.transaction(async (tx) => {
    // Of twenty who ask at once one request is made.
    await lockContract(tx, id, "update");
    const request = { contract: id, action: "grant_roles", digest, by: who, now: contract.readAt } as const;
    return ok({ approval: await requestApproval(tx, { ...request, said: saidOf(desk, visit, entered.value) }), seats: waiting.length });
  });
}

/** An owner's approval. Who was seated, moved or taken away meanwhile makes it another question. */
export function rolesEffect(bundles: Bundles): Effect {
  return {
    event: "seats.approved",
    async apply(tx, { contract: id, digest }) {
      const contract = await lockContract(tx, id, "update");
      const waiting = contract?.state === "active" ? await whoWaits(tx, bundles, contract) : [];
      if (!contract || digestOfRoles(contract, waiting) !== digest) return refuse({ code: "wrong_state" });
      await approveRoles(tx, id, waiting);
      return ok(undefined);
    },
    after: ({ contract }) => Promise.resolve({ contract }),
  };
}

type Waiting = Pick<Seat, "issuer" | "subject" | "role">;

async function whoWaits(
  reader: Queryable,
  bundles: Bundles,
  { id, bundleDigest }: Pick<Contract, "id" | "bundleDigest">,
): Promise<Waiting[]> {
  const roles = (await bundles.bundleOf(reader, id, bundleDigest)).contract.seats?.secondOwner ?? [];
  return roles.length === 0 ? [] : selectUnapproved(reader, id, roles);
}

function digestOfRoles({ id }: Pick<Contract, "id">, seats: readonly Waiting[]): string {
  return digestOf({ act: "grant_roles", contract: id, seats: seats.map(({ issuer, subject, role }) => [issuer, subject, role]) });
}
