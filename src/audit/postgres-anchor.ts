/**
 * The anchor in a second Postgres, for several nodes and for Workers: the one of the key shares, which is restored from no backup.
 * Any number of keepers may share it: a row moves forward only.
 */
import type { Database } from "../storage/index.ts";
import type { Anchor } from "./anchor.ts";
import { formatAnchor, parseAnchor } from "./anchor-text.ts";
import { readOrigin } from "./epoch.ts";

/** Run once by the owner of the second database. */
export const anchorSchema = `create table if not exists postern_anchor (
  log text primary key,
  epoch int not null,
  size bigint not null,
  head text not null
);`;

export function createPostgresAnchor(database: Database): Anchor {
  return {
    async read(log) {
      const [row] = await database.query("select head, now() from postern_anchor where log = $1", [log]);
      return row ? parseAnchor(String(row[0])) : null;
    },
    async logs() {
      return (await database.query("select log, now() from postern_anchor order by log")).map(([log]) => String(log));
    },
    async advance(log, head) {
      await database.query(advanceText, [log, readOrigin(head.origin).epoch, head.range.size, formatAnchor(head)]);
    },
  };
}

const advanceText = `insert into postern_anchor (log, epoch, size, head) values ($1, $2, $3, $4)
  on conflict (log) do update set epoch = excluded.epoch, size = excluded.size, head = excluded.head
  where (postern_anchor.epoch, postern_anchor.size) < (excluded.epoch, excluded.size)`;
