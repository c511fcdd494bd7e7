/** Proofs of possession that were shown, by their names, for as long as they could be fresh. */
import { lt, sql } from "drizzle-orm";
import { orm, type Queryable } from "../storage/index.ts";
import { spentSeconds } from "./proof.ts";
import { spentProof } from "./schema.ts";
import type { SpendProof } from "./spent-proofs.ts";

const spendQuery = `insert into postern.spent_proof (proof, expires_at) values ($1, now() + make_interval(secs => ${spentSeconds}))
  on conflict do nothing returning true`;

export function createSpentProofs(database: Queryable): SpendProof {
  return async (name) => (await database.query(spendQuery, [name])).length === 1;
}

export async function forgetSpentProofs(database: Queryable): Promise<void> {
  await orm(database).delete(spentProof).where(lt(spentProof.expiresAt, sql`now()`));
}
