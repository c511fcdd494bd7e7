/**
 * Civil time: dates without hours, lengths in hours, and the instants at which a contract's days begin in its zone.
 * Intl alone knows the zones; nothing is coerced.
 */
import type { Bundle } from "./bundle.ts";

export interface TermInstants {
  /** ISO 8601, UTC. */
  readonly startsAt: string;
  /** The first instant without access. */
  readonly endsAt: string;
  readonly purgeDueAt: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const yearMin = 1970;
const yearMax = 2199;
const durationHoursMax = 24 * 3650;

/** True for a date that exists, from 1970-01-01 to 2199-12-31. */
export function isCivilDate(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const year = Number(text.slice(0, 4));
  const midnight = utcMidnight(text);
  // Date.UTC rolls 30 February over into March.
  return year >= yearMin && year <= yearMax && new Date(midnight).toISOString().startsWith(text);
}

/** The civil day so many days before one that exists. */
export function daysBefore(date: string, days: number): string {
  return new Date(utcMidnight(date) - days * dayMs).toISOString().slice(0, 10);
}

/** True for a name of the IANA database that this runtime knows; never an offset. */
export function isZone(text: string): boolean {
  if (!/^(?:UTC|[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+)$/.test(text)) return false;
  try {
    formatter(text);
    return true;
  } catch {
    return false;
  }
}

/** `24h`, `7d` in hours; `null` = not a length, or more than 3,650 days. */
export function parseDurationHours(text: string): number | null {
  const match = /^([0-9]{1,5})([hd])$/.exec(text);
  if (match === null) return null;
  const hours = Number(match[1]) * (match[2] === "d" ? 24 : 1);
  return hours <= durationHoursMax ? hours : null;
}

export function termInstants(term: Bundle["contract"]["term"]): TermInstants {
  const endsAt = startOfDay(term.end, term.zone);
  return {
    startsAt: iso(startOfDay(term.start, term.zone)),
    endsAt: iso(endsAt),
    purgeDueAt: iso(endsAt + term.purgeAfterHours * hourMs),
  };
}

export interface CivilMoment {
  /** YYYY-MM-DD */
  readonly date: string;
  readonly hour: number;
  readonly minute: number;
  /** 1 = Monday … 7 = Sunday */
  readonly weekday: number;
}

const minuteMs = 60_000;
/** The last minute asked for in each zone: requests of one minute share its date. */
const moments = new Map<string, { readonly minute: number; readonly moment: CivilMoment }>();

/** What the clock on the wall shows in `zone`. */
export function civilMoment(instant: number, zone: string): CivilMoment {
  const minute = Math.floor(instant / minuteMs);
  const known = moments.get(zone);
  if (known?.minute === minute) return known.moment;
  const shown = new Date(minute * minuteMs + offsetMs(formatter(zone), minute * minuteMs));
  const moment = {
    date: shown.toISOString().slice(0, 10),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    weekday: shown.getUTCDay() === 0 ? 7 : shown.getUTCDay(),
  };
  moments.set(zone, { minute, moment });
  return moment;
}

/** The instant of a civil `2026-03-02T10:00` in `zone`; `null` = no date and time that exist. */
export function instantAt(text: string, zone: string): number | null {
  const [, date = "", hour, minute] = /^([0-9-]{10})T([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(text) ?? [];
  return isCivilDate(date) ? instantOf(utcMidnight(date) + Number(hour) * hourMs + Number(minute) * minuteMs, zone) : null;
}

function startOfDay(date: string, zone: string): number {
  return instantOf(utcMidnight(date), zone);
}

/** The first instant at which a clock in `zone` shows `civil` (written as if it were UTC); where a change skips that, the instant it would have been without. */
function instantOf(civil: number, zone: string): number {
  const format = formatter(zone);
  const before = offsetMs(format, civil - dayMs);
  const after = offsetMs(format, civil + dayMs);
  const candidates = [civil - Math.max(before, after), civil - Math.min(before, after)];
  // Shown twice: the earlier counts. Never shown: the offset of before leads, for a skipped midnight, to the change itself.
  return candidates.find((instant) => instant + offsetMs(format, instant) === civil) ?? civil - before;
}

function offsetMs(format: Intl.DateTimeFormat, instant: number): number {
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) - instant;
}

/** Dear to make. Zones have many spellings, so only some are kept. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const formattersMax = 64;

/** Throws a RangeError on a zone that the runtime does not know. */
function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  if (formatters.size >= formattersMax) formatters.clear();
  const made = makeFormatter(zone);
  formatters.set(zone, made);
  return made;
}

function makeFormatter(zone: string): Intl.DateTimeFormat {
  const digits = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    ...digits,
  });
}

function utcMidnight(date: string): number {
  return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10)));
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
