/** What every request of an agent has: its purpose and its ticket, and what it can meet before anything is decided. */
import type { Received } from "../http/index.ts";
import { ok, type Refusal, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import type { Ask } from "./ask.ts";

export const seatRefusals = [
  "contract_not_active",
  "contract_ended",
  "contract_suspended",
  "contract_purged",
  "proof_invalid",
  "outside_hours",
  "outside_network",
  "break_glass_needed",
  "seat_role_not_allowed",
  "seat_role_not_approved",
  "seat_agreement_missing",
  "seat_agreement_expired",
  "seat_training_missing",
  "seat_training_expired",
  "off_shift",
  "seat_shared",
  "step_up_required",
  "purpose_required",
  "purpose_unknown",
  "audit_unavailable",
  "keys_unavailable",
  "share_closed",
] as const satisfies readonly RefusalCode[];

/** Visible ASCII, one line. */
const headerPattern = /^[\x21-\x7e]{1,128}$/;

export function contextOf({ header }: Received): Result<Pick<Ask, "purpose" | "ticket">, Refusal> {
  const [purpose, ticket] = [header("postern-purpose"), header("postern-ticket")];
  for (const [name, value] of Object.entries({ "postern-purpose": purpose, "postern-ticket": ticket })) {
    if (value !== null && !headerPattern.test(value))
      return refuse({ code: "bad_header", errors: [{ pointer: `header:${name}`, code: "grammar" }] });
  }
  return ok({ purpose, ticket });
}
