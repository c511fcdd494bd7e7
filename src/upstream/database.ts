/**
 * One attempt at a merchant's database:  examine → statement → text, bounded → JSON, lossless → lists, whole
 *
 * The role, the schema and what the server says of an error stay here: the agent is told no more of a database than of an API.
 */
import { bodyOf, type DatabaseConnector, idIn, isPathOf, type Relation, statementFor } from "../connectors/index.ts";
import { isJsonArray, isJsonObject, type Json, type JsonObject, JsonSyntaxError, parseJson } from "../kernel/index.ts";
import { type Cell, DatabaseError, DatabaseUnavailable, type Queryable } from "../storage/index.ts";
import { type Attempt, jsonLimits, type Question } from "./attempt.ts";
import type { Examined } from "./examination.ts";

/** Sessions that only read, at an address that was looked at, as the role that the credential names. */
export interface MerchantDatabase extends Queryable {
  /** A minute old at most. Rejects as `query` does. */
  examined(): Promise<Examined>;
}

/** The same for the same connector and credential. Opens no connection yet. */
export type DatabaseReach = (connector: DatabaseConnector, credential: string) => MerchantDatabase;

/** A value that is none of its column's type, out of its range, or no time: no record has it. */
const valueStates = new Set(["22P02", "22003", "22007", "22008", "22021"]);

/** `reach`: absent where this runtime has none. */
export async function attemptDatabase(
  reach: DatabaseReach | undefined,
  connector: DatabaseConnector,
  { path, query, credential }: Question,
): Promise<Attempt> {
  if (!reach) return unusable("databases are not asked from here");
  const route = connector.routes.find((known) => isPathOf(known.path, path));
  if (!route) return unusable("no such route");
  const answer = (records: readonly JsonObject[]): Attempt =>
    records.length > 0 || route.records.list
      ? { ok: true, body: bodyOf(route, connector, records), link: null }
      : { ok: false, fault: "missing" };
  try {
    const database = reach(connector, credential);
    const { powers, kindOf } = await database.examined();
    if (powers.length > 0) return unusable(`its role may do more than read: ${powers.join(", ")}`);
    const isReadable = (relation: Relation, column: string) => kindOf(relation, column) !== "withheld";
    const { text, params } = statementFor(connector, route, { id: idIn(route.path, path), query }, isReadable);
    const [row] = await database.query(text, params);
    const records = recordsOf(row?.[0], connector.limits.bytes);
    if (records === null) return unusable("its answer is too large, or is no JSON");
    if (!route.records.list && records.length > 1) return unusable("its key is not that of one record");
    const lists = Object.entries(connector.tables[route.table]?.lists ?? {});
    const areWhole = records.every((record) => lists.every(([name, { records: most }]) => isWhole(record[name], most)));
    return areWhole ? answer(records) : unusable("a list is too long");
  } catch (error) {
    if (error instanceof DatabaseError) return valueStates.has(error.sqlState) ? answer([]) : unusable(error.message);
    if (error instanceof DatabaseUnavailable) return { ok: false, fault: faultOf(error), detail: error.message };
    throw error;
  }
}

function unusable(detail: string): Attempt {
  return { ok: false, fault: "unusable", detail };
}

/** Whether it was the role or its password is in the reason alone. */
function faultOf({ message }: DatabaseUnavailable): "credential_refused" | "unreached" {
  return /SQLSTATE (28000|28P01)/.test(message) ? "credential_refused" : "unreached";
}

/** `null` = no such text. A server that is none of Postgres' may say what it likes. */
function recordsOf(text: Cell | undefined, bytesMax: number): JsonObject[] | null {
  if (typeof text !== "string" || text.length > bytesMax) return null;
  try {
    const records = parseJson(text, jsonLimits);
    return isJsonArray(records) && records.every(isJsonObject) ? [...records] : null;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}

function isWhole(list: Json | undefined, most: number): boolean {
  return list !== undefined && isJsonArray(list) && list.length <= most;
}
