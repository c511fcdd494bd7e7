/**
 * The file of a connector that asks a database: tables and views by name, the columns of theirs that are asked for, and by what. Explained in
 * policies/connectors/postgres.yaml. Names are of one grammar, so that a statement can be made of them; nothing here is SQL, and there is no other way to say any.
 */
import * as z from "zod";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { parsePath } from "../masking/index.ts";
import { checkShape, inFileOrder, type Problem, quote, refusing, type Source } from "../policy/index.ts";
import { askingSchemas, type DatabaseConnector, type DatabaseRoute } from "./connector.ts";
import { type ConnectorDocument, pathProblems, settingProblems } from "./language.ts";
import { isName } from "./statement.ts";
import { everyFile, everyRoute, recordsText, text } from "./written.ts";

const tablesMax = 50;
const listsMax = 10;
const columnsMax = 200;

const name = z
  .string()
  .refine(isName, refusing("wrong_value", "not the name of a column", "letters, digits and _, at most 63, not a digit first"));
const relation = text(
  /^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$/,
  "not the name of a table or a view",
  "orders, or with its schema: shop.orders",
).refine(
  (from) => !/^(pg_|information_schema\.)/i.test(from),
  refusing("wrong_value", "a table of the database's own", "one of the shop's"),
);
const ofRelation = { from: relation, key: name, columns: z.array(name).min(1).max(columnsMax) };

const fileSchema = z.strictObject({
  ...everyFile,
  postgres: z.strictObject({
    host: z.string(),
    port: z.int().min(1).max(65_535).default(5_432),
    database: text(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, "not the name of a database", "letters, digits, _ and -"),
    ca: text(
      /^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/,
      "not certificates",
      "of whoever signs the server's, in PEM, as a block: ca: |",
    ).optional(),
  }),
  tables: z
    .record(
      name,
      z.strictObject({
        ...ofRelation,
        lists: z
          .record(name, z.strictObject({ ...ofRelation, by: name, records: z.int().min(1).max(1_000).default(100) }))
          .refine((lists) => Object.keys(lists).length <= listsMax, { error: `at most ${listsMax} lists` })
          .default({}),
      }),
    )
    .refine((tables) => Object.keys(tables).length <= tablesMax, { error: `at most ${tablesMax} tables` }),
  routes: everyRoute(
    { table: name, by: name.optional(), records: recordsText.optional() },
    z.union([z.enum(["limit", "after"]), ...askingSchemas], {
      error: "limit, after, { search: email } or { filter: status, as: id }",
    }),
  ),
});

type FileShape = z.output<typeof fileSchema>;
type RouteShape = FileShape["routes"][number];

export function readDatabaseConnector(source: Source): Result<ConnectorDocument, Problem[]> {
  const shape = checkShape(fileSchema, source);
  if (!shape.ok) return shape;
  const { postgres, settings, routes } = shape.value;
  const hostAt = ["postgres", "host"];
  const problems = [
    ...settingProblems({ host: postgres.host, hostAt, settings, routes }, source),
    ...tableProblems(shape.value, source),
    ...routes.flatMap((_, index) => [...pathProblems(routes, index, source), ...routeProblems(shape.value, index, source)]),
  ];
  if (problems.length > 0) return refuse(inFileOrder(problems));
  return ok({ source, settings, hostAt, connector: connectorOf(shape.value, source) });
}

function tableProblems({ tables }: FileShape, source: Source): Problem[] {
  return Object.entries(tables).flatMap(([table, { key, columns, lists }]) => {
    const at = ["tables", table];
    return [
      ...columnProblems({ key, columns }, source, at),
      ...Object.entries(lists).flatMap(([list, inside]) => [
        ...columnProblems({ columns: inside.columns }, source, [...at, "lists", list]),
        ...(columns.includes(list) ? [source.problem([...at, "lists", list], "wrong_value", "a column has this name already")] : []),
        ...(parsePath(list) === null ? [source.problem([...at, "lists", list], "bad_path", "no policy can name it")] : []),
      ]),
    ];
  });
}

function columnProblems({ key, columns }: { key?: string; columns: readonly string[] }, source: Source, at: readonly string[]): Problem[] {
  const twice = columns.findIndex((column, index) => columns.indexOf(column) < index);
  const odd = columns.findIndex((column) => parsePath(column) === null);
  return [
    ...(key === undefined || columns.includes(key)
      ? []
      : [
          source.valueProblem(
            [...at, "key"],
            "missing",
            `${quote(key)} is none of the columns`,
            "name it there: the policy says whether it leaves",
          ),
        ]),
    ...(twice < 0 ? [] : [source.valueProblem([...at, "columns", twice], "wrong_value", "stands twice", "keep one of them")]),
    ...(odd < 0 ? [] : [source.valueProblem([...at, "columns", odd], "bad_path", "no policy can name it", "name it otherwise in a view")]),
  ];
}

