/**
 * Two rules for what may pass a pooler in transaction mode with a cache of reads in it (Hyperdrive):
 * no statement leaves anything in its session or waits for what another session holds by name, and every read asks for `now()`, which is never answered
 * from a cache.
 */
import type { LoggedStatement } from "./server-log.ts";

/** First words of all that we send. Everything else is a breach. */
const plainWords = /^(select|with|insert|update|delete|begin|commit|rollback)\b/i;
const reading = /^(select|with|table|values|show)\b/i;
const writing = /\b(insert\s+into|update\s+\S+\s+set|delete\s+from|merge\s+into)\b/i;
const sessionFunctions = /\b(pg_notify|pg_(try_)?advisory_\w+|set_config|setval|nextval|currval|lastval|setseed|dblink\w*)\s*\(/i;
const sessionTables = /\b(temp|temporary)\s+(table|view|sequence)\b/i;

/** `session: …` or `cacheable: …`, each statement once. */
export function breachesOf(statements: readonly LoggedStatement[]): string[] {
  const breaches = statements.flatMap((statement) => {
    const code = withoutQuotes(statement.text);
    if (isRead(statement) && !/\bnow\(\)/i.test(code)) return [`cacheable: ${statement.text}`];
    const keeps = (!plainWords.test(code) && !reading.test(code)) || sessionFunctions.test(code) || sessionTables.test(code);
    return keeps ? [`session: ${statement.text}`] : [];
  });
  return [...new Set(breaches)];
}

export function isRead({ text }: LoggedStatement): boolean {
  const code = withoutQuotes(text);
  return reading.test(code) && !writing.test(code);
}

/** Without literals, quoted names and comments: only what the server would run. */
function withoutQuotes(text: string): string {
  return text
    .replace(/--[^\n]*|\/\*.*?\*\//gs, " ")
    .replace(/'(?:[^']|'')*'/g, "''")
    .trim()
    .replace(/"(?:[^"]|"")*"/g, '""');
}
