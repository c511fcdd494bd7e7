/**
 * Share B in a second Postgres, for several nodes and for Workers. That database must keep no history: no WAL archive, no backups, no replicas with delay.
 */

import type { ContractId } from "../kernel/index.ts";
import type { Database, Queryable } from "../storage/index.ts";
import { KeysUnavailable, type ShareStore } from "./ports.ts";

/** Run once by the owner of the second database. A row of epoch 0 has no share: it is the contract's tombstone. */
export const shareStoreSchema = `create table if not exists postern_share (
  contract_id text not null,
  epoch int not null,
  share bytea,
  buried_at timestamptz,
  primary key (contract_id, epoch)
);
create table if not exists postern_deletion (
  contract_id text not null,
  job_id text not null,
  what text not null,
  primary key (contract_id, job_id)
);
alter table postern_share alter share set statistics 0;
alter table postern_deletion alter what set statistics 0;`;

/** The first of its tables that is not there; `null` = all are. */
export async function missingShareTable(database: Queryable): Promise<string | null> {
  const [row] = await database.query("select to_regclass('postern_share')::text, to_regclass('postern_deletion')::text, now()");
  return ["postern_share", "postern_deletion"].find((_, place) => typeof row?.[place] !== "string") ?? null;
}

export function createPostgresShareStore(database: Database): ShareStore {
  const run = async (text: string, params: (string | number | Uint8Array)[]) => {
    try {
      return await database.query(text, params);
    } catch (error) {
      throw new KeysUnavailable("the share database does not answer", error);
    }
  };
  return {
    async put(contract, epoch, share) {
      const text = `insert into postern_share (contract_id, epoch, share)
        select $1::text, $2::int, $3::bytea where not exists (select from postern_share where contract_id = $1 and epoch = 0)
        on conflict (contract_id, epoch) do update set share = excluded.share returning epoch`;
      const written = await run(text, [contract, epoch, share]);
      if (written.length === 0) throw new KeysUnavailable("the id of a purged contract is never used again");
    },
    async get(contract, epoch) {
      const rows = await run("select share, now() from postern_share where contract_id = $1 and epoch = $2", [contract, epoch]);
      const share = rows[0]?.[0];
      return share instanceof Uint8Array ? share : null;
    },
    async destroy(contract, epoch) {
      await run("delete from postern_share where contract_id = $1 and epoch = $2", [contract, epoch]);
    },
    async note({ contract, job, what }) {
      const text = "insert into postern_deletion (contract_id, job_id, what) values ($1, $2, $3) on conflict do nothing";
      await run(text, [contract, job, what]);
    },
    async deletions() {
      const rows = await run("select contract_id, job_id, what, now() from postern_deletion order by job_id", []);
      return rows.map(([contract, job, what]) => ({ contract: String(contract) as ContractId, job: String(job), what: String(what) }));
    },
    async bury(contract) {
      await run(
        "insert into postern_share (contract_id, epoch, buried_at) values ($1, 0, now()) on conflict (contract_id, epoch) do nothing",
        [contract],
      );
      await run("delete from postern_deletion where contract_id = $1", [contract]);
    },
    async buried() {
      const iso = "to_char(buried_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
      const rows = await run(`select contract_id, ${iso}, now() from postern_share where epoch = 0`, []);
      return new Map(rows.map(([contract, at]) => [String(contract), String(at)]));
    },
  };
}
