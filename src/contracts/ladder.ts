/**
 * The ladder of a contract: draft → active → ended → purging → purged. What is stored moves by acts and by the keeper's clock;
 * what holds for a request is read off the dates as well, so that access ends at the first instant of the end date even if nothing else runs.
 */
const contractStates = ["draft", "active", "ended", "purging", "purged"] as const;
export type ContractState = (typeof contractStates)[number];

/** What a request meets. `not_started`: activated, but its first day has not come. `held`: over, and a legal hold keeps what is stored. */
export type Standing = "draft" | "not_started" | "active" | "ended" | "held" | "purging" | "purged";

export interface Term {
  readonly state: ContractState;
  /** Milliseconds since 1970. `endsAt` is the first instant without access. */
  readonly startsAt: number;
  readonly endsAt: number;
  /** A legal hold stands. Absent where nobody asked: whether data is kept is no matter of who may see it. */
  readonly held?: boolean;
}

/** `now`: the database's clock, milliseconds. */
export function standingAt(term: Term, now: number): Standing {
  const over = term.held === true ? "held" : "ended";
  if (term.state === "ended" || (term.state === "active" && now >= term.endsAt)) return over;
  if (term.state !== "active") return term.state;
  return now < term.startsAt ? "not_started" : "active";
}
