/** What a stolen credential of the edge, the directory or the keeper can do to the database itself, on a real Postgres. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../src/storage/index.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";

const denied = { sqlState: "42501" };
let server: PostgresDatabase;
let owner: Database;
let edge: Database;
let directory: Database;
let keeper: Database;

beforeAll(async () => {
  server = await createPostgresDatabase();
  owner = openTestPool(server.ownerUrl);
  edge = openTestPool(server.edgeUrl);
  directory = openTestPool(server.directoryUrl);
  keeper = openTestPool(server.keeperUrl);
  await owner.script(`
    insert into audit.log values ('l', 'o', 'open', 0, '', '');
    insert into audit.flush values ('l', 'e0', '', '');
    insert into audit.seq values ('l', 0, 'e0', '');
    insert into audit.subtree values ('l', 0, '');
    insert into audit.checkpoint values ('l', 1, 'note');`);
});

afterAll(async () => {
  await Promise.all([owner, edge, directory, keeper].map((database) => database.close()));
  await server.drop();
});

describe("the edge", () => {
  it("writes an entry and its place in the line, and sees whether a log is open", async () => {
    await edge.query("insert into audit.flush values ('l', 'e1', '', '')");
    await edge.query("insert into audit.pending values ('l', 'e1')");
    expect(await edge.query("select log, origin, state from audit.log where log = 'l'")).toEqual([["l", "o", "open"]]);
  });

  it.each(["flush", "seq", "subtree", "checkpoint", "cosignature", "search", "search_fields", "search_subject"])(
    "cannot read audit.%s",
    async (table) => {
      await expect(edge.query(`select from audit.${table}`)).rejects.toMatchObject(denied);
    },
  );

  it("cannot read a log's size or root, nor the sequencer's seal", async () => {
    await expect(edge.query("select size, root from audit.log")).rejects.toMatchObject(denied);
    await expect(edge.query("select seal from audit.upkeep")).rejects.toMatchObject(denied);
  });

  it("sees how far a log is numbered and the names of what waits, and nothing of what that holds", async () => {
    await edge.query("select log, numbered_until, halted from audit.upkeep");
    await edge.query("select log, flush_id from audit.pending");
  });

  it.each(["flush", "pending", "seq", "subtree", "checkpoint", "cosignature", "upkeep", "log"])(
    "cannot change, delete or empty audit.%s",
    async (table) => {
      await expect(edge.query(`update audit.${table} set log = 'x'`)).rejects.toMatchObject(denied);
      await expect(edge.query(`delete from audit.${table}`)).rejects.toMatchObject(denied);
      await expect(edge.query(`truncate audit.${table}`)).rejects.toMatchObject(denied);
    },
  );

  it.each(["seq", "subtree", "checkpoint", "cosignature", "upkeep", "log"])("cannot add to audit.%s", async (table) => {
    await expect(edge.query(`insert into audit.${table} select * from audit.${table}`)).rejects.toMatchObject(denied);
  });

  it.each(["contract", "bundle", "seat", "record", "blind_index", "key_epoch", "contract_key", "subject_key"])(
    "reads postern.%s and writes nothing there",
    async (table) => {
      await edge.query(`select from postern.${table}`);
      await expect(edge.query(`delete from postern.${table}`)).rejects.toMatchObject(denied);
      await expect(edge.query(`update postern.${table} set contract_id = 'x'`)).rejects.toMatchObject(denied);
      await expect(edge.query(`insert into postern.${table} select * from postern.${table}`)).rejects.toMatchObject(denied);
      await expect(edge.query(`truncate postern.${table} cascade`)).rejects.toMatchObject(denied);
    },
  );

  it("hands on a customer's request, and reads none", async () => {
    const values = "values ('c-none', 'r', 'access', 'customer', 'r_a', 'r_a', null, now(), now())";
    const noSuchContract = { sqlState: "23503" };
    await expect(edge.query(`insert into postern.subject_request ${values}`)).rejects.toMatchObject(noSuchContract);
    for (const act of ["select from", "delete from", "truncate"])
      await expect(edge.query(`${act} postern.subject_request`)).rejects.toMatchObject(denied);
    await expect(edge.query("update postern.subject_request set outcome = 'done'")).rejects.toMatchObject(denied);
  });

  it.each(["approval", "purge_job", "certificate"])("does not see postern.%s", async (table) => {
    await expect(edge.query(`select from postern.${table}`)).rejects.toMatchObject(denied);
  });
});

describe("the directory", () => {
  it("writes seats and entries, and holds a contract as it is while it does", async () => {
    await directory.query("insert into audit.flush values ('l', 'd1', '', '')");
    await directory.query("insert into audit.pending values ('l', 'd1')");
    await directory.query("select postern.share_contract('c-none')");
    await expect(directory.query("insert into postern.seat values ('c-none', 'i', 's', 'r', 'n', 's')")).rejects.toMatchObject({
      sqlState: "23503",
    });
    await directory.query("update postern.seat set role = 'r'");
  });

  it.each(["record", "blind_index", "subject_key", "subject_request", "approval", "purge_job", "certificate"])(
    "does not see postern.%s",
    async (table) => {
      await expect(directory.query(`select from postern.${table}`)).rejects.toMatchObject(denied);
    },
  );

  it.each(["contract", "bundle", "key_epoch", "contract_key", "audit_key"])("reads postern.%s and writes nothing there", async (table) => {
    const [column] =
      (await owner.query("select attname from pg_attribute where attrelid = $1::text::regclass and attnum = 1", [`postern.${table}`]))[0] ??
      [];
    await directory.query(`select from postern.${table}`);
    await expect(directory.query(`select from postern.${table} for share`)).rejects.toMatchObject(denied);
    await expect(directory.query(`delete from postern.${table}`)).rejects.toMatchObject(denied);
    await expect(directory.query(`update postern.${table} set ${column} = 'x'`)).rejects.toMatchObject(denied);
    await expect(directory.query(`insert into postern.${table} select * from postern.${table}`)).rejects.toMatchObject(denied);
  });

  it("sees of erasures and deletions by age that there are any, and nothing of them", async () => {
    for (const table of ["erasure", "partial_purge"]) {
      await directory.query(`select job_id from postern.${table}`);
      await expect(directory.query(`select * from postern.${table}`)).rejects.toMatchObject(denied);
    }
  });

  it("takes no seat away, and sees of a hold that it stands, not why", async () => {
    await expect(directory.query("delete from postern.seat")).rejects.toMatchObject(denied);
    await expect(directory.query("select note from postern.hold")).rejects.toMatchObject(denied);
  });

  it.each(["flush", "seq", "subtree", "checkpoint", "cosignature", "search", "search_fields", "search_subject"])(
    "neither reads nor changes audit.%s",
    async (table) => {
      for (const act of ["select from", "delete from", "truncate"])
        await expect(directory.query(`${act} audit.${table}`)).rejects.toMatchObject(denied);
    },
  );
});

describe("the keeper", () => {
  it("appends to the log and its tree, and moves its head", async () => {
    await keeper.transaction(async (tx) => {
      await tx.query("insert into audit.flush values ('l', 'k1', '', '')");
      await tx.query("insert into audit.pending values ('l', 'k1')");
      await tx.query("insert into audit.seq values ('l', 1, 'k1', '')");
      await tx.query("insert into audit.checkpoint values ('l', 2, 'note')");
      await tx.query("update audit.log set size = 2 where log = 'l'");
      await tx.query("delete from audit.pending where flush_id = 'k1'");
    });
  });

  it.each(["flush", "seq", "subtree", "checkpoint", "cosignature"])("cannot change, delete or empty audit.%s", async (table) => {
    await expect(keeper.query(`update audit.${table} set log = 'x'`)).rejects.toMatchObject(denied);
    await expect(keeper.query(`delete from audit.${table}`)).rejects.toMatchObject(denied);
    await expect(keeper.query(`truncate audit.${table}`)).rejects.toMatchObject(denied);
  });

  it("has no DDL and no TRUNCATE", async () => {
    await expect(keeper.query("truncate postern.contract cascade")).rejects.toMatchObject(denied);
    await expect(keeper.query("create table postern.mine (n int)")).rejects.toMatchObject(denied);
    await expect(keeper.query("alter table audit.flush disable trigger append_only")).rejects.toMatchObject(denied);
  });
});

describe("even the owner", () => {
  it.each(["flush", "seq", "subtree", "checkpoint", "cosignature"])(
    "is stopped by a trigger on audit.%s, in replica mode too",
    async (table) => {
      for (const statement of [`update audit.${table} set log = 'x'`, `delete from audit.${table}`, `truncate audit.${table}`]) {
        await expect(owner.query(statement)).rejects.toMatchObject(denied);
        const replica = owner.transaction(async (tx) => {
          await tx.query("set local session_replication_role = replica");
          await tx.query(statement);
        });
        await expect(replica).rejects.toMatchObject(denied);
      }
    },
  );
});

describe("the roles", () => {
  it("carry their timeouts and durable commits by themselves, and no password", async () => {
    const settings = async (database: Database) =>
      (
        await database.query(
          "select current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'), current_setting('synchronous_commit')",
        )
      )[0];
    expect(await settings(edge)).toEqual(["5s", "10s", "on"]);
    expect(await settings(directory)).toEqual(["20s", "20s", "on"]);
    expect(await settings(keeper)).toEqual(["1min", "1min", "on"]);
    expect(
      await owner.query(
        "select rolname from pg_authid where rolname like 'postern%' and (rolpassword is not null or rolsuper or rolbypassrls or rolcreatedb or rolcreaterole)",
      ),
    ).toEqual([]);
  });
});

describe("columns of ciphers, indexes and keys", () => {
  const keyed = `values ('postern.key_epoch.share_a'), ('postern.contract_key.wrapped'), ('postern.subject_key.subject'), ('postern.subject_key.wrapped'),
    ('postern.audit_key.wrapped'), ('postern.record.locator'), ('postern.record.subject'), ('postern.record.level0'), ('postern.record.level1'),
    ('postern.record.level2'), ('postern.record.level3'), ('postern.blind_index.value'), ('postern.blind_index.locator'), ('audit.flush.entries'),
    ('audit.search.actor'), ('audit.search_subject.subject')`;

  it("leave nothing in the statistics, which outlive DELETE", async () => {
    await owner.script(`
      insert into postern.contract values ('c', 'm', 'v', 'draft', now(), now() + interval '1 day', now() + interval '2 days', 'd');
      insert into postern.record select 'c', 't', 'CANARY-LOCATOR' || g, 'CANARY-SUBJECT', 1, 'CANARY0', 'CANARY1', 'CANARY2', 'CANARY3' from generate_series(1, 500) g;
      insert into postern.blind_index select 'c', 't', 'phone', 'CANARYVALUE', 'CANARY-LOCATOR' || g, 1 from generate_series(1, 500) g;
      insert into postern.subject_key select 'c', 'CANARY-SUBJECT' || g, 1, 'CANARYKEY' from generate_series(1, 500) g;
      analyze postern.record; analyze postern.blind_index; analyze postern.subject_key;`);
    const rows = await owner.query(
      "select schemaname || '.' || tablename || '.' || attname, most_common_vals::text || histogram_bounds::text from pg_stats where schemaname in ('postern', 'audit')",
    );
    expect(rows.map(([column]) => column)).toContain("postern.record.type");
    expect(
      rows.filter(([column]) => ["locator", "subject", "value", "wrapped", "level0"].includes(String(column).split(".")[2] ?? "")),
    ).toEqual([]);
    expect(JSON.stringify(await owner.query("select pg_stats::text from pg_stats where schemaname in ('postern', 'audit')"))).not.toContain(
      "CANARY",
    );
  });

  it("are all set so", async () => {
    const rows = await owner.query(`select k.name from (${keyed}) k(name)
      join pg_attribute a on a.attrelid = (split_part(k.name, '.', 1) || '.' || split_part(k.name, '.', 2))::regclass and a.attname = split_part(k.name, '.', 3)
      where a.attstattarget is distinct from 0`);
    expect(rows).toEqual([]);
  });
});
