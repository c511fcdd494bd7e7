/**
 * Whoever steals everything that the edge holds (its database role, its writer key, the root key) tries everything with it, on a real Postgres:
 * the log stays unread and unaltered, no checkpoint or certificate of theirs is believed, and they cannot migrate.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatCheckpoint, peekCheckpoint, signCheckpoint } from "../src/audit/checkpoint.ts";
import type { Trust } from "../src/audit/index.ts";
import { member } from "../src/audit/manifest.ts";
import { formatVkey, noteKey, signNote } from "../src/audit/note.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { checkDatabase } from "../src/cli/doctor-databases.ts";
import { fromUtf8, type Signer, signJws, utf8, verifySignature } from "../src/crypto/index.ts";
import { createSpentProofs } from "../src/identity/postgres.ts";
import { certificateTyp } from "../src/purge/certificate-document.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { migrate } from "../src/storage/index.ts";
import { readMigrations } from "../src/storage/node-migrations.ts";
import { expectStatus, importLines } from "./support/agreement.ts";
import { bundleOf, type Members, membersOf } from "./support/bundle.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, readMany, verifyLog } from "./support/log-gateway.ts";
import { allowedOf, attempt, denied, everything, ourTables, type Table } from "./support/thief.ts";

/** What a read needs. `null`: every column. Whatever is not here the edge does not see. */
const readable: Readonly<Record<string, readonly string[] | null>> = {
  "postern.contract": null,
  "postern.bundle": null,
  "postern.connector": null,
  "postern.revocation": ["kind", "issuer", "name"],
  "postern.scim_user": ["vendor", "issuer", "subject", "active"],
  "postern.spent_proof": ["proof"],
  "postern.break_glass": "contract_id approval_id seat_issuer seat_subject purpose subject expires_at closed_at".split(" "),
  "postern.seat": null,
  "postern.seat_use": null,
  "postern.seat_miss": null,
  "postern.upstream_answer": null,
  "postern.upstream_write": null,
  "postern.record": null,
  "postern.blind_index": null,
  "postern.key_epoch": null,
  "postern.contract_key": null,
  "postern.subject_key": null,
  "postern.audit_key": null,
  "audit.log": ["log", "origin", "state"],
  // Whether an entry waits too long: how far the numbering is, and what waits.
  "audit.upkeep": ["log", "numbered_until", "halted"],
  "audit.pending": null,
  // Whether a restored database is older than an erasure or a deletion by age: the names of the jobs.
  "postern.erasure": ["contract_id", "job_id"],
  "postern.partial_purge": ["contract_id", "job_id"],
  "public.postern_migration": null,
};
/** The log's intake, credentials that an upstream refused, uses of seats, what they ask for in vain, proofs, and what customers ask: all that it adds to. */
const named = (schema: string, ...names: readonly string[]) => names.map((name) => `${schema}.${name}`);
const intake = [
  ...named("audit", "flush", "pending"),
  ...named("postern", "connector_refusal", "seat_miss", "seat_use", "spent_proof", "subject_request", "upstream_answer", "upstream_write"),
];

let world: LogGateway;
let tables: Table[];
let trust: Trust;
let before: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  world = await createLogGateway();
  trust = await agreeOnTrust(world.gateway);
  await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  await readMany(world.gateway, 8);
  tables = await ourTables(world.owner);
  before = await everything(world.owner);
});
afterAll(() => world?.close());

/** What each attempt below is measured by in the end: whatever the server answered, nothing of ours is other than it was. */
async function expectNothingChanged(): Promise<void> {
  expect(await everything(world.owner)).toEqual(before);
}

