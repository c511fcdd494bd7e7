/** Records by when the merchant last wrote them, and from where they came: counted, and deleted some at a time. */
import type { ContractId } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { SubjectRows } from "./postgres.ts";

/** What was last written before this instant (ISO 8601), and where it is said, of this shop and handed over for this purpose. */
export interface AgeRule {
  readonly before: string;
  readonly shop?: string;
  readonly purpose?: string;
}

/** By type. */
export type AgeRules = Readonly<Record<string, AgeRule>>;

/** What stays all the same: records of these subjects, and of these types. */
export interface Spared {
  readonly subjects: readonly string[];
  readonly types: readonly string[];
}

/** After minus infinity: by the index of ages, which is for these statements alone. */
const olderText = `r.contract_id = $1 and r.type = x.type and r.written_at < x.before and r.written_at > '-infinity'
  and (x.shop is null or r.shop = x.shop) and (x.purpose is null or r.purpose = x.purpose)
  and r.subject not in (select jsonb_array_elements_text($3::text::jsonb))`;
const rulesText = "jsonb_to_recordset($2::text::jsonb) as x(type text, before timestamptz, shop text, purpose text)";

export async function hasOlder(database: Queryable, contract: ContractId, rules: AgeRules, spared: Spared): Promise<boolean> {
  const [row] = await database.query(
    `select exists (select from ${rulesText} cross join lateral (select from postern.record r where ${olderText} limit 1) found), now()`,
    parametersOf(contract, rules, spared),
  );
  return row?.[0] === true;
}

/** By type, of those that the rules name and nothing spares. */
export async function countOlder(
  database: Queryable,
  contract: ContractId,
  rules: AgeRules,
  spared: Spared,
): Promise<Readonly<Record<string, number>>> {
  const rows = await database.query(
    `select x.type, count(*)::float8, now() from ${rulesText} join postern.record r on ${olderText} group by x.type order by x.type`,
    parametersOf(contract, rules, spared),
  );
  return Object.fromEntries(rows.map(([type, count]) => [String(type), Number(count)]));
}

/** Deletes at most `limit` of them with what they are found by. `subjects`: whose they were. The caller holds the contract's row. */
export async function deleteOlder(
  tx: Queryable,
  contract: ContractId,
  rules: AgeRules,
  { spared, limit }: { readonly spared: Spared; readonly limit: number },
): Promise<SubjectRows & { readonly subjects: readonly string[] }> {
  const [row] = await tx.query(
    `with old as (select r.* from ${rulesText} cross join lateral
         (select r.type, r.locator, r.subject from postern.record r where ${olderText} limit $4::int) r limit $4::int),
       index_gone as (delete from postern.blind_index b using old
         where b.contract_id = $1 and b.type = old.type and b.locator = old.locator and b.locator > '' returning 1),
       gone as (delete from postern.record r using old where r.contract_id = $1 and r.type = old.type and r.locator = old.locator returning 1)
     select (select count(*)::float8 from gone), (select count(*)::float8 from index_gone),
       (select coalesce(jsonb_agg(distinct subject), '[]')::text from old), now()`,
    [...parametersOf(contract, rules, spared), limit],
  );
  return { records: Number(row?.[0]), indexRows: Number(row?.[1]), subjects: JSON.parse(String(row?.[2])) as string[] };
}

/** Of `subjects`, those of whom a record is stored still. */
export async function selectSubjectsLeft(tx: Queryable, contract: ContractId, subjects: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query(
    `select s.subject, now() from jsonb_array_elements_text($2::text::jsonb) as s(subject)
     where exists (select from postern.record r where r.contract_id = $1 and r.subject = s.subject and r.subject > '')`,
    [contract, JSON.stringify(subjects)],
  );
  return new Set(rows.map(([subject]) => String(subject)));
}

function parametersOf(contract: ContractId, rules: AgeRules, { subjects, types }: Spared): string[] {
  const named = Object.entries(rules).filter(([type]) => !types.includes(type));
  return [contract, JSON.stringify(named.map(([type, rule]) => ({ type, ...rule }))), JSON.stringify(subjects)];
}
