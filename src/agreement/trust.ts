/** The trust file of a contract: the keys that its owners are handed, and by which a stranger verifies. */
import { formatTrust, gatewayLog, type LogHandles, noteKey, policyOf, rootKeyOf, type Trust, type WitnessKey } from "../audit/index.ts";
import { keyId } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { enterContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import type { Queryable } from "../storage/index.ts";

/** Raw Ed25519 public keys. */
export interface TrustKeys {
  /** Those that are asked to cosign the contract's own log. */
  readonly witnessesOf: (contract: ContractId) => readonly WitnessKey[];
  readonly log: Uint8Array;
  readonly certificate: Uint8Array;
  readonly writers: readonly Uint8Array[];
}

export async function trustOf(
  { database, logs, trust: keys }: { readonly database: Queryable; readonly logs: LogHandles; readonly trust: TrustKeys },
  contract: ContractId,
): Promise<Trust> {
  const own = await logs.originsOf(database, contract);
  const gateway = await logs.originsOf(database, gatewayLog);
  const { pseudonymKey } = await logs.gateway(database);
  const log = noteKey(own.newest, keys.log);
  return {
    log,
    gateway: noteKey(gateway.newest, keys.log),
    earlier: [...own.earlier, ...gateway.earlier].map((origin) => noteKey(origin, keys.log)),
    writers: new Map(keys.writers.map((key) => [keyId(key), key])),
    certificate: { kid: keyId(keys.certificate), key: keys.certificate },
    rootKey: rootKeyOf(pseudonymKey, contract),
    policy: policyOf(log, keys.witnessesOf(contract)),
  };
}

/** Owners and officers may have it at any time. */
export async function readTrust(
  door: OfficeDoor & { readonly trust: TrustKeys },
  visit: Visit,
  id: ContractId,
): Promise<Result<string, Refusal>> {
  const entered = await enterContract(door, visit, id);
  if (!entered.ok) return entered;
  const { actor, log } = entered.value;
  await door.audit.append(log, { event: "trust.read", actor, request: visit.request, outcome: { effect: "allow", code: "ok" } });
  return ok(formatTrust(await trustOf(door, id)));
}
