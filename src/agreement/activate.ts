/**
 * A draft comes into force: one owner asks, another approves; then the contract has keys, a log and a trust file.
 * The two who activate thereby approve its end: the date and the purge that follows are in the digest.
 */
import { type Approval, type Effect, requestApproval, saidOf } from "../approvals/index.ts";
import { type AuditLog, formatTrust, type LogHandles, openLog, selectSilentLogs } from "../audit/index.ts";
import { giveBack, lockContract, moveState, takeUnopened } from "../contracts/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { type AuditKeys, type Keyring, selectKeyEpochs } from "../keys/index.ts";
import { enterContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import type { Database } from "../storage/index.ts";
import { type TrustKeys, trustOf } from "./trust.ts";

export async function requestActivation(door: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<Approval, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { who, actor, contract, log } = entered.value;
  const open = contract.state === "draft" && contract.endsAt > contract.readAt;
  const outcome = open ? ({ effect: "allow", code: "requested" } as const) : ({ effect: "deny", code: "wrong_state" } as const);
  const facts = { contract: id, digest: contract.bundleDigest };
  await door.audit.append(log, { event: "contract.activation_requested", actor, request: visit.request, outcome, facts });
  if (!open) return refuse({ code: "wrong_state" });
  const ask = { contract: id, action: "activate", digest: contract.bundleDigest, by: who, now: contract.readAt } as const;
  const said = saidOf(door, visit, entered.value);
  return door.database.transaction(async (tx) => {
    // Of twenty who ask at once one request is made.
    await lockContract(tx, id, "update");
    return ok(await requestApproval(tx, { ...ask, said }));
  });
}

export interface ActivationParts {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly auditKeys: AuditKeys;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly trust: TrustKeys;
}

/** Keys, log and state in the deciding transaction; the log's first entry and the trust file after it. */
export function activationEffect(parts: ActivationParts): Effect {
  return {
    event: "contract.activated",
    async apply(tx, approved) {
      const contract = await lockContract(tx, approved.contract, "update");
      if (contract?.state !== "draft" || contract.bundleDigest !== approved.digest) return refuse({ code: "wrong_state" });
      if (contract.endsAt <= contract.readAt)
        return refuse({ code: "wrong_state", errors: [{ pointer: "/contract/term/end", code: "passed" }] });
      await parts.keyring.create(tx, contract.id);
      await parts.auditKeys.prepare(tx, contract.id, new Date(contract.readAt));
      await openLog(tx, contract.id, parts.logs.baseOf(contract.id));
      await moveState(tx, contract.id, "draft", "active");
      return ok(undefined);
    },
    async after(approved) {
      await announce(parts, approved.contract);
      return { trust: JSON.parse(formatTrust(await trustOf(parts, approved.contract))) };
    },
  };
}

/** How long one process has for it; after a crash nobody writes it for so long. */
const openingLeaseMs = 30_000;

/** The log's first entry: what was agreed, and the commitments to the shares that a certificate will name. Of those who find it owed, one writes it. */
export async function announce(parts: ActivationParts, id: ContractId): Promise<void> {
  const contract = await takeUnopened(parts.database, id, openingLeaseMs);
  if (!contract) return;
  const newest = (await selectKeyEpochs(parts.database, id)).at(-1);
  if (newest && (await selectSilentLogs(parts.database)).includes(id)) {
    const log = parts.logs.contract(await parts.keyring.keysOf(parts.database, id, newest.epoch));
    await parts.audit.append(log, {
      event: "log.opened",
      actor: { role: "system" },
      outcome: { effect: "allow", code: "opened" },
      facts: {
        ...{ contract: id, digest: contract.bundleDigest, share_a: newest.commitmentA, share_b: newest.commitmentB },
        ...(newest.commitmentC === null ? {} : { share_c: newest.commitmentC }),
      },
    });
  }
  await giveBack(parts.database, contract);
}