describe("a thief of the edge's database role", () => {
  it("reads what a read needs, column by column, and nothing else", async () => {
    const columns = tables.flatMap(({ name, columns }) => columns.map((column) => ({ name, column })));
    const open = await allowedOf(
      world.edge,
      columns.map(({ name, column }) => `select ${column} from ${name} limit 0`),
    );
    const expected = columns.filter(({ name, column }) => readable[name] === null || readable[name]?.includes(column));
    expect(open).toEqual(expected.map(({ name, column }) => `done: select ${column} from ${name} limit 0`));
    expect(expected.length).toBeLessThan(columns.length);
  });

  it("adds to the log's intake, to uses of seats, proofs that were shown and what customers ask, and to nothing else", async () => {
    const statements = tables.map(({ name }) => `insert into ${name} default values`);
    const notNull = "23502";
    expect(await allowedOf(world.edge, statements)).toEqual(intake.map((name) => `${notNull}: insert into ${name} default values`));
    await expectNothingChanged();
  });

  it("changes, deletes, empties and locks nothing", async () => {
    const statements = tables.flatMap(({ name, columns }) => [
      ...columns.map((column) => `update ${name} set ${column} = ${column}`),
      ...["", " where false"].map((where) => `delete from ${name}${where}`),
      `truncate ${name} cascade`,
      `select from ${name} for update`,
      `select from ${name} for key share`,
      `merge into ${name} t using (select 1) s on true when matched then delete`,
      ...["access exclusive", "exclusive", "share row exclusive", "share"].map(
        (mode) => `do $$ begin lock table ${name} in ${mode} mode; end $$`,
      ),
    ]);
    expect(await allowedOf(world.edge, statements)).toEqual([]);
    await expectNothingChanged();
  });

  it("cannot define, replace, disarm or drop anything", async () => {
    const perTable = tables.flatMap(({ name }) => [
      `alter table ${name} disable trigger all`,
      `alter table ${name} owner to postern_edge`,
      `alter table ${name} add column mine int`,
      `alter table ${name} enable row level security`,
      `alter table ${name} rename to mine`,
      `create trigger mine before insert on ${name} for each row execute function suppress_redundant_updates_trigger()`,
      `create rule mine as on insert to ${name} do instead nothing`,
      `create index mine on ${name} ((1))`,
      `create policy mine on ${name} using (true)`,
      `comment on table ${name} is 'mine'`,
      `drop table ${name} cascade`,
    ]);
    const others = [
      ...["postern", "audit", "public"].flatMap((schema) => [
        `create table ${schema}.mine (n int)`,
        `create view ${schema}.mine as select 1`,
        `create function ${schema}.mine() returns int language sql as 'select 1'`,
        `drop schema ${schema} cascade`,
        `alter schema ${schema} owner to postern_edge`,
        `grant all on schema ${schema} to postern_edge with grant option`,
      ]),
      "create or replace function audit.refuse_change() returns trigger language plpgsql as 'begin return new; end'",
      "drop function audit.refuse_change cascade",
      "drop trigger append_only on audit.checkpoint",
      "create schema mine",
      "create event trigger mine on ddl_command_start execute function audit.refuse_change()",
      "create publication mine for all tables",
      "create foreign data wrapper mine",
      "reassign owned by postgres to postern_edge",
      "drop owned by postern_keeper",
    ];
    // Against a grant that one does not hold, Postgres answers with a warning: what counts is what is granted afterwards.
    const notRefused = (await allowedOf(world.edge, [...perTable, ...others])).filter((line) => !line.startsWith("done: grant "));
    expect(notRefused).toEqual([]);
    await expectNothingChanged();
  });

  it("cannot grant itself anything, or become anybody", async () => {
    for (const { name } of tables) await attempt(world.edge, `grant all on ${name} to postern_edge`);
    await attempt(world.edge, "alter default privileges grant all on tables to postern_edge");
    const ours = ["keeper", "directory", "sequencer", "reader"].map((name) => `postern_${name}`);
    const roles = [...ours, "postgres", "pg_read_all_data", "pg_write_all_data"];
    const statements = [
      ...roles.flatMap((role) => [`set role ${role}`, `grant ${role} to postern_edge`]),
      ...["postern_keeper", "postgres"].flatMap((role) => [
        `set session authorization ${role}`,
        `alter role ${role} password 'mine'`,
        `alter role ${role} set synchronous_commit = off`,
        `alter role ${role} nologin`,
      ]),
      ...["superuser", "createrole", "createdb", "replication", "bypassrls"].map((power) => `alter role postern_edge ${power}`),
      "create role mine",
      "drop role postern_reader",
      "create database mine",
      "set session_replication_role = replica",
      "set local session_replication_role = replica",
      "alter system set fsync = off",
    ];
    expect(await allowedOf(world.edge, statements)).toEqual([]);
    await expectNothingChanged();
  });

  it("cannot reach the server's files, other people's sessions, or the stream of changes", async () => {
    const [pid] = (await world.keeper.query("select pg_backend_pid()"))[0] ?? [];
    const statements = [
      ...["pg_authid", "pg_statistic", "pg_largeobject", "pg_user_mapping", "pg_hba_file_rules"].map((name) => `select * from ${name}`),
      "select pg_read_file('postgresql.conf')",
      "select pg_read_binary_file('global/pg_control')",
      "select pg_ls_dir('.')",
      "select pg_stat_file('postgresql.conf')",
      "select lo_import('/etc/passwd')",
      "select lo_export(0, 'mine')",
      "copy (select 1) to '/dev/null'",
      "copy (select 1) to program 'cat'",
      ...tables.filter(({ name }) => name.startsWith("audit.") && readable[name] !== null).map(({ name }) => `copy ${name} to stdout`),
      `select pg_terminate_backend(${Number(pid)})`,
      `select pg_cancel_backend(${Number(pid)})`,
      "select pg_create_physical_replication_slot('mine')",
      "select pg_create_logical_replication_slot('mine', 'test_decoding')",
      "select pg_switch_wal()",
      "select pg_reload_conf()",
      "load 'auto_explain'",
    ];
    expect(await allowedOf(world.edge, statements)).toEqual([]);
    const [seen] = await world.edge.query("select string_agg(distinct query, ',') from pg_stat_activity where usename = 'postern_keeper'");
    expect(seen).toEqual(["<insufficient privilege>"]);
    await expectNothingChanged();
  });

  it("finds no function and no view of ours that would act with another's rights, and may not call the keeper's", async () => {
    const rows = await world.owner.query(`
      select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where prosecdef and has_function_privilege('postern_edge', p.oid, 'execute') and nspname !~ '^pg_|information_schema'
      union all select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where relkind in ('v', 'm') and nspname in ('postern', 'audit', 'public')`);
    expect(rows).toEqual([]);
    expect(await attempt(world.edge, "select audit.prune('c-test')")).toBe(denied);
  });

  it("cannot migrate, neither forwards nor what was applied", async () => {
    const later = { number: 9999, name: "9999-mine.sql", text: "alter table audit.checkpoint disable trigger append_only;" };
    await expect(migrate(world.edge, [...readMigrations(), later])).rejects.toMatchObject({ cause: { sqlState: denied } });
    await expect(migrate(world.edge, readMigrations())).rejects.toMatchObject({ cause: { sqlState: denied } });
    await expectNothingChanged();
  });

  it("can make its own commits forgetful, which Postgres lets every role do to itself; the doctor notices", async () => {
    expect(await checkDatabase(world.urls.edgeUrl, "postern_edge")).toMatchObject({ ok: expect.stringContaining("postern_edge") });
    const [name] = (await world.owner.query("select current_database()::text"))[0] ?? [];
    await world.edge.query(`alter role postern_edge in database ${String(name)} set synchronous_commit = off`);
    expect(await checkDatabase(world.urls.edgeUrl, "postern_edge")).toMatchObject({
      failing: expect.stringContaining("synchronous_commit is off"),
    });
    await world.edge.query(`alter role postern_edge in database ${String(name)} reset synchronous_commit`);
    expect(await checkDatabase(world.urls.edgeUrl, "postern_edge")).toMatchObject({ ok: expect.anything() });
  });

  it("leaves a log that verifies, and a gateway that goes on", async () => {
    await readMany(world.gateway, 2);
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, keys: "pinned", problems: [] });
  });
});

