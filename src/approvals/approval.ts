/** A four-eyes request and who decides it. */
import type { ContractId } from "../kernel/index.ts";

export type ApprovalAction = "activate" | "change_policy" | "purge";

export interface Person {
  readonly issuer: string;
  readonly subject: string;
}

export interface Approval {
  readonly id: string;
  readonly contract: ContractId;
  readonly action: ApprovalAction;
  /** Of exactly what is approved: a bundle's, a step's from one bundle to another, or a purge order's. */
  readonly digest: string;
  readonly state: "requested" | "approved" | "rejected";
  readonly requestedBy: Person;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly decidedBy: Person | null;
  readonly readAt: number;
}
