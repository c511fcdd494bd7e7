/**
 * The one four-eyes mechanism: somebody requests, somebody else decides, on a digest of exactly what is decided.
 * It does not know what an approval sets off; the caller says that in `effect`, inside the deciding transaction.
 */
import { uuidv7 } from "uuidv7";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { Organisation } from "../offices/index.ts";
import type { Queryable } from "../storage/index.ts";
import { type Approval, type ApprovalAction, type Person, standingOf, type Verdict } from "./approval.ts";
import { insertApproval, lockApproval, selectApproval, selectApprovals, updateDecision } from "./postgres.ts";
import { openReason, type ReasonKeys, type Said, sealReason } from "./reasons.ts";

/** How long a request may wait for its second person where nobody says less. */
const waitMsMost = 7 * 86_400_000;

/** One open request per contract, action and digest: asking again answers the one that stands. */
export async function requestApproval(
  tx: Queryable,
  ask: {
    readonly contract: ContractId;
    readonly action: ApprovalAction;
    readonly digest: string;
    readonly by: Person;
    readonly now: number;
    readonly said: Said;
    /** Default: seven days. */
    readonly waitMs?: number;
  },
): Promise<Approval> {
  const { contract, action, digest, by, now, said, waitMs = waitMsMost } = ask;
  const standing = (await selectApprovals(tx, [contract])).find(
    (found) => found.action === action && found.digest === digest && found.state === "requested" && found.expiresAt > now,
  );
  if (standing) return standing;
  const id = uuidv7();
  const reason = await sealReason(tx, said, id, now);
  await insertApproval(tx, { contract, id, action, digest, by, expiresAt: now + waitMs, reason });
  const written = await selectApproval(tx, contract, id);
  if (!written) throw new Error("a request that was just written is not there");
  return written;
}

/** Whose they are who ask and who decide, and what the contract says of it. */
export interface Sides {
  /** `null` = who asked holds no office there any more. */
  readonly asked: Organisation | null;
  readonly decides: Organisation | null;
  /** The contract has another organisation approve it than the one that asks. */
  readonly isOthers: boolean;
}

/**
 * May this person decide this request now, and so? Whoever asked may withdraw it, and that alone. The vendor's decide where the contract says so and nowhere
 * else, and are not told what there is; there the merchant's may still turn down what one of them asks for.
 */
export function mayDecide(found: Approval, by: Person, verdict: Verdict, { asked, decides, isOthers }: Sides): Result<Approval, Refusal> {
  if (decides === null || (decides === "vendor" && !isOthers)) return refuse({ code: "not_permitted" });
  const standing = standingOf(found);
  if (standing !== "requested") return refuse(closed(standing));
  const isOwn = found.requestedBy.issuer === by.issuer && found.requestedBy.subject === by.subject;
  if (isOwn !== (verdict === "withdrawn")) return refuse({ code: isOwn ? "own_request" : "not_permitted" });
  if (verdict === "approved" && isOthers && (asked === null || asked === decides)) return refuse({ code: "approver_same_organisation" });
  return ok(found);
}

export function closed(standing: Approval["state"]): Refusal {
  return { code: "approval_closed", errors: [{ pointer: "/state", code: standing }] };
}

/** Of a request that `mayDecide` and that was taken in its time. `effect` runs in the same transaction, and its refusal leaves the request open. */
export async function decideApproval(
  tx: Queryable,
  decision: { readonly contract: ContractId; readonly id: string; readonly by: Person; readonly verdict: Verdict; readonly said: Said },
  effect: (approved: Approval) => Promise<Result<void, Refusal>>,
): Promise<Result<Approval, Refusal>> {
  const { contract, id, by, verdict, said } = decision;
  const found = await lockApproval(tx, contract, id);
  if (!found) return refuse({ code: "not_found" });
  if (found.state !== "requested") return refuse(closed(found.state));
  if (verdict === "approved") {
    const done = await effect(found);
    if (!done.ok) return done;
  }
  const reason = await sealReason(tx, said, decisionOf(found), found.readAt);
  await updateDecision(tx, found, { by, verdict, reason });
  return ok({ ...found, state: verdict, decidedBy: by, decidedAt: found.readAt, decidedReason: reason });
}

/** What a decision's reason is sealed as the reason of. */
function decisionOf({ id }: Approval): string {
  return `${id}/decision`;
}

export interface Reasons {
  readonly reason: string | null;
  readonly decidedReason: string | null;
}

/** In clear, for whoever may decide. */
export async function openReasons(database: Queryable, keys: ReasonKeys, found: Approval): Promise<Reasons> {
  return {
    reason: await openReason(database, keys, found.reason, found.id),
    decidedReason: await openReason(database, keys, found.decidedReason, decisionOf(found)),
  };
}
