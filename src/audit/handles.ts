/** The two kinds of log, ready to be written to. */
import type { ContractId } from "../kernel/index.ts";
import type { AuditKeys, ContractKeys } from "../keys/index.ts";
import type { Queryable } from "../storage/index.ts";
import { originsUpTo } from "./epoch.ts";
import { AuditUnavailable, type LogHandle } from "./log.ts";
import { selectLog } from "./postgres.ts";

/** The log of whatever has no contract, a foreign contract, or one whose log is closed to it. No contract may have this id. */
export const gatewayLog = "gateway";

export interface LogHandles {
  /** Pseudonyms under the contract's own key: they die with it. */
  contract(keys: ContractKeys): LogHandle;
  /** A contract's log for the clock and the purge: they name nobody, so it needs no pseudonyms, and asks for no key that may be gone. */
  closing(contract: ContractId): LogHandle;
  /** Throws AuditUnavailable where the gateway log was never opened. */
  gateway(database: Queryable): Promise<LogHandle>;
  /** The origin of the log's first epoch. */
  baseOf(log: string): string;
  /** The origins of all its epochs so far, in their order; of one that was never opened, the first. */
  originsOf(database: Queryable, log: string): Promise<Origins>;
}

/** The newest one apart. */
export interface Origins {
  readonly newest: string;
  readonly earlier: readonly string[];
}

/** `logName`: prefix of every origin; never changes. */
export function createLogHandles(logName: string, auditKeys: AuditKeys): LogHandles {
  const baseOf = (log: string) => `${logName}/${log}`;
  return {
    contract: (keys) => ({ log: keys.contract, base: baseOf(keys.contract), pseudonymKey: keys.pseudonym }),
    closing: (contract) => ({ log: contract, base: baseOf(contract), pseudonymKey: new Uint8Array() }),
    async gateway(database) {
      const pseudonymKey = await auditKeys.keyOf(database, gatewayLog, "pseudonym").catch((cause) => {
        throw new AuditUnavailable("the gateway log's key is not available", cause);
      });
      return { log: gatewayLog, base: baseOf(gatewayLog), pseudonymKey };
    },
    baseOf,
    async originsOf(database, log) {
      const newest = (await selectLog(database, log))?.origin ?? baseOf(log);
      return { newest, earlier: originsUpTo(newest).slice(0, -1) };
    },
  };
}
