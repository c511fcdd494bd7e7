/** What the caller may work on: seats, with how each contract stands. Says nothing of customers. */
import { type Standing, selectSeatsOf, standingAt } from "../contracts/index.ts";
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { Disclosure } from "./ask.ts";

export interface Me {
  readonly contracts: readonly { readonly contract: string; readonly role: string; readonly standing: Standing }[];
}

export async function me({ identity, database }: Disclosure, authorization: string | null): Promise<Result<Me, Refusal>> {
  const principal = await identity.identify(authorization);
  if (!principal.ok) return refuse({ code: principal.refusal });
  const seats = await selectSeatsOf(database, principal.value.issuer, principal.value.subject);
  return ok({ contracts: seats.map((seat) => ({ contract: seat.contract, role: seat.role, standing: standingAt(seat, seat.readAt) })) });
}
