/** One thing that two bundles do not have in common. */
import type { Rule } from "./bundle.ts";

/** `changed`: it does not compare, so it counts as wider. */
export type Direction = "widened" | "narrowed" | "changed";

export interface Difference {
  /** `treatment`, `rows`, `write`, `field`, `search`, `role`, `resource`, `subject`, or a term of the contract. */
  readonly what: string;
  readonly role?: string;
  readonly type?: string;
  readonly field?: string;
  /** Where it is so for some purposes of both only. */
  readonly purposes?: readonly string[];
  readonly before: string;
  readonly after: string;
  readonly direction: Direction;
  /** Where the rules are written. */
  readonly at?: { readonly before?: Rule["at"]; readonly after?: Rule["at"] };
}
