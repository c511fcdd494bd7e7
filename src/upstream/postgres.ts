/** The table of connectors. */
import { and, eq, sql } from "drizzle-orm";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { connector } from "./schema.ts";

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
      set: { compiled, credential, registeredAt: sql`now()`, refusedAt: null },
    });
}

/** The upstream refused its credential, for its owner to see. */
export async function markRefused(database: Queryable, contract: ContractId, name: string): Promise<void> {
  await orm(database)
    .update(connector)
    .set({ refusedAt: sql`now()` })
    .where(and(eq(connector.contractId, contract), eq(connector.name, name)));
}

/** `null` = the contract has none of that name. */
export async function selectConnector(database: Queryable, contract: ContractId, name: string): Promise<StoredConnector | null> {
  const [row] = await orm(database)
    .select({ compiled: connector.compiled, credential: connector.credential, readAt: databaseNowMs })
    .from(connector)
    .where(and(eq(connector.contractId, contract), eq(connector.name, name)));
  return row ? { compiled: row.compiled, credential: row.credential } : null;
}
