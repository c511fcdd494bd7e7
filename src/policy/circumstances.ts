/**
 * What a request meets before anything is decided: the contract's demand for a proof, its hours by its own clock, its networks, its purposes.
 * What passes is what conditions may know.
 */
import { ok, type RefusalCode, type Result, refuse } from "../kernel/index.ts";
import type { Bundle } from "./bundle.ts";
import type { Facts } from "./condition.ts";
import { isWithin } from "./hours.ts";
import { networkOf } from "./networks.ts";
import { type CivilMoment, civilMoment, termInstants } from "./term.ts";

/** All that is known without the record. */
export type Circumstances = Omit<Facts, "record">;

export interface AgentRequest {
  readonly agent: Facts["agent"];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where it came from; `undefined` = not known. */
  readonly address?: string | undefined;
  /** Came with a proof of the key that its token is bound to. */
  readonly proven: boolean;
  /** `null` = not named, which will do where the contract has one. */
  readonly purpose: string | null;
  readonly ticket: string | null;
}

/** Is the instant outside the contract's days? `null` = within. */
export function outsideTerm({ contract }: Bundle, now: number): "contract_not_active" | "contract_ended" | null {
  const { startsAt, endsAt } = termInstants(contract.term);
  if (now < Date.parse(startsAt)) return "contract_not_active";
  return now < Date.parse(endsAt) ? null : "contract_ended";
}

/** By what, where, when or what for not. */
export type Unmet = Extract<RefusalCode, "proof_invalid" | "outside_hours" | "outside_network" | "purpose_required" | "purpose_unknown">;

/** proof → hours → network → purpose */
export function circumstancesOf(
  bundle: Bundle,
  { agent, now, address, proven, purpose: asked, ticket }: AgentRequest,
): Result<Circumstances, { readonly code: Unmet }> {
  if (bundle.contract.dpop === "required" && !proven) return refuse({ code: "proof_invalid" });
  const place = placeOf(bundle, now, address);
  if (!place.ok) return place;
  const purpose = purposeOf(bundle, asked);
  if (!purpose.ok) return purpose;
  const { id, merchant, vendor } = bundle.contract;
  return ok({ agent, contract: { id, merchant, vendor }, request: { ...place.value, purpose: purpose.value, ticket: ticket ?? "" } });
}

function placeOf(
  bundle: Bundle,
  now: number,
  address: string | undefined,
): Result<CivilMoment & { network: string }, { readonly code: Unmet }> {
  const { term, hours, networks } = bundle.contract;
  const moment = civilMoment(now, term.zone);
  const { weekday, hour, minute } = moment;
  if (hours && !isWithin(hours, { weekday, minute: hour * 60 + minute })) return refuse({ code: "outside_hours" });
  const network = networks ? networkOf(networks, address) : "";
  return network === null ? refuse({ code: "outside_network" }) : ok({ ...moment, network });
}

function purposeOf(bundle: Bundle, asked: string | null): Result<string, { readonly code: Unmet }> {
  const { purposes } = bundle.contract;
  const [only, ...others] = Object.keys(purposes).filter((name) => purposes[name]?.breakGlassMinutes === undefined);
  if (asked === null) return only !== undefined && others.length === 0 ? ok(only) : refuse({ code: "purpose_required" });
  return Object.hasOwn(purposes, asked) ? ok(asked) : refuse({ code: "purpose_unknown" });
}
