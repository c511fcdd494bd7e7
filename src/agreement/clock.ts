/**
 * What the keeper does about contracts as time passes, by the database's clock: an active contract whose end has come is stored as ended.
 * Access ended by itself at that instant; this only writes it down. It never starts a purge: purge/ does, days later.
 */

import { selectSilentLogs } from "../audit/index.ts";
import { moveState, selectOverdue } from "../contracts/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { logOfContract } from "../offices/index.ts";
import { type ActivationParts, announce } from "./activate.ts";

/** Run every few seconds; safe in any number of processes. */
export async function tickAgreements(parts: ActivationParts): Promise<void> {
  for (const log of await selectSilentLogs(parts.database)) await announce(parts, log as ContractId);
  for (const contract of await selectOverdue(parts.database)) {
    if (contract.state !== "active") continue;
    // Logged first: a crash between leaves a second entry, never a silent end.
    await parts.audit.append(await logOfContract(parts, contract), {
      event: "contract.ended",
      actor: { role: "system" },
      outcome: { effect: "allow", code: "ended" },
      facts: { contract: contract.id, ends_at: new Date(contract.endsAt).toISOString() },
    });
    await moveState(parts.database, contract.id, "active", "ended");
  }
}
