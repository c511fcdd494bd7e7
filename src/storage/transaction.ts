/**
 * What both drivers owe a transaction: no statement after its end, and no commit once a statement failed
 * (Postgres answers such a COMMIT with a silent ROLLBACK).
 */
import { DatabaseError, type Queryable } from "./database.ts";

const inFailedTransaction = "25P02";
const noActiveTransaction = "25P01";

export interface TransactionGuard {
  /** Resolves where the transaction may commit; throws where it must roll back. */
  run<Value>(work: (tx: Queryable) => Promise<Value>): Promise<Value>;
}

export function guardTransaction(query: Queryable["query"]): TransactionGuard {
  let failed = false;
  let over = false;
  const tx: Queryable = {
    async query(text, params) {
      if (over) throw new DatabaseError(noActiveTransaction, null);
      try {
        return await query(text, params);
      } catch (error) {
        failed = true;
        throw error;
      }
    },
  };
  return {
    async run(work) {
      try {
        const value = await work(tx);
        if (failed) throw new DatabaseError(inFailedTransaction, null);
        return value;
      } finally {
        over = true;
      }
    },
  };
}
