/** Somebody who holds a database role's credentials, and what the database's owner sees of what they did. */
import { type Database, DatabaseError } from "../../src/storage/index.ts";

/** `done`, or the SQLSTATE with which the server refused. */
export async function attempt(thief: Database, statement: string): Promise<string> {
  try {
    await thief.script(statement);
    return "done";
  } catch (error) {
    if (error instanceof DatabaseError) return error.sqlState;
    throw error;
  }
}

export const denied = "42501";

/** Those of `statements` that the server did not refuse for want of a privilege. */
export async function allowedOf(thief: Database, statements: readonly string[]): Promise<string[]> {
  const allowed: string[] = [];
  for (const statement of statements) {
    const outcome = await attempt(thief, statement);
    if (outcome !== denied) allowed.push(`${outcome}: ${statement}`);
  }
  return allowed;
}

export interface Table {
  /** `audit.raw` */
  readonly name: string;
  readonly columns: readonly string[];
}

/** Every table, view and sequence of ours, as the catalogue has them. */
export async function ourTables(owner: Database): Promise<Table[]> {
  const rows = await owner.query(`
    select n.nspname || '.' || c.relname, string_agg(a.attname, ' ' order by a.attnum)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname in ('postern', 'audit', 'public') and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') group by 1 order by 1`);
  return rows.map(([name, columns]) => ({ name: String(name), columns: String(columns).split(" ") }));
}

/** Others of the cluster come and go with other tests. */
const ourRoles = "('postern_edge', 'postern_keeper', 'postern_directory', 'postern_sequencer', 'postern_reader')";

/** Every row of every table of ours, and everything in the catalogue that says what these are and who may do what with them. */
export async function everything(owner: Database): Promise<Readonly<Record<string, unknown>>> {
  const seen: Record<string, unknown> = {};
  for (const { name } of await ourTables(owner)) {
    seen[name] = await owner.query(`select count(*)::int, md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from ${name} t`);
  }
  const ours = "(select oid from pg_namespace where nspname in ('postern', 'audit', 'public'))";
  const catalogue = {
    relations: `select oid::regclass::text, relowner::regrole::text, relacl::text, relkind::text from pg_class where relnamespace in ${ours} order by 1`,
    columns: `select attrelid::regclass::text, attname::text, atttypid::regtype::text, attacl::text from pg_attribute join pg_class c on c.oid = attrelid where relnamespace in ${ours} order by 1, 2`,
    functions: `select oid::regprocedure::text, proowner::regrole::text, proacl::text, md5(prosrc) from pg_proc where pronamespace in ${ours} order by 1`,
    triggers: "select tgrelid::regclass::text, tgname::text, tgenabled::text from pg_trigger where not tgisinternal order by 1, 2",
    schemas:
      "select nspname::text, nspowner::regrole::text, nspacl::text from pg_namespace where nspname !~ '^pg_(toast_)?temp' order by 1",
    roles: `select r.*::text from pg_roles r where rolname in ${ourRoles} order by 1`,
    members: `select m.roleid::regrole::text, m.member::regrole::text from pg_auth_members m where m.member::regrole::text in ${ourRoles} order by 1, 2`,
    defaults: "select defaclrole::regrole::text, defaclacl::text from pg_default_acl order by 1, 2",
    extensions: "select extname::text from pg_extension order by 1",
  };
  for (const [name, query] of Object.entries(catalogue)) seen[name] = await owner.query(query);
  return seen;
}
