/**
 * The vault: one statement returns the clock, the contract's standing, the seat, the sealed records and their wrapped keys.
 * It always answers at least one row a question, so that a missing contract costs what a present one costs.
 * Reads by locator of one contract that come while others are under way share a statement: most of a small statement's cost is the journey.
 */
import type { ContractState } from "../contracts/index.ts";
import type { ContractId, Locator } from "../kernel/index.ts";
import { type Cell, databaseNowText, inBatches, type Queryable, type Row } from "../storage/index.ts";
import { hitsMax, type Load, type Loaded, type LoadedRecord, type Question } from "./load.ts";

const batchLimits = { batchMax: 16, underWayMax: 2 };

interface LocatorQuestion extends Question {
  readonly find: { readonly locator: Locator };
}

export function createVaultLoad(database: Queryable): Load {
  const reads = new Map<ContractId, (question: LocatorQuestion) => Promise<Loaded>>();
  const readsOf = (contract: ContractId) => {
    const known = reads.get(contract);
    if (known) return known;
    const made = inBatches<LocatorQuestion, Loaded>(
      (questions) => readByLocator(database, contract, questions),
      batchLimits,
      () => reads.delete(contract),
    );
    reads.set(contract, made);
    return made;
  };
  return async (question) => {
    const { contract, issuer, subject, type, find } = question;
    if (!find) return readRows(await database.query(standingText, [contract, issuer, subject]));
    if ("locator" in find) return readsOf(contract)({ ...question, find });
    return readRows(await database.query(byIndexText, [contract, issuer, subject, type, find.field, find.indexValue]));
  };
}

async function readByLocator(database: Queryable, contract: ContractId, questions: readonly LocatorQuestion[]): Promise<Loaded[]> {
  const asked = questions.map(({ issuer, subject, type, find }, n) => ({ n, issuer, subject, type, locator: find.locator }));
  const rows = await database.query(byLocatorText, [contract, JSON.stringify(asked)]);
  const answered = new Map(rows.map((row) => [row.at(-1), row]));
  const common = answered.get(0)?.slice(0, commonColumns) ?? [];
  return questions.map((_, n) => readRows([[...common, ...(answered.get(n)?.slice(commonColumns) ?? [])]]));
}

/** Of the contract: the same for every question of a statement. */
const common = [
  databaseNowText,
  "c.state",
  "(extract(epoch from c.starts_at) * 1000)::float8",
  "(extract(epoch from c.ends_at) * 1000)::float8",
  "c.merchant",
  "c.bundle_digest",
  "coalesce((select max(e.epoch) from postern.key_epoch e where e.contract_id = $1), 0)",
];
const commonColumns = common.length;
const standing = `${common.join(", ")}, s.role`;
const from = `from (select 1) one
  left join postern.contract c on c.contract_id = $1
  left join postern.seat s on s.contract_id = c.contract_id and s.issuer = $2 and s.subject = $3`;
const record = "r.locator, r.subject, r.version, r.level0, r.level1, r.level2, r.level3, k.epoch, k.wrapped";
// Names and keys carry no statistics, so the planner takes them for common values and would rather read whole tables.
// `limit 1` of a unique key changes no row and leaves it only the index.
const recordNamed = (type: string, locator: string) => `left join lateral (select * from postern.record r
    where r.contract_id = c.contract_id and r.type = ${type} and r.locator = ${locator} limit 1) r on true
  left join lateral (select * from postern.subject_key k where k.contract_id = r.contract_id and k.subject = r.subject limit 1) k on true`;

const standingText = `select ${standing} ${from}`;
const byLocatorText = `select ${common.map((column) => `case when q.n = 0 then ${column} end`).join(", ")}, s.role, ${record}, q.n
  from jsonb_to_recordset($2::text::jsonb) as q(n int, issuer text, subject text, type text, locator text)
  left join postern.contract c on c.contract_id = $1
  left join lateral (select * from postern.seat s
    where s.contract_id = c.contract_id and s.issuer = q.issuer and s.subject = q.subject limit 1) s on true
  ${recordNamed("q.type", "q.locator")}`;
const byIndexText = `select ${standing}, ${record} ${from}
  left join lateral (select b.locator from postern.blind_index b
    where b.contract_id = c.contract_id and b.type = $4 and b.field = $5 and b.value = $6 order by b.locator limit ${hitsMax + 1}) hit on true
  ${recordNamed("$4", "hit.locator")}`;

function readRows(rows: readonly Row[]): Loaded {
  const [now, state, startsAt, endsAt, merchant, bundleDigest, epoch, role] = rows[0] ?? [];
  if (typeof now !== "number") throw new Error("the vault answered no row");
  return {
    now,
    contract:
      state === null
        ? null
        : {
            state: String(state) as ContractState,
            startsAt: Number(startsAt),
            endsAt: Number(endsAt),
            merchant: String(merchant),
            bundleDigest: String(bundleDigest),
            epoch: Number(epoch),
          },
    role: typeof role === "string" ? role : null,
    records: rows.flatMap((row) => (typeof row[8] === "string" ? [readRecord(row.slice(8))] : [])),
  };
}

function readRecord([locator, subject, version, level0, level1, level2, level3, epoch, wrapped]: readonly Cell[]): LoadedRecord {
  return {
    locator: String(locator) as Locator,
    subject: String(subject),
    version: Number(version),
    levels: [level0, level1, level2, level3].map((level) => (level instanceof Uint8Array ? level : null)),
    subjectKey: wrapped instanceof Uint8Array ? { epoch: Number(epoch), wrapped } : null,
  };
}