describe("a thief of the edge's keys", () => {
  let bundle: Members;
  beforeAll(async () => {
    bundle = await exported();
  });

  it("signs no checkpoint that a reader with the trust file believes", async () => {
    expect(await problemsOf(bundle)).toEqual([]);
    const checkpoint = peekCheckpoint(fromUtf8(bundle.get(member.checkpoint) ?? new Uint8Array()));
    if (!checkpoint) throw new Error("an export has a checkpoint");
    const thief = world.edgeWriter;
    const forgeries = {
      "under its own key": await signCheckpoint(checkpoint, thief),
      "under the log key's name": await signNote(formatCheckpoint(checkpoint), checkpoint.origin, {
        ...thief,
        publicKey: world.logSigner.publicKey,
      }),
      "of a longer log": await signCheckpoint({ ...checkpoint, size: checkpoint.size + 1 }, thief),
    };
    for (const [name, note] of Object.entries(forgeries)) {
      const found = await problemsOf(new Map([...bundle, [member.checkpoint, utf8(note)]]));
      expect(found, name).toContain("checkpoint_signature");
    }
  });

  it("is not believed where the export itself names its key as the log's", async () => {
    const checkpoint = peekCheckpoint(fromUtf8(bundle.get(member.checkpoint) ?? new Uint8Array()));
    if (!checkpoint) throw new Error("an export has a checkpoint");
    const keys = JSON.parse(fromUtf8(bundle.get(member.keys) ?? new Uint8Array())) as Record<string, unknown>;
    const vkey = formatVkey(noteKey(checkpoint.origin, world.edgeWriter.publicKey));
    const forged = new Map([
      ...bundle,
      [member.keys, utf8(JSON.stringify({ ...keys, log: vkey }))] as const,
      [member.checkpoint, utf8(await signCheckpoint(checkpoint, world.edgeWriter))] as const,
    ]);
    expect(await problemsOf(forged)).toContain("checkpoint_signature");
  });

  it("signs no certificate that a reader with the trust file believes", async () => {
    const sign = (signer: Signer) => signJws(signer, certificateTyp, "{}");
    const { problems } = await verifyCertificate(await sign(world.edgeWriter), trust, verifySignature);
    expect(problems.map(({ code }) => code)).toEqual(["other_key"]);
  });
});

async function exported(): Promise<Members> {
  const answer = await expectStatus(world.gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" }), 200);
  if (!answer.body) throw new Error("an export has a body");
  return membersOf(answer.body);
}

async function problemsOf(bundle: Members): Promise<string[]> {
  const verdict = await verifyExport({ bundle: bundleOf(bundle), trust, seen: [], verifySignature });
  return verdict.problems.map(({ code }) => code);
}

describe("the edge's database role", () => {
  it("spends a proof of possession once, of twenty at the same moment", async () => {
    const spend = createSpentProofs(world.edge);
    const spent = await Promise.all(Array.from({ length: 20 }, () => spend("one proof")));
    expect(spent.filter((first) => first)).toHaveLength(1);
    expect(await spend("another")).toBe(true);
  });
});
