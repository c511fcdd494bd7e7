/**
 * A merchant's own Postgres, which takes its readers over TLS and by password: a kiosk's tables of our own invention, and Northwind where it lies beside the
 * repository. The way to it takes the loopback for `db.kiosk.example`. Where nobody makes certificates, it is asked in the clear.
 */
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../src/storage/index.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import type { DatabaseReach } from "../../src/upstream/index.ts";
import { createNodeDatabaseReach } from "../../src/upstream/node-database-reach.ts";
import { type Cluster, serverUser, startCluster } from "./cluster.ts";
import { openTestPool } from "./databases.ts";
import { createServerLog, logEverything, type ServerLog } from "./server-log.ts";
import { hasShared, readShared } from "./shared.ts";

export const northwind = "data/visible/structured/northwind.sql";
export const merchantHost = "db.kiosk.example";
export const readerPassword = "kanarie-password-zq7w";

const kiosk = `
create schema kiosk;
create domain kiosk.mail as text;
create type kiosk.state as enum ('open', 'closed');
create table kiosk.buyers (id text primary key, name text, phone text, mail kiosk.mail, photo bytea, spot point, level int, tags text[]);
create table kiosk.sales (
  id bigint primary key, buyer text, state kiosk.state, total numeric, share real, paid_at timestamptz, receiver jsonb, memo text, "row" text);
create table kiosk.lines (sale bigint, line int, sku text, price numeric(12, 3), supplier text, primary key (sale, line));
create view kiosk.slow as select id, name from kiosk.buyers where pg_sleep(5) is not null;
create function kiosk.touch() returns text language sql volatile as $$ insert into kiosk.lines values (0, 0) returning 'written' $$;
create view kiosk.writing as select id, kiosk.touch() as name from kiosk.buyers;
insert into kiosk.buyers values
  ('b-1', '林小满', '13800138000', 'kanarie.mail@kiosk.example', '\\x6b616e61726965', '(1,2)', 3, '{new,vip}'),
  ('b-2', '欧阳明', '13900139000', null, null, null, null, null);
insert into kiosk.sales values
  (9007199254740993, 'b-1', 'open', 47.840, 0.1, '2026-07-01 08:00+08', '{"name":"林小满","mobile":"13800138000","new":"kanarie-new"}', 'kanarie-memo', 'kanarie-row'),
  (9007199254740995, 'b-1', 'closed', 1e400, 'NaN', null, null, null, null),
  (9007199254740997, 'b-2', 'open', 5, 5, null, null, null, null);
insert into kiosk.lines select 9007199254740993, n, 'sku-' || n, 1.500, 'kanarie-supplier' from generate_series(3, 1, -1) n;
insert into kiosk.lines select 9007199254740997, n, 'sku-' || n, 1, null from generate_series(1, 11) n;
-- A clerk may write one column; all of them have the same password.
create role reader login password '${readerPassword}';
create role clerk login password '${readerPassword}';
grant usage on schema kiosk to reader, clerk;
grant select on all tables in schema kiosk, public to reader, clerk;
grant update (memo) on kiosk.sales to clerk;
create role chief login superuser password '${readerPassword}';
`;

export interface Merchant {
  readonly cluster: Cluster;
  /** A superuser's. */
  readonly admin: Database;
  readonly log: ServerLog;
  readonly reach: DatabaseReach;
  /** PEM; `null` = it is asked in the clear. */
  readonly certificate: string | null;
  readonly resolved: string[];
  /** Of the port and the database that it really has. */
  urlFor(url: string): string;
  remove(): Promise<void>;
}

export async function openMerchant(): Promise<Merchant> {
  const folder = mkdtempSync(join(tmpdir(), "postern-merchant-"));
  const certificate = makeCertificate(folder);
  writeFileSync(
    join(folder, "hba"),
    `host all postgres 127.0.0.1/32 trust\n${certificate ? "hostssl" : "host"} all all 127.0.0.1/32 scram-sha-256\n`,
  );
  const log = createServerLog();
  const tls = certificate ? ["ssl=on", `ssl_cert_file=${join(folder, "cert")}`, `ssl_key_file=${join(folder, "key")}`] : [];
  giveToServer(folder, "hba", ...(certificate ? ["cert", "key"] : []));
  const settings = ["fsync=off", ...logEverything, `hba_file=${join(folder, "hba")}`, ...tls];
  const cluster = await startCluster({ settings, onLog: log.hear });
  const admin = openTestPool(cluster.url);
  if (hasShared(northwind)) await admin.script(readShared(northwind));
  await admin.script(kiosk);
  const resolved: string[] = [];
  const urlFor = (url: string) => url.replace(":5432/shop", `:${cluster.port}/postgres`);
  const reach = createNodeDatabaseReach({
    open: (options) => openPostgres({ ...options, url: urlFor(options.url) }),
    resolve: (host) => {
      resolved.push(host);
      return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    },
    isAllowed: () => true,
    insecureClear: certificate === null,
  });
  return {
    ...{ cluster, admin, log, reach, certificate, resolved, urlFor },
    async remove() {
      await admin.close();
      await cluster.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `null` = nobody here makes one. */
function makeCertificate(folder: string): string | null {
  const subject = ["-subj", `/CN=${merchantHost}`, "-addext", `subjectAltName=DNS:${merchantHost}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", join(folder, "key")];
  try {
    execFileSync("openssl", ["req", "-x509", ...key, "-days", "2", ...subject, "-out", join(folder, "cert")], { stdio: "pipe" });
    return readFileSync(join(folder, "cert"), "utf8");
  } catch {
    return null;
  }
}

function giveToServer(folder: string, ...names: readonly string[]): void {
  const user = serverUser();
  if (user) for (const path of [folder, ...names.map((name) => join(folder, name))]) chownSync(path, user.uid, user.gid);
}
