/** The table of connectors. */
import { and, eq, sql } from "drizzle-orm";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { connector, connectorRefusal } from "./schema.ts";

export interface StoredConnector {
  readonly compiled: string;
  /** Sealed. */
  readonly credential: Uint8Array;
}

/** In the place of one of that name. */
export async function putConnector(
  tx: Queryable,
  { contract, name, compiled, credential }: StoredConnector & { readonly contract: ContractId; readonly name: string },
): Promise<void> {
  await orm(tx)
    .insert(connector)
    .values({ contractId: contract, name, compiled, credential })
    .onConflictDoUpdate({
      target: [connector.contractId, connector.name],
      set: { compiled, credential, registeredAt: sql`now()` },
    });
}

export interface ListedConnector {
  readonly name: string;
  readonly compiled: string;
  /** Milliseconds, as both. */
  readonly registeredAt: number;
  /** `null` = not since it is registered. */
  readonly refusedAt: number | null;
}

const refusedMs = sql<number | null>`(select extract(epoch from max(r.refused_at)) * 1000 from ${connectorRefusal} r
  where r.contract_id = ${connector.contractId} and r.name = ${connector.name} and r.refused_at >= ${connector.registeredAt})::float8`;

/** By name, and without their credentials. `name`: only that one. */
export async function selectConnectors(database: Queryable, contract: ContractId, name?: string): Promise<ListedConnector[]> {
  const rows = await orm(database)
    .select({
      name: connector.name,
      compiled: connector.compiled,
      registeredAt: epochMs(connector.registeredAt),
      refusedAt: refusedMs,
      readAt: databaseNowMs,
    })
    .from(connector)
    .where(and(eq(connector.contractId, contract), name === undefined ? undefined : eq(connector.name, name)))
    .orderBy(connector.name);
  return rows.map(({ readAt: _, ...row }) => row);
}

/** With its credential. `false` = the contract has none of that name. */
export async function deleteConnector(database: Queryable, contract: ContractId, name: string): Promise<boolean> {
  await orm(database)
    .delete(connectorRefusal)
    .where(and(eq(connectorRefusal.contractId, contract), eq(connectorRefusal.name, name)));
  const rows = await orm(database)
    .delete(connector)
    .where(and(eq(connector.contractId, contract), eq(connector.name, name)))
    .returning({ name: connector.name });
  return rows.length > 0;
}

/** The upstream refused its credential, for its owner to see. */
export async function addRefusal(database: Queryable, contract: ContractId, name: string): Promise<void> {
  await orm(database).insert(connectorRefusal).values({ contractId: contract, name }).onConflictDoNothing();
}

/** Changes whenever the row does: which transaction wrote it, and when it was registered, should a restored database have counted to the same one again. */
export function connectorVersionText(row: string): string {
  return `${row}.xmin::text || ' ' || ${row}.registered_at`;
}

const connectorText = `select c.compiled, c.credential, ${connectorVersionText("c")}, now() from postern.connector c where c.contract_id = $1 and c.name = $2`;

/** `null` = the contract has none of that name. */
export async function selectConnector(
  database: Queryable,
  contract: ContractId,
  name: string,
): Promise<(StoredConnector & { readonly version: string }) | null> {
  const [row] = await database.query(connectorText, [contract, name]);
  if (!row) return null;
  const [compiled, credential, version] = row;
  if (!(credential instanceof Uint8Array)) throw new Error("a credential is bytes");
  return { compiled: String(compiled), credential, version: String(version) };
}
