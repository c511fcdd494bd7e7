/** A contract's log of any length, put into the database as the writer and the sequencer would have left it, without their signatures. */
import { encodeEntries } from "../../src/audit/tiles.ts";
import { utf8 } from "../../src/crypto/index.ts";
import { canonicalJson } from "../../src/kernel/index.ts";
import type { Database } from "../../src/storage/index.ts";

const flushEntries = 256;

/** Appends so many flushes of 256 reads each to the log `c-test`; answers how many entries it then has. */
export async function lengthenLog(owner: Database, flushes: number): Promise<number> {
  const [row] = await owner.query("select size::int from audit.log where log = 'c-test'");
  const size = Number(row?.[0]);
  const entries = encodeEntries(Array.from({ length: flushEntries }, (_, i) => utf8(entryText(i))));
  await owner.query(
    `insert into audit.flush (log, flush_id, head, entries)
     select 'c-test', 'long-' || lpad(n::text, 8, '0'), 'unsigned', $2 from generate_series(0, $1::int - 1) n`,
    [flushes, entries],
  );
  await owner.query(
    `insert into audit.seq (log, index, flush_id, leaf_hashes)
     select 'c-test', $2::int + n * ${flushEntries}, 'long-' || lpad(n::text, 8, '0'), decode(repeat('00', 32 * ${flushEntries}), 'hex')
     from generate_series(0, $1::int - 1) n`,
    [flushes, size],
  );
  await owner.query(
    `insert into audit.search (log, index, time, event, effect, actor, purpose)
     select 'c-test', $2::int + n, now(), 'record.read', case n % 1000 when 0 then 'deny' else 'allow' end, 'system', 'after_sales'
     from generate_series(0, $1::int * ${flushEntries} - 1) n`,
    [flushes, size],
  );
  await owner.query("update audit.log set size = $1 where log = 'c-test'", [size + flushes * flushEntries]);
  return size + flushes * flushEntries;
}

function entryText(n: number): string {
  return canonicalJson({
    actor: { id: "system", role: "system" },
    event: "record.read",
    id: `019aaaaa-aaaa-7aaa-aaaa-${n.toString(16).padStart(12, "0")}`,
    log: "test/postern/c-test",
    outcome: { code: "masked", effect: "allow" },
    reason: { purpose: "after_sales" },
    request: { id: `r-${n}`, route: "GET /v1/contracts/{contract}/records/{type}/{locator}" },
    resource: { fields: { city: "reveal", name: "mask", phone: "mask" }, records: [{ locator: `r_${"a".repeat(26)}` }], type: "customer" },
    time: "2026-11-27T03:49:37.738Z",
    v: 1,
    writer: { id: `w_${"a".repeat(16)}`, n },
  });
}
