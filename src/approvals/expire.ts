/** Requests that nobody decided in time are closed, and the log says so of each. */
import type { AuditLog, LogHandles } from "../audit/index.ts";
import { selectContract } from "../contracts/index.ts";
import { inTurn } from "../kernel/index.ts";
import type { Database } from "../storage/index.ts";
import { selectLapsed, setExpired } from "./postgres.ts";

/** Run every few seconds. Logged first: a crash between leaves a second entry, never a silent end. */
export async function expireApprovals(parts: {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
}): Promise<void> {
  const { database, audit, logs } = parts;
  await inTurn(await selectLapsed(database), async (lapsed) => {
    const { contract: id, id: approval, action, digest } = lapsed;
    const state = (await selectContract(database, id))?.state;
    // Of a draft, and of what is purged, the gateway's log tells.
    const log = state === "active" || state === "ended" ? logs.closing(id) : await logs.gateway(database);
    await audit.append(log, {
      event: "approval.expired",
      actor: { role: "system" },
      outcome: { effect: "deny", code: "expired" },
      facts: { contract: id, approval, action, digest },
    });
    await setExpired(database, lapsed);
  });
}
