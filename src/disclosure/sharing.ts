/** Whether the uses of one seat in the last minutes are those of one person, and what that is to whoever comes. Pure. */
import type { Principal } from "../identity/index.ts";
import type { RefusalCode } from "../kernel/index.ts";

/** How long ago somebody may have proved who they are, to be taken for the seat's own person; and how far their provider's clock may be ahead. */
const provenMinutes = 5;
const clockSkewMs = 60_000;

export interface SeatUse {
  /** From where this request comes. */
  readonly own: boolean;
  /** Milliseconds. */
  readonly seenAt: number;
  /** `null` = not known. */
  readonly country: string | null;
  /** With this request's token. */
  readonly sameToken: boolean;
  /** Of another network: which, as a keyed hash. */
  readonly network: string;
}

export interface Sharing {
  /** At least two. */
  readonly networks: number;
  /** That are known. */
  readonly countries: number;
  /** One token came from more than one of them. */
  readonly oneToken: boolean;
}

/**
 * Whoever changes their network once is one person. Two networks are two uses where one was used before and after the other, where they are of two countries,
 * or where the token is the same, which was stolen or handed on. `null` = as far as is known, one person.
 */
export function sharingOf(now: { readonly at: number; readonly country: string | null }, uses: readonly SeatUse[]): Sharing | null {
  const since = Math.min(now.at, ...uses.filter(({ own }) => own).map(({ seenAt }) => seenAt));
  const isAbroad = (country: string | null) => country !== null && now.country !== null && country !== now.country;
  const others = uses.filter(({ own, seenAt, country, sameToken }) => !own && (sameToken || seenAt > since || isAbroad(country)));
  if (others.length === 0) return null;
  const countries = new Set([now.country, ...others.map(({ country }) => country)].filter((country) => country !== null));
  return {
    networks: 1 + new Set(others.map(({ network }) => network)).size,
    countries: countries.size,
    oneToken: others.some(({ sameToken }) => sameToken),
  };
}

/** `null` = they are served. A shared seat is its holder's again, where the contract asks for that, once they log in at their provider anew. */
export function faultOfSharing(told: "step_up" | "refuse" | undefined, { provenAt }: Principal, nowMs: number): RefusalCode | null {
  if (told === undefined) return null;
  if (told === "refuse") return "seat_shared";
  const isProven = provenAt !== undefined && provenAt > nowMs - provenMinutes * 60_000 && provenAt <= nowMs + clockSkewMs;
  return isProven ? null : "step_up_required";
}
