/**
 * A request that nobody decided in its time is over, and the log says so once.
 * Crash order: the row first, so that nobody decides what is told to have expired, with the entry still owed; then the entry; then nothing is owed.
 * Whoever finds one owed after a crash looks in the log before it writes.
 */
import type { LogHandle, LogHandles } from "../audit/index.ts";
import { selectContract } from "../contracts/index.ts";
import { ensureEntry, type JobLog } from "../jobs/index.ts";
import { type ContractId, inTurn } from "../kernel/index.ts";
import { letGo, takeExpired } from "./postgres.ts";

export interface ExpiryParts extends JobLog {
  readonly logs: LogHandles;
  /** How long one keeper has for the entries, before another looks for them. */
  readonly leaseMs: number;
}

/** By a clock that is believed. Safe in any number of processes. */
export async function expireApprovals(parts: ExpiryParts): Promise<void> {
  await inTurn(await takeExpired(parts.database, parts.leaseMs), async (expired) => {
    const { id, contract, action, digest, expiresAt } = expired;
    const facts = { contract, approval: id, action, digest, expires_at: new Date(expiresAt).toISOString() };
    await ensureEntry(parts, await keylessLogOf(parts, contract), { event: "approval.expired", effect: "deny", code: "expired", facts });
    await letGo(parts.database, expired);
  });
}

/** For what names nobody, so that it needs none of the contract's keys. A draft has no log yet, and from the fence on the purge alone writes it. */
export async function keylessLogOf({ database, logs }: Pick<ExpiryParts, "database" | "logs">, contract: ContractId): Promise<LogHandle> {
  const state = (await selectContract(database, contract))?.state;
  return state === "active" || state === "ended" ? logs.closing(contract) : logs.gateway(database);
}
