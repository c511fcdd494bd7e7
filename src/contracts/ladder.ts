/**
 * The ladder of a contract: draft → active → winding_down → ended → purging → purged, with suspended beside it and held above its end.
 * What is stored moves by acts and by the keeper's clock; what holds for a request is read off the dates as well, so that access ends at the first
 * instant of the end date even if nothing else runs. Docs: docs/CONTRACT.md.
 */
const contractStates = ["draft", "active", "ended", "purging", "purged"] as const;
export type ContractState = (typeof contractStates)[number];

/**
 * What a request meets. `not_started`: activated, but its first day has not come. `winding_down`: its end is near; everything works until the last days.
 * `held`: over, and a legal hold keeps what is stored.
 */
export type Standing = "draft" | "not_started" | "active" | "winding_down" | "suspended" | "ended" | "held" | "purging" | "purged";

export interface Term {
  readonly state: ContractState;
  /** Milliseconds since 1970. `endsAt` is the first instant without access. */
  readonly startsAt: number;
  readonly endsAt: number;
  readonly suspended: boolean;
  /** A legal hold stands. Absent where nobody asked: whether data is kept is no matter of who may see it. */
  readonly held?: boolean;
}

const dayMs = 86_400_000;
/** Days of 24 hours. Of a short term at most half, and a quarter: a contract of one week has a beginning, too. */
const noticeDays = 30;
const lastDays = 7;

/** When the end is announced. */
export function windsDownAt({ startsAt, endsAt }: Pick<Term, "startsAt" | "endsAt">): number {
  return endsAt - Math.min(noticeDays * dayMs, (endsAt - startsAt) / 2);
}

/** From here: no import, no new agents, no values in the clear. */
export function lastDaysAt({ startsAt, endsAt }: Pick<Term, "startsAt" | "endsAt">): number {
  return endsAt - Math.min(lastDays * dayMs, (endsAt - startsAt) / 4);
}

/** `now`: the database's clock, milliseconds. */
export function standingAt(term: Term, now: number): Standing {
  const { state, startsAt, endsAt } = term;
  if (state === "ended" || (state === "active" && now >= endsAt)) return term.held === true ? "held" : "ended";
  if (state !== "active") return state;
  if (term.suspended) return "suspended";
  if (now < startsAt) return "not_started";
  return now < windsDownAt(term) ? "active" : "winding_down";
}

export function isInLastDays(term: Pick<Term, "state" | "startsAt" | "endsAt">, now: number): boolean {
  return term.state === "active" && now >= lastDaysAt(term);
}
