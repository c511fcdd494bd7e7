/** docs/STORAGE.md says what the database holds; the database says whether that is so. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anchorSchema } from "../src/audit/postgres-anchor.ts";
import { shareStoreSchema } from "../src/keys/postgres-share-store.ts";
import { stores } from "../src/purge/plan.ts";
import type { Database } from "../src/storage/index.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";
import { nodeImports, root } from "./support/repository.ts";

/** What derives from a secret or a person and must leave nothing in pg_statistic, which outlives DELETE. */
const withoutStatistics = ["keyed hash", "wrapped", "sealed", "entry", "commitment", "commitment's secret"];
const otherForms = ["clear", "digest", "signed"];

interface ColumnRow {
  readonly table: string;
  readonly column: string;
  readonly form: string;
  readonly writer: string;
  readonly dies: string;
}

interface TableRow {
  readonly table: string;
  readonly grants: readonly string[];
  readonly fate: string;
}

const { columns, tables } = readDocument(readFileSync(join(root, "docs/STORAGE.md"), "utf8"));
let server: PostgresDatabase;
let owner: Database;

beforeAll(async () => {
  server = await createPostgresDatabase();
  owner = openTestPool(server.ownerUrl);
  await owner.script(`${shareStoreSchema}${anchorSchema}`);
});
afterAll(async () => {
  await owner?.close();
  await server?.drop();
});

describe("docs/STORAGE.md", () => {
  it("names every table and every column that there is, in the database's order, and none that is not", async () => {
    const rows = await owner.query(`
      select case when n.nspname = 'public' and c.relname in ('postern_share', 'postern_deletion', 'postern_anchor') then c.relname else n.nspname || '.' || c.relname end, string_agg(a.attname, ' ' order by a.attnum)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'f') group by 1`);
    const there = Object.fromEntries(rows.map(([table, names]) => [String(table), String(names).split(" ")]));
    const said: Record<string, string[]> = {};
    for (const { table, column } of columns) said[table] = [...(said[table] ?? []), column];
    expect(said).toEqual(there);
    expect(Object.keys(there).length).toBeGreaterThan(20);
    expect(tables.map(({ table }) => table).sort()).toEqual(
      Object.keys(there)
        .filter((table) => table.includes("."))
        .sort(),
    );
  });

  it("says of every column in which form it lies, who writes it and when it dies", () => {
    const forms = [...withoutStatistics, ...otherForms];
    expect(columns.filter(({ form }) => !forms.includes(form))).toEqual([]);
    expect(
      columns.filter(
        ({ writer, dies }) =>
          writer === "" || !/^(never|numbered|retention|a day|three minutes|lifted|revoked|expired|ended|deleted|purge: \w+)$/.test(dies),
      ),
    ).toEqual([]);
  });

  it("calls keyed, wrapped or sealed exactly what leaves no statistics", async () => {
    const rows = await owner.query(`
      select case when n.nspname = 'public' then c.relname else n.nspname || '.' || c.relname end || '.' || a.attname
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('postern', 'audit', 'public') and c.relkind in ('r', 'p') and a.attnum > 0 and a.attstattarget = 0`);
    const said = columns.filter(({ form }) => withoutStatistics.includes(form)).map(({ table, column }) => `${table}.${column}`);
    expect(said.sort()).toEqual(rows.map(([name]) => String(name)).sort());
  });

  it("says who may read, add, change and delete as the grants have it", async () => {
    for (const { table, grants } of tables) {
      const there = await Promise.all(["select", "insert", "update", "delete"].map((power) => holdersOf(table, power)));
      expect({ table, grants }).toEqual({ table, grants: there });
      expect([table, await holdersOf(table, "truncate")]).toEqual([table, "–"]);
    }
  });

  it("gives every table the fate that the purge's plan gives it, and every column of it", () => {
    for (const { table, fate } of tables) {
      const planned = Object.entries(stores).find(([name]) => name === table)?.[1];
      const expected = planned === undefined ? "not a contract's" : planned.fate === "dies" ? `dies: ${planned.step}` : "stays: ";
      expect(fate.startsWith(expected), `${table}: ${fate}`).toBe(true);
      if (planned?.fate !== "dies") continue;
      const others = columns.filter((row) => row.table === table && row.dies !== `purge: ${planned.step}`);
      expect(others).toEqual([]);
    }
  });
});

const columnPowers = ["select", "insert", "update"];
const columnsText = `select string_agg(attname, ', ' order by attnum) from pg_attribute
  where attrelid = $2::text::regclass and attnum > 0 and has_column_privilege($1, $2::text::regclass, attnum, $3)`;

/** As the page writes it: `edge (log, origin, state), keeper`. */
async function holdersOf(table: string, power: string): Promise<string> {
  const holders: string[] = [];
  for (const side of ["edge", "directory", "keeper"]) {
    const role = `postern_${side}`;
    const [whole] = await owner.query("select has_table_privilege($1, $2, $3)", [role, table, power]);
    const some = columnPowers.includes(power) ? await owner.query(columnsText, [role, table, power]) : [];
    if (whole?.[0] === true) holders.push(side);
    else if (some[0]?.[0]) holders.push(`${side} (${String(some[0][0])})`);
  }
  return holders.join(", ") || "–";
}

/** Rows of the table of tables, and of the table under each heading that is a table's name. */
function readDocument(text: string): { readonly columns: readonly ColumnRow[]; readonly tables: readonly TableRow[] } {
  const columns: ColumnRow[] = [];
  const tables: TableRow[] = [];
  let table = "";
  let section = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("## ")) [section, table] = [line.slice(3), ""];
    const heading = /^### `([\w.]+)`$/.exec(line);
    if (heading) table = heading[1] ?? "";
    const [first = "", ...cells] = line.startsWith("| `")
      ? line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim())
      : [];
    const name = first.replaceAll("`", "");
    if (name === "") continue;
    if (section === "Who may do what") tables.push({ table: name, grants: cells.slice(0, 4), fate: cells[4] ?? "" });
    else if (table !== "") {
      const [, form = "", writer = "", dies = ""] = cells;
      columns.push({ table, column: name, form, writer, dies });
    }
  }
  return { columns, tables };
}

describe("a process that loads drizzle as the command line does", () => {
  it("does not parse drizzle's package.json for each of its files: it takes half the memory at most", () => {
    // Not what getrusage says: there a child begins with what its parent held.
    const script = `import { readFileSync } from "node:fs"; await import("drizzle-orm/pg-core");
      console.log(/^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1])`;
    const peak = (flags: readonly string[]) =>
      Number(spawnSync(process.execPath, [...flags, "--input-type=module", "-e", script], { cwd: root, encoding: "utf8" }).stdout);
    expect(peak(nodeImports)).toBeGreaterThan(0);
    expect(peak(nodeImports)).toBeLessThan(peak([]) / 2);
  });
});
