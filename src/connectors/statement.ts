/**
 * The one statement by which a database answers a route: a `select` made of the connector's names, each of a strict grammar and quoted, and of parameters
 * in place of every value. What it answers is one text, the records as a JSON list, or nothing where that text would be longer than the limit. The server
 * writes it, so that numbers keep their digits.
 */
import type { DatabaseConnector, DatabaseRoute, Relation } from "./connector.ts";

export interface Statement {
  readonly text: string;
  readonly params: readonly string[];
}

export interface Wanted {
  /** What stands for an id in the path; `null` = it has none. */
  readonly id: string | null;
  readonly query: Readonly<Record<string, string>>;
}

/** Whether a column's type is one that is passed on. Others are not even asked for. */
export type IsReadable = (relation: Relation, column: string) => boolean;

/** Records in the order of their key. Where no page can follow, one more than there may be is asked for, so that whoever reads them sees too many. */
export function statementFor(
  { tables, limits }: Pick<DatabaseConnector, "tables" | "limits">,
  route: DatabaseRoute,
  { id, query }: Wanted,
  isReadable: IsReadable,
): Statement {
  const table = tables[route.table];
  if (!table) throw new Error("a route without its table");
  const params: string[] = [];
  const bind = (value: string | number) => `$${params.push(String(value))}`;
  const bytes = bind(limits.bytes);
  const conditions = route.by === undefined || id === null ? [] : [`t.${quoted(route.by)} = ${bind(id)}`];
  let records = (route.records.list ? limits.records : 1) + (hasPages(route) ? 0 : 1);
  // In the connector's order, so that one question is one statement in whatever order it was asked.
  for (const [name, parameter] of Object.entries(route.parameters)) {
    const value = Object.hasOwn(query, name) ? query[name] : undefined;
    if (value === undefined) continue;
    if (parameter === "limit") records = Math.min(Number(value), limits.records);
    else if ("after" in parameter) conditions.push(`t.${quoted(parameter.after)} > ${bind(value)}`);
    else conditions.push(`t.${quoted("search" in parameter ? parameter.search : parameter.filter)} = ${bind(value)}`);
  }
  const columnsOf = (relation: Relation, alias: string) =>
    relation.columns.filter((column) => isReadable(relation, column)).map((column) => `${alias}.${quoted(column)}`);
  const lists = Object.entries(table.lists).map(([name, list]) => {
    const rows =
      `select ${columnsOf(list, "c").join(", ")} from ${relationOf(list)} c where c.${quoted(list.by)} = t.${quoted(table.key)}` +
      ` order by c.${quoted(list.key)} limit ${bind(list.records + 1)}`;
    return `(${asList(rows)}) ${quoted(name)}`;
  });
  const where = conditions.length > 0 ? ` where ${conditions.join(" and ")}` : "";
  const rows =
    `select ${[...columnsOf(table, "t"), ...lists].join(", ")} from ${relationOf(table)} t${where}` +
    ` order by t.${quoted(table.key)} limit ${bind(records)}`;
  const text = `select case when octet_length(b.body) <= ${bytes}::int then b.body end, now() from (select (${asList(rows)})::text body) b`;
  return { text, params };
}

/** The alias is none that a column could have: a column called `row` would be taken for the row. */
function asList(rows: string): string {
  return `select coalesce(json_agg("(row)"), '[]') from (${rows}) "(row)"`;
}

/** Can a client ask for what is behind a page? */
function hasPages({ parameters }: DatabaseRoute): boolean {
  return Object.values(parameters).some((parameter) => typeof parameter === "object" && "after" in parameter);
}

function relationOf({ schema, name }: Relation): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/** Throws on a name that no connector's file may have: one with a quotation mark would end here. */
function quoted(name: string): string {
  if (!isName(name)) throw new Error("not a name of a table or a column");
  return `"${name}"`;
}

/** Of a schema, a table or a column: 63 bytes, as Postgres keeps them. */
export function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(text);
}
