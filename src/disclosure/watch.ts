/** Watches from where seats are used. How: postgres-watch.ts. */
import type { Principal } from "../identity/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { Sharing } from "./sharing.ts";

export interface Come {
  readonly contract: ContractId;
  readonly who: Principal;
  /** `undefined` = not known; then nothing is watched. */
  readonly address: string | undefined;
  /** Two letters. */
  readonly country: string | undefined;
}

export interface SeatWatch {
  /** `null` = used from one place, as far as is known. */
  look(come: Come): Sharing | null | Promise<Sharing | null>;
  /** `true` = the log is to be told, by whoever asked: nobody did lately. Where that fails, it is news again within a minute. */
  takeNews(come: Come): boolean;
  /** The log was told, for all processes to know. */
  noted(come: Come): Promise<void>;
}
