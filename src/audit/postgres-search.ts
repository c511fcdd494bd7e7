/** What officers ask of the derived tables. */
import { and, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { search, searchFields, searchSubject } from "./schema.ts";

export interface SearchFilter {
  /** A pseudonym. */
  readonly actor?: string | undefined;
  /** Names of one person: entries that hold any of them. */
  readonly subjects?: readonly string[] | undefined;
  readonly effect?: string | undefined;
  readonly event?: string | undefined;
  readonly purpose?: string | undefined;
  /** That an entry of the gateway log names. */
  readonly contract?: string | undefined;
  /** A policy path that left: at `treatment` where that is said, at any but withheld otherwise. */
  readonly field?: string | undefined;
  /** Without `field`: at which any field left. */
  readonly treatment?: string | undefined;
  /** ISO 8601. `from` inclusive, `to` exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Places: `from` inclusive, `to` exclusive. */
export interface SearchPage {
  readonly order: "newest" | "oldest";
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

/** Indexes of matching entries, in the page's order. */
export async function searchEntries(database: Queryable, name: string, filter: SearchFilter, page: SearchPage): Promise<number[]> {
  const { actor, contract, effect, event, purpose, from, to } = filter;
  const rows = await orm(database)
    .select({ index: search.index, readAt: databaseNowMs })
    .from(search)
    .where(
      and(
        eq(search.log, name),
        gte(search.index, page.from),
        lt(search.index, page.to),
        actor === undefined ? undefined : eq(search.actor, actor),
        contract === undefined ? undefined : eq(search.contract, contract),
        effect === undefined ? undefined : eq(search.effect, effect),
        event === undefined ? undefined : eq(search.event, event),
        purpose === undefined ? undefined : eq(search.purpose, purpose),
        from === undefined ? undefined : sql`${search.time} >= ${from}::timestamptz`,
        to === undefined ? undefined : sql`${search.time} < ${to}::timestamptz`,
        isAbout(name, filter),
        hasLeft(name, filter),
      ),
    )
    .orderBy(page.order === "newest" ? sql`${search.index} desc` : sql`${search.index}`)
    .limit(page.limit);
  return rows.map((row) => row.index);
}

/** The place behind the last entry that can be found. */
export async function searchEnd(database: Queryable, name: string): Promise<number> {
  const [row] = await orm(database)
    .select({ index: search.index, readAt: databaseNowMs })
    .from(search)
    .where(eq(search.log, name))
    .orderBy(sql`${search.index} desc`)
    .limit(1);
  return row === undefined ? 0 : row.index + 1;
}

/** Few entries are about one person, so their places come first and the entries by their key. */
function isAbout(name: string, { subjects }: SearchFilter): SQL | undefined {
  if (subjects === undefined) return undefined;
  const names = sql.join(
    subjects.map((subject) => sql`${subject}`),
    sql`, `,
  );
  return sql`${search.index} = any(array(
    select ${searchSubject.index} from ${searchSubject} where ${searchSubject.log} = ${name} and ${searchSubject.subject} in (${names})))`;
}

function hasLeft(name: string, { field, treatment }: SearchFilter): SQL | undefined {
  if (field === undefined && treatment === undefined) return undefined;
  const at = treatment === undefined ? sql`left_at.value <> 'withhold'` : sql`left_at.value = ${treatment}`;
  const path = field === undefined ? sql`true` : sql`left_at.key = ${field}`;
  return sql`${search.fieldsId} in (
    select ${searchFields.fieldsId} from ${searchFields} where ${searchFields.log} = ${name}
      and exists (select from jsonb_each_text(${searchFields.fields}) left_at where ${path} and ${at}))`;
}
