/** A transaction whose refusal rolls back what was done before it. */
import { type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { Database, Queryable } from "./database.ts";

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

export async function refusableTransaction<Value>(
  database: Database,
  work: (tx: Queryable) => Promise<Result<Value, Refusal>>,
): Promise<Result<Value, Refusal>> {
  try {
    return await database.transaction(async (tx) => {
      const result = await work(tx);
      if (!result.ok) throw new Refused(result.refusal);
      return result;
    });
  } catch (error) {
    if (error instanceof Refused) return refuse(error.refusal);
    throw error;
  }
}
