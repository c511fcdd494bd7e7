/** CSV (RFC 4180), safe to open in a spreadsheet: a cell that would be read as a formula begins with an apostrophe. */
import { type Copied, type CopyFormat, type FlatName, flatten } from "./copy.ts";

const columns = [
  ...(["index", "id", "log", "time", "event", "effect", "code", "actor_role", "actor", "actor_issuer", "actor_subject"] as const),
  ...(["address", "user_agent", "reason", "purpose", "ticket", "type", "locators", "subjects", "fields", "role", "policy"] as const),
  ...(["request_id", "route", "facts"] as const),
] satisfies FlatName[];

export const csv: CopyFormat = {
  media: "text/csv",
  extension: "csv",
  head: `${columns.join(",")}\r\n`,
  record(copied: Copied) {
    const flat = flatten(copied);
    return `${columns.map((name) => cell(flat[name])).join(",")}\r\n`;
  },
};

/** Full-width signs are formulas where the spreadsheet's language has them. */
const formula = /^[=+\-@\t\r\0\uff1d\uff0b\uff0d\uff20]/;

function cell(text: string): string {
  const literal = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(literal) ? `"${literal.replaceAll('"', '""')}"` : literal;
}
