/**
 * What one would do with Postgres alone: sensitive columns encrypted by pgcrypto, a view that opens and masks them, grants on columns, and pgaudit, which
 * writes each reading to the server's log. Debian's Postgres 15 where it is installed. Where pgaudit is not, `log_statement=all` stands in its place, and
 * the name says so. Of pgcrypto's ways the cheapest (AES in CBC, the key at hand, no tag), masks as plain as SQL has them; the server's log is not synced
 * to disk before an answer. All of that is less than the gateway does.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openPostgres } from "../../src/storage/postgres.ts";
import { debianPostgres15, startCluster } from "../support/cluster.ts";
import { until } from "../support/until.ts";
import type { Customer } from "./customers.ts";
import { batchesOf } from "./plain.ts";

export interface Views {
  /** What the target is called. */
  readonly name: string;
  readonly url: string;
  readonly postgresVersion: string;
  close(): Promise<void>;
}

/** pgaudit.log_parameter: an entry that does not say whose record was read is none. */
const audited = ["shared_preload_libraries=pgaudit", "pgaudit.log=read", "pgaudit.log_parameter=on", "pgaudit.log_relation=off"];
const loggedOnly = ["log_statement=all"];
const intoFiles = ["logging_collector=on", "log_directory=log", "log_line_prefix=%m [%p] %u "];

const encrypted = ["name", "phone", "backup_phone", "email", "address", "billing_address", "id_card", "card", "note", "service_log"];
const plain = ["vip", "level", "points", "orders", "channel", "language", "registered_at", "last_order", "segments", "preferences"];
const masks: Readonly<Record<string, (text: string) => string>> = {
  name: (text) => `left(${text}, 1) || '**'`,
  phone: (text) => `left(${text}, 3) || '****' || right(${text}, 4)`,
  backup_phone: (text) => `left(${text}, 3) || '****' || right(${text}, 4)`,
  email: (text) => `left(${text}, 1) || '***@' || split_part(${text}, '@', 2)`,
  address: (text) => `left(${text}, 6) || '******'`,
  billing_address: (text) => `left(${text}, 6) || '******'`,
};
/** AES-256's, of nobody. */
const key = "5a".repeat(32);
const shown = ["id", ...Object.keys(masks), ...plain];

/** The document of one customer, as the view lets it be seen. */
export const maskedText = `select json_build_object(${shown.map((column) => `'${column}', ${column}`).join(", ")})::text from bench.masked where id = $1`;

const opened = (column: string) =>
  `convert_from(decrypt_iv(s.${column}, decode(current_setting('bench.key'), 'hex'), s.iv, 'aes-cbc'), 'utf8')`;

/** `offset 0`: each column is opened once, however often its mask names it. */
const schema = `create extension pgcrypto;
create schema bench;
create table bench.sealed (id text primary key, iv bytea, ${encrypted.map((column) => `${column} bytea`).join(", ")}, ${plain.map((column) => `${column} text`).join(", ")});
create view bench.masked as select ${["id", ...Object.entries(masks).map(([column, mask]) => `${mask(`o.${column}`)} as ${column}`), ...plain].join(", ")}
  from bench.sealed s cross join lateral (select ${Object.keys(masks)
    .map((column) => `${opened(column)} as ${column}`)
    .join(", ")} offset 0) o;
create role bench_agent login;
grant usage on schema bench to bench_agent;
grant select (${shown.join(", ")}) on bench.masked to bench_agent;
alter role bench_agent set bench.key = '${key}';`;

const fillText = `insert into bench.sealed (id, iv, ${[...encrypted, ...plain].join(", ")})
  select doc ->> 'id', iv, ${[
    ...encrypted.map((column) => `encrypt_iv(convert_to(doc ->> '${column}', 'utf8'), decode('${key}', 'hex'), iv, 'aes-cbc')`),
    ...plain.map((column) => `doc ->> '${column}'`),
  ].join(", ")}
  from (select doc, gen_random_bytes(16) as iv from jsonb_array_elements($1::text::jsonb) doc) made`;

export async function startViews(customers: Iterable<Customer>): Promise<Views> {
  const debian = existsSync(join(debianPostgres15, "initdb"));
  const hasAudit = debian && existsSync(join(debianPostgres15, "../lib/pgaudit.so"));
  const settings = [...intoFiles, ...(hasAudit ? audited : loggedOnly)];
  const cluster = await startCluster({ settings, ...(debian ? { binaries: debianPostgres15 } : {}) });
  const owner = openPostgres({ url: cluster.url, poolSize: 1, queueMax: 10, deadlineMs: 120_000 });
  await until("the views' Postgres", () =>
    owner.query("select 1").then(
      () => true,
      () => false,
    ),
  );
  await owner.script(hasAudit ? `create extension pgaudit; ${schema}` : schema);
  for (const batch of batchesOf(customers)) await owner.query(fillText, [batch]);
  await owner.script("vacuum analyze");
  const [version] = await owner.query("show server_version");
  await owner.close();
  return {
    name: `views, pgcrypto, ${hasAudit ? "pgaudit" : "log_statement=all (no pgaudit here)"}`,
    url: cluster.urlOf("postgres", "bench_agent"),
    postgresVersion: String(version?.[0]),
    close: () => cluster.remove(),
  };
}
