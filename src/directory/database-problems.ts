/** A connector's file held against the database that it names, before it is registered: whether it answers, what the role may do, whether the columns are there. */
import { type DatabaseConnector, fieldsOf, type Relation } from "../connectors/index.ts";
import type { Problem, Source, YamlPath } from "../policy/index.ts";
import { DatabaseError, DatabaseUnavailable } from "../storage/index.ts";
import { type DatabaseReach, type Examined, examine } from "../upstream/index.ts";

interface Named {
  readonly source: Source;
  readonly connector: DatabaseConnector;
}

const reachHint = "user and password, a name that leads to public addresses alone, the port, and over TLS a certificate for that name";

/** `reach`: absent where this runtime has none. */
export async function databaseProblems(reach: DatabaseReach | undefined, named: Named, credential: string): Promise<Problem[]> {
  const { source, connector } = named;
  const said = (message: string, hint?: string) => [source.problem(["postgres"], "wrong_value", message, hint)];
  if (!reach) return said("no database is asked from Workers", "serve this contract by a gateway on Node");
  try {
    const examined = await examine(reach(connector, credential), connector);
    if (examined.powers.length > 0)
      return said(`the role may do more than read: ${examined.powers.join(", ")}`, "a role that has only select, on what stands here");
    return columnProblems(named, examined);
  } catch (error) {
    // Both carry words of ours, and no value.
    if (error instanceof DatabaseUnavailable) return said(error.message, reachHint);
    if (error instanceof DatabaseError) return said(error.message);
    throw error;
  }
}

function columnProblems({ source, connector: { tables, routes } }: Named, { kindOf }: Examined): Problem[] {
  const present = (relation: Relation, column: string, path: YamlPath) =>
    kindOf(relation, column) === null
      ? [source.valueProblem(path, "unknown_field", `${relation.schema}.${relation.name} has no column ${column} that the role may read`)]
      : [];
  const missing = (relation: Relation, at: YamlPath) =>
    relation.columns.flatMap((column, index) => present(relation, column, [...at, "columns", index]));
  /** One that is not there is told of once. */
  const comparable = (relation: Relation, column: string, path: YamlPath) => {
    const kind = kindOf(relation, column);
    if (kind === null) return relation.columns.includes(column) ? [] : present(relation, column, path);
    return kind === "scalar"
      ? []
      : [source.valueProblem(path, "wrong_value", "a column of this type is compared with nothing", "a number, a text, a time, a uuid")];
  };
  const ofTables = Object.entries(tables).flatMap(([name, table]) => {
    const at = ["tables", name];
    const lists = Object.entries(table.lists).flatMap(([list, inside]) => {
      const inList = [...at, "lists", list];
      return [
        ...missing(inside, inList),
        ...comparable(inside, inside.by, [...inList, "by"]),
        ...comparable(inside, inside.key, [...inList, "key"]),
      ];
    });
    return [...missing(table, at), ...comparable(table, table.key, [...at, "key"]), ...lists];
  });
  const ofRoutes = routes.flatMap(({ table: name, by, parameters }, index) => {
    const table = tables[name];
    const asked = Object.entries(parameters).flatMap(([parameter, kind]) =>
      fieldsOf(kind, "").map((column) => [column, ["routes", index, "parameters", parameter]] as const),
    );
    const named = [...(by === undefined ? [] : [[by, ["routes", index, "by"]] as const]), ...asked];
    return named.flatMap(([column, path]) => (table && column !== table.key ? comparable(table, column, path) : []));
  });
  return [...ofTables, ...ofRoutes];
}
