/** Syslog as RFC 5424 has it: facility "log audit", structured data, and a sentence in UTF-8 behind its mark. */
import { type Copied, type CopyFormat, type FlatName, flatten, visible } from "./copy.ts";

const facility = 13;
const severity = { allow: 6, deny: 4 } as const;
/** 32473 is the number kept for documentation (RFC 5612): we have none of our own. */
const structure = "postern@32473";
const byteOrderMark = "\ufeff";

export const syslog: CopyFormat = {
  media: "text/plain; charset=utf-8",
  extension: "log",
  head: "",
  record: (copied) => `${syslogOf(copied)}\n`,
};

/** Without an end: a file has lines, a connection counts. */
function syslogOf(copied: Copied): string {
  const { entry } = copied;
  const flat = flatten(copied);
  const priority = facility * 8 + severity[entry.outcome.effect];
  const host = printable(entry.log.split("/")[0] ?? "", 255);
  const values = Object.entries(flat) as [FlatName, string][];
  const parameters = values.filter(([, value]) => value !== "").map(([name, value]) => `${name}="${parameterValue(value)}"`);
  const head = `<${priority}>1 ${entry.time} ${host} postern - ${printable(entry.event, 32)}`;
  return `${head} [${structure} ${parameters.join(" ")}] ${byteOrderMark}${visible(sentenceOf(copied))}`;
}

function sentenceOf({ entry, details }: Copied): string {
  const who = details?.subject ?? entry.actor.id;
  return `${entry.actor.role} ${who}: ${entry.event}, ${entry.outcome.effect} (${entry.outcome.code})`;
}

function parameterValue(text: string): string {
  return visible(text).replaceAll(/["\\\]]/g, String.raw`\$&`);
}

/** PRINTUSASCII within its length; `-` = nil. */
function printable(text: string, lengthMax: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "?").slice(0, lengthMax) || "-";
}
