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

const notAnAlias = new Set([
  "where",
  "on",
  "join",
  "left",
  "inner",
  "cross",
  "order",
  "limit",
  "set",
  "values",
  "select",
  "group",
  "returning",
]);

/**
 * Tables that a statement reads or writes without saying of which contract or log: spread over machines by that key, they would be asked for on all of them.
 * `keys`: the first column of each such table's primary key, by `schema.table`.
 */
export function spreadOver(text: string, keys: ReadonlyMap<string, string>): string[] {
  const code = text.replaceAll('"', "").replace(/--[^\n]*|\/\*.*?\*\//gs, " ");
  const mentions = [...code.matchAll(/\b(from|join|into|update)\s+(\w+\.\w+)(?![.\w])(?:\s+(?:as\s+)?(\w+)|\s*(\([^)]*\)))?/gi)];
  // What is only joined is where the others are: one of them must say it.
  const isAnchored = /\b(contract_id|log)\s*=\s*(\$\d+|'\w+')/.test(code);
  return mentions.flatMap(([, word = "", table = "", next = "", columns = ""]) => {
    const key = keys.get(table);
    if (key === undefined) return [];
    if (word.toLowerCase() === "into") return columns.split(/[(),\s]+/).includes(key) ? [] : [table];
    const alias = next === "" || notAnAlias.has(next.toLowerCase()) ? table : next;
    const own = `(?:${alias.replace(".", "\\.")}\\.)${alias === table ? "?" : ""}${key}`;
    const bound = isAnchored ? "(?:\\$\\d+|'\\w+'|[\\w.]+\\.(?:contract_id|log))" : "(?!)";
    return new RegExp(`(?<![\\w.])${own}\\s*=\\s*${bound}|${bound}\\s*=\\s*${own}(?!\\w)`).test(code) ? [] : [table];
  });
}
