/** A four-eyes request and who decides it. */
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";
import type { AgreedAct } from "../policy/index.ts";

export type ApprovalAction = "activate" | "break_glass" | "grant_roles" | AgreedAct;

/** By a second person; withdrawn: by whoever asked. */
export type Verdict = "approved" | "rejected" | "withdrawn";

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
  readonly state: "requested" | "expired" | Verdict;
  readonly requestedBy: Person;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly decidedBy: Person | null;
  readonly decidedAt: number | null;
  /** Why, of who asked and of who decided: sealed (reasons.ts). `null` = they did not say. */
  readonly reason: string | null;
  readonly decidedReason: string | null;
  readonly readAt: number;
}

/** What it is at this moment: its time may be over before a keeper has written so. */
export function standingOf({ state, expiresAt, readAt }: Approval): Approval["state"] {
  return state === "requested" && expiresAt <= readAt ? "expired" : state;
}

/** What two people agree to, as the digest that both of them sign. */
export function digestOf(order: Parameters<typeof canonicalJson>[0]): string {
  return `sha256:${toHex(sha256(utf8(canonicalJson(order))))}`;
}
