/**
 * What the keeper does about contracts as time passes, by the database's clock: an active contract whose end has come is stored as ended.
 * Access ended by itself at that instant; this only writes it down. It never starts a purge: purge/ does, days later.
 */

import { selectSilentLogs } from "../audit/index.ts";
import { moveState, selectOverdue } from "../contracts/index.ts";
import { type ContractId, inTurn } from "../kernel/index.ts";
import { type ActivationParts, announce } from "./activate.ts";

/** Run every few seconds; safe in any number of processes. */
export async function tickAgreements(parts: ActivationParts): Promise<void> {
  await inTurn(await selectSilentLogs(parts.database), (log) => announce(parts, log as ContractId));
  await inTurn(await selectOverdue(parts.database), async (contract) => {
    if (contract.state !== "active") return;
    // Logged first: a crash between leaves a second entry, never a silent end. It names nobody, so that a contract whose share is lost ends too.
    await parts.audit.append(parts.logs.closing(contract.id), {
      event: "contract.ended",
      actor: { role: "system" },
      outcome: { effect: "allow", code: "ended" },
      facts: { contract: contract.id, ends_at: new Date(contract.endsAt).toISOString() },
    });
    await moveState(parts.database, contract.id, "active", "ended");
  });
}
