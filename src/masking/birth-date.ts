/**
 * Dates of birth: the year. Under fourteen the date is sensitive as such (PIPL 28) and only its class is named.
 * Today is handed in; where it is not known, nobody is known to be fourteen.
 */
import { sensitiveTexts } from "./sensitive.ts";
import { tidyText } from "./text.ts";

export const hiddenDate = "****";

const ageOfConsent = 14;
const yearMin = 1900;

/** Civil, as its text: `1990-05-06`. Two readings of one text (05/06/1990) give the later one: it never makes anybody older. */
export function readBirthDate(text: string): string | null {
  const tidy = tidyText(text) ?? "";
  const [, year, month, day] = yearFirst.exec(tidy) ?? compactDate.exec(tidy) ?? [];
  if (year !== undefined) return civilDate(Number(year), Number(month), Number(day));
  const [, first, second, last] = yearLast.exec(tidy) ?? [];
  if (last === undefined) return null;
  const readings = [civilDate(Number(last), Number(first), Number(second)), civilDate(Number(last), Number(second), Number(first))];
  return (
    readings
      .filter((date) => date !== null)
      .sort()
      .at(-1) ?? null
  );
}

const yearFirst = /^([0-9]{4})[-/.年] ?([0-9]{1,2})[-/.月] ?([0-9]{1,2})日?(?:[T ][0-9:.+Z-]{1,24})?$/;
const compactDate = /^([0-9]{4})([0-9]{2})([0-9]{2})$/;
const yearLast = /^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})$/;

function civilDate(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  if (year < yearMin || date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1) return null;
  return date.toISOString().slice(0, 10);
}

/** Full years on `today`; `null` = not born yet, or today is not known. */
function ageOn(birthDate: string, today: string): number | null {
  if (today === "" || birthDate > today) return null;
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return birthDate.slice(5) > today.slice(5) ? years - 1 : years;
}

/** Something that may be shown of an adult's date; the class of a child's; `otherwise` where it is no date. */
function ofAdult(text: string, today: string, show: (date: string, age: number) => string, otherwise: string | null): string | null {
  const date = readBirthDate(text);
  const age = date === null ? null : ageOn(date, today);
  if (date === null || age === null) return otherwise;
  return age < ageOfConsent ? sensitiveTexts.minor : show(date, age);
}

/** `1990-**-**`. */
export function maskBirthDate(text: string, today: string): string | null {
  return ofAdult(text, today, (date) => `${date.slice(0, 4)}-**-**`, hiddenDate);
}

/** As it is, of an adult; nothing where that is not certain. */
export function revealBirthDate(text: string, today: string): string | null {
  return ofAdult(text, today, () => text, null);
}

/** `1990`. */
export function birthYear(text: string, today: string): string | null {
  return ofAdult(text, today, (date) => date.slice(0, 4), null);
}

const bandStarts = [ageOfConsent, 18, 30, 40, 50, 60, 70] as const;

/** `30-39`. */
export function ageBand(text: string, today: string): string | null {
  return ofAdult(text, today, (_date, age) => bandOf(age), null);
}

function bandOf(age: number): string {
  const next = bandStarts.findIndex((start) => start > age);
  return next === -1 ? `${bandStarts.at(-1)}+` : `${bandStarts[next - 1]}-${(bandStarts[next] ?? 0) - 1}`;
}
