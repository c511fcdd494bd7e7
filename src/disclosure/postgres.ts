/**
 * The vault: one statement returns the clock, the contract's standing, the seat, the sealed records and their wrapped keys.
 * It always answers at least one row, so that a missing contract costs what a present one costs.
 */
import type { ContractState } from "../contracts/index.ts";
import type { Locator } from "../kernel/index.ts";
import { type Cell, databaseNowText, type Queryable, type Row } from "../storage/index.ts";
import { type Find, hitsMax, type Load, type Loaded, type LoadedRecord } from "./load.ts";

export function createVaultLoad(database: Queryable): Load {
  return async ({ contract, issuer, subject, type, find }) => {
    const base = [contract, issuer, subject];
    const rows = await database.query(textOf(find), find ? [...base, type, ...findParams(find)] : base);
    return readRows(rows);
  };
}

function textOf(find: Find): string {
  if (!find) return standingText;
  return "locator" in find ? byLocatorText : byIndexText;
}

function findParams(find: NonNullable<Find>): (string | Uint8Array)[] {
  return "locator" in find ? [find.locator] : [find.field, find.indexValue];
}

const standing = `${databaseNowText}, c.state, (extract(epoch from c.starts_at) * 1000)::float8, (extract(epoch from c.ends_at) * 1000)::float8,
  c.merchant, c.bundle_digest, coalesce((select max(e.epoch) from postern.key_epoch e where e.contract_id = c.contract_id), 0), s.role`;
const from = `from (select 1) one
  left join postern.contract c on c.contract_id = $1
  left join postern.seat s on s.contract_id = c.contract_id and s.issuer = $2 and s.subject = $3`;
const record = "r.locator, r.subject, r.version, r.level0, r.level1, r.level2, r.level3, k.epoch, k.wrapped";
// Names and keys carry no statistics, so the planner takes them for common values and would rather read whole tables.
// `limit 1` of a unique key changes no row and leaves it only the index.
const recordNamed = (locator: string) => `left join lateral (select * from postern.record r
    where r.contract_id = c.contract_id and r.type = $4 and r.locator = ${locator} limit 1) r on true
  left join lateral (select * from postern.subject_key k where k.contract_id = r.contract_id and k.subject = r.subject limit 1) k on true`;

const standingText = `select ${standing} ${from}`;
const byLocatorText = `select ${standing}, ${record} ${from} ${recordNamed("$5")}`;
const byIndexText = `select ${standing}, ${record} ${from}
  left join lateral (select b.locator from postern.blind_index b
    where b.contract_id = c.contract_id and b.type = $4 and b.field = $5 and b.value = $6 order by b.locator limit ${hitsMax + 1}) hit on true
  ${recordNamed("hit.locator")}`;

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
