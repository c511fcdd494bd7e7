/**
 * Share B in a second Postgres, for several nodes and for Workers. That database must keep no history: no WAL archive, no backups, no replicas with delay.
 */
import type { Database } from "../storage/index.ts";
import { KeysUnavailable, type ShareStore } from "./ports.ts";

/** Run once by the owner of the second database. A row of epoch 0 has no share: it is the contract's tombstone. */
export const shareStoreSchema = `create table if not exists postern_share (
  contract_id text not null,
  epoch int not null,
  share bytea,
  buried_at timestamptz,
  primary key (contract_id, epoch)
);
alter table postern_share alter share set statistics 0;`;

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
    async bury(contract) {
      await run(
        "insert into postern_share (contract_id, epoch, buried_at) values ($1, 0, now()) on conflict (contract_id, epoch) do nothing",
        [contract],
      );
    },
    async buried() {
      const iso = "to_char(buried_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
      const rows = await run(`select contract_id, ${iso}, now() from postern_share where epoch = 0`, []);
      return new Map(rows.map(([contract, at]) => [String(contract), String(at)]));
    },
  };
}