/** One record by its key, or a list by something that is equal: a table is never handed out whole. */
function routeProblems({ tables, routes }: FileShape, index: number, source: Source): Problem[] {
  const route = routes[index];
  if (!route) return [];
  const at = ["routes", index];
  const table = Object.hasOwn(tables, route.table) ? tables[route.table] : undefined;
  if (!table) return [source.valueProblem([...at, "table"], "wrong_value", `no table ${quote(route.table)}`, "one of tables")];
  const { by, records, parameters } = route;
  const isOne = hasId(route) && (by === undefined || by === table.key);
  const asked = [...(by === undefined ? [] : [{ path: [...at, "by"], column: by }]), ...askedOf(parameters, at)];
  const unknown = asked.filter(({ column }) => !table.columns.includes(column));
  const asksByNothing = !hasId(route) && askedOf(parameters, at).length === 0;
  const wrongForm = records !== undefined && records.endsWith("[]") === isOne;
  return [
    ...unknown.map(({ path, column }) => source.valueProblem(path, "unknown_field", `${quote(column)} is no column of ${route.table}`)),
    ...(by !== undefined && !hasId(route) ? [source.problem([...at, "by"], "wrong_value", "the path has no {id} to compare it with")] : []),
    ...(asksByNothing
      ? [
          source.valueProblem(
            [...at, "get"],
            "wrong_value",
            "asks for the whole table",
            "an {id} in the path, or a parameter with search or filter",
          ),
        ]
      : []),
    ...(isOne && Object.keys(parameters).length > 0
      ? [source.problem([...at, "parameters"], "wrong_value", "one record is asked for by its key alone")]
      : []),
    ...(wrongForm
      ? [
          source.valueProblem(
            [...at, "records"],
            "wrong_value",
            isOne ? "one record is no list" : "these are a list",
            "body.order, or body.orders[]",
          ),
        ]
      : []),
  ];
}

function hasId({ get }: RouteShape): boolean {
  return get.includes("{id}");
}

function askedOf(parameters: RouteShape["parameters"], at: readonly (string | number)[]) {
  return Object.entries(parameters).flatMap(([parameter, kind]) => {
    if (typeof kind === "string") return [];
    const [key, column] = "search" in kind ? (["search", kind.search] as const) : (["filter", kind.filter] as const);
    return [{ path: [...at, "parameters", parameter, key], column }];
  });
}

function connectorOf(
  { connector, postgres, caller, purpose, drops, limits, tables, routes }: FileShape,
  source: Source,
): DatabaseConnector {
  const { ca, ...place } = postgres;
  return {
    ...{ name: connector, ...place, caller, drops, lists: {}, limits },
    ...(purpose !== undefined && { purpose }),
    ...(ca !== undefined && { ca }),
    tables: Object.fromEntries(
      Object.entries(tables).map(([own, { from, key, columns, lists }]) => {
        const inside = Object.entries(lists).map(([list, { from, ...rest }]) => [list, { ...placeOf(from), ...rest }] as const);
        return [own, { ...placeOf(from), key, columns, lists: Object.fromEntries(inside) }];
      }),
    ),
    routes: routes.map((route, index) => routeOf(route, tables[route.table]?.key ?? "", source.placeOf(["routes", index, "get"]).line)),
  };
}

function routeOf(route: RouteShape, key: string, line: number): DatabaseRoute {
  const { get: path, resource, table } = route;
  const by = hasId(route) ? (route.by ?? key) : undefined;
  const [, ...keys] = (route.records ?? "body").replace("[]", "").split(".");
  const parameters = Object.entries(route.parameters).map(([own, kind]) => [own, kind === "after" ? { after: key } : kind]);
  return {
    ...{ path, resource, table, id: key, where: {}, adds: {}, line },
    ...(by !== undefined && { by }),
    records: { keys, list: by !== key },
    parameters: Object.fromEntries(parameters),
  };
}

function placeOf(from: string): { readonly schema: string; readonly name: string } {
  const [first = "", second] = from.split(".");
  return second === undefined ? { schema: "public", name: first } : { schema: first, name: second };
}
