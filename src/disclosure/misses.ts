/** Watches whether somebody tries names: who in a few minutes asks for much that is not there. How: postgres-misses.ts. */
import type { Principal } from "../identity/index.ts";
import type { ContractId } from "../kernel/index.ts";

/** So many within `windowSeconds`, in all processes, are no work of a person's at a desk. */
export const missesMax = 50;
export const windowSeconds = 300;

export interface Asker {
  readonly contract: ContractId;
  readonly who: Pick<Principal, "issuer" | "subject">;
}

export interface MissWatch {
  /** What was asked for is not there. Answers how many were not of late, where the log is to be told of it by whoever asked: nobody did lately. */
  miss(asker: Asker): Promise<number | null>;
  /** The log was told, for all processes to know. */
  noted(asker: Asker): Promise<void>;
}
