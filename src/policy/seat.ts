/**
 * Whether a seat works now: its role is one that seats may have, and the confidentiality agreement (保密协议) and the privacy training (培训) that the
 * contract demands are on file and hold. And whether it is its shift. Dates and times are civil, in the zone of the term; a paper holds from its date to the
 * end of its last day.
 */
import type { RefusalCode } from "../kernel/index.ts";
import type { Bundle } from "./bundle.ts";
import { type Hours, isWithin, parseShifts } from "./hours.ts";
import { type CivilMoment, civilMoment, daysBefore } from "./term.ts";

/** Signed, or passed. */
export interface Paper {
  /** YYYY-MM-DD, as is the next. */
  readonly on: string;
  /** Its last day; `null` = it says none. */
  readonly until: string | null;
}

export interface HeldSeat {
  readonly role: string;
  /** The role that a second person approved for it; `null` = none. */
  readonly approvedRole: string | null;
  /** `null` = not on file. */
  readonly agreement: Paper | null;
  readonly training: Paper | null;
  /** As `parseShifts` reads them; `null` = at any time. */
  readonly shifts: string | null;
}

export type SeatFault = Extract<
  RefusalCode,
  | "off_shift"
  | "seat_role_not_allowed"
  | "seat_role_not_approved"
  | "seat_agreement_missing"
  | "seat_agreement_expired"
  | "seat_training_missing"
  | "seat_training_expired"
>;

/** `null` = it works. `now`: milliseconds since 1970. */
export function faultOfSeat(bundle: Bundle, { role, approvedRole, agreement, training, shifts }: HeldSeat, now: number): SeatFault | null {
  const { seats, term } = bundle.contract;
  if (!mayHold(bundle, role)) return "seat_role_not_allowed";
  if (seats?.secondOwner?.includes(role) && role !== approvedRole) return "seat_role_not_approved";
  if (seats === undefined && shifts === null) return null;
  const moment = civilMoment(now, term.zone);
  const lacking = seats?.agreement && faultOfPaper(seats.agreement, agreement, moment.date);
  if (lacking) return `seat_agreement_${lacking}`;
  const untrained = seats?.training && faultOfPaper(seats.training, training, moment.date);
  if (untrained) return `seat_training_${untrained}`;
  return shifts === null || isOnShift(shifts, moment) ? null : "off_shift";
}

/** Hundreds of people share a few shifts. */
const known = new Map<string, readonly Hours[]>();
const knownMax = 1_000;

function isOnShift(shifts: string, { weekday, hour, minute }: CivilMoment): boolean {
  let hours = known.get(shifts);
  if (hours === undefined) {
    if (known.size >= knownMax) known.clear();
    // What the import would not have written is nobody's shift.
    hours = parseShifts(shifts) ?? [];
    known.set(shifts, hours);
  }
  return isWithin(hours, { weekday, minute: hour * 60 + minute });
}

/** A seat had its role from a contract that was perhaps wider. */
export function mayHold({ contract: { seats }, roles }: Bundle, role: string): boolean {
  return Object.hasOwn(roles, role) && (seats?.roles?.includes(role) ?? true);
}

/** What a contract demands of a paper: that it is there, and perhaps how old it may be. */
export type PaperTerms = { readonly withinDays?: number };

function faultOfPaper({ withinDays }: PaperTerms, paper: Paper | null, today: string): "missing" | "expired" | null {
  // One of tomorrow is not there yet.
  if (paper === null || paper.on > today) return "missing";
  if (paper.until !== null && paper.until < today) return "expired";
  return withinDays !== undefined && paper.on < daysBefore(today, withinDays) ? "expired" : null;
}
