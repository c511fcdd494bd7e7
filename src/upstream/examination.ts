/**
 * What a merchant's database lets its gateway do, and of which types the connector's columns are: asked of the catalogue, which shows no data.
 * A role that may do more than read is refused, though every session is read only: a session can be changed by whoever writes its statements, a role cannot.
 */
import type { DatabaseConnector, Relation } from "../connectors/index.ts";
import type { Queryable, Row } from "../storage/index.ts";

/** `scalar`: may be compared. `nested`: JSON and arrays. `withheld`: anything else, bytes among it; it is never asked for. */
export type ColumnKind = "scalar" | "nested" | "withheld";

export interface Examined {
  /** What the role may do beside reading. Empty = nothing. */
  readonly powers: readonly string[];
  /** `null` = the role sees no such column. */
  kindOf(relation: Relation, column: string): ColumnKind | null;
}

export async function examine(database: Queryable, { tables }: Pick<DatabaseConnector, "tables">): Promise<Examined> {
  const relations = Object.values(tables).flatMap((table) => [table, ...Object.values(table.lists)]);
  const wanted = JSON.stringify(relations.map(({ schema, name }) => [schema, name]));
  const [powers, columns] = await Promise.all([database.query(powersText), database.query(columnsText, [wanted])]);
  const kinds = new Map(columns.map(([schema, name, column, type]) => [`${schema}.${name}.${column}`, kindOf(type)]));
  return {
    powers: powers.map(saidOf),
    kindOf: ({ schema, name }, column) => kinds.get(`${schema}.${name}.${column}`) ?? null,
  };
}

function saidOf([power, name]: Row): string {
  return `${power} ${name}`;
}

const powersMax = 5;
const ownRelations = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/** Of the role and of every role that it could become. Temporary tables are let pass: they are everybody's, and gone with the session. */
const powersText = `
  select power, name, now() from (
    select 'its session is not read only:' as power, current_setting('transaction_read_only') as name
      where current_setting('transaction_read_only') <> 'on'
    union all
    select 'it has the powers of' as power, r.rolname::text as name from pg_roles r
      where pg_has_role(current_user, r.oid, 'MEMBER')
        and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication
          or r.rolname in ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program'))
    union all
    select 'it may write', n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${ownRelations}
        and (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') or has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
    union all
    select 'it may create in', n.nspname::text from pg_namespace n where ${ownRelations} and has_schema_privilege(n.oid, 'CREATE')
    union all
    select 'it may create in', 'the database' where has_database_privilege(current_database(), 'CREATE')
  ) powers limit ${powersMax}`;

/** A domain is what it is made of. */
const columnsText = `
  with recursive found(schema, name, attribute, type) as (
    select n.nspname, c.relname, a.attname, a.atttypid
      from json_array_elements($1::json) wanted
      join pg_namespace n on n.nspname = wanted ->> 0
      join pg_class c on c.relnamespace = n.oid and c.relname = wanted ->> 1 and c.relkind in ('r', 'p', 'v', 'm', 'f')
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where has_column_privilege(c.oid, a.attnum, 'SELECT') and has_schema_privilege(n.oid, 'USAGE')
    union all
    select f.schema, f.name, f.attribute, t.typbasetype from found f join pg_type t on t.oid = f.type where t.typtype = 'd'
  )
  select f.schema::text, f.name::text, f.attribute::text,
      case when t.typtype = 'e' then 'enum'
           when t.typnamespace = 'pg_catalog'::regnamespace or t.typname = 'citext' then t.typname::text
           else '' end,
      now()
    from found f join pg_type t on t.oid = f.type where t.typtype <> 'd'`;

const scalarTypes = new Set([
  ...["bool", "int2", "int4", "int8", "numeric", "float4", "float8"],
  ...["text", "varchar", "bpchar", "citext", "enum", "uuid"],
  ...["date", "time", "timetz", "timestamp", "timestamptz", "interval"],
]);

function kindOf(type: Row[number] | undefined): ColumnKind {
  const name = String(type);
  if (scalarTypes.has(name)) return "scalar";
  return name === "json" || name === "jsonb" || (name.startsWith("_") && scalarTypes.has(name.slice(1))) ? "nested" : "withheld";
}
