/**
 * What the keeper does about contracts as time passes, by the database's clock while that is believed: announces an end that is near, and stores one that
 * has come. Access ended by itself at that instant; this only writes it down. It never starts a purge: purge/ does, days later.
 */
import { type ExpiryParts, expireApprovals } from "../approvals/index.ts";
import { selectSilentLogs } from "../audit/index.ts";
import { beatClock, type Contract, describeDoubt, noteTold, takeEnded, takeUnannounced } from "../contracts/index.ts";
import { ensureEntry } from "../jobs/index.ts";
import { type ContractId, inTurn } from "../kernel/index.ts";
import { type ActivationParts, announce } from "./activate.ts";

/** Is the clock believed? What it leapt by is said once, in the gateway's log. */
export async function lookAtClock({ database, audit, logs }: Pick<ActivationParts, "database" | "audit" | "logs">): Promise<boolean> {
  const { standing, leapt } = await beatClock(database);
  const doubt = describeDoubt(standing);
  if (leapt && doubt) {
    const outcome = { effect: "deny", code: "clock_leapt" } as const;
    await audit.append(await logs.gateway(database), { event: "clock.doubted", actor: { role: "system" }, outcome, facts: { doubt } });
  }
  return doubt === null;
}

/** Run every few seconds; safe in any number of processes. `believed`: the clock did not leap. */
export async function tickAgreements(parts: ActivationParts & ExpiryParts, believed: boolean): Promise<void> {
  await inTurn(await selectSilentLogs(parts.database), (log) => announce(parts, log as ContractId));
  if (!believed) return;
  await expireApprovals(parts);
  await inTurn(await takeUnannounced(parts.database, parts.leaseMs), async (contract) => {
    await tell(parts, contract, "contract.winding_down", "announced");
    await noteTold(parts.database, contract, "near");
  });
  await inTurn(await takeEnded(parts.database, parts.leaseMs), async (contract) => {
    await tell(parts, contract, "contract.ended", "ended");
    await noteTold(parts.database, contract, "come");
  });
}

/**
 * By the keeper that took it, before it is noted: whoever takes it after a crash looks in the log first, so no end is silent and none is told twice. It names
 * nobody, so that a contract whose share is lost ends too.
 */
async function tell(
  parts: ExpiryParts,
  { id, endsAt, purgeDueAt }: Contract,
  event: "contract.winding_down" | "contract.ended",
  code: string,
): Promise<void> {
  const facts = { contract: id, ends_at: new Date(endsAt).toISOString(), purge_due_at: new Date(purgeDueAt).toISOString() };
  await ensureEntry(parts, parts.logs.closing(id), { event, code, facts });
}
