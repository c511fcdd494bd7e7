/** What the caller may work on: seats, with how each contract stands. Says nothing of customers. */
import type { RequestFacts } from "../audit/index.ts";
import { type Standing, selectSeatsOf, standingAt } from "../contracts/index.ts";
import { ok, type Presented, type Refusal, type Result } from "../kernel/index.ts";
import type { Disclosure } from "./ask.ts";
import { denyUnknown } from "./entries.ts";

export interface Me {
  readonly contracts: readonly { readonly contract: string; readonly role: string; readonly standing: Standing; readonly endsAt: number }[];
}

export async function me(
  deps: Disclosure,
  { authorization, request }: { readonly authorization: Presented | null; readonly request: RequestFacts },
): Promise<Result<Me, Refusal>> {
  const principal = await deps.identity.identify(authorization);
  if (!principal.ok) return denyUnknown(deps, { contract: null, request }, principal.refusal);
  const { issuer, subject } = principal.value;
  const seats = await selectSeatsOf(deps.database, issuer, subject);
  const actor = { role: seats.length > 0 ? ("agent" as const) : ("unknown" as const), issuer, subject };
  const outcome = { effect: "allow", code: "ok" } as const;
  await deps.audit.append(await deps.logs.gateway(deps.database), { event: "seats.listed", actor, request, outcome });
  return ok({
    contracts: seats.map((seat) => ({
      contract: seat.contract,
      role: seat.role,
      standing: standingAt(seat, seat.readAt),
      endsAt: seat.endsAt,
    })),
  });
}
