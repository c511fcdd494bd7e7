/** The table that the bare routes read and fill: a customer a row, the document as it came. */
import type { Database } from "../../src/storage/index.ts";
import type { Customer } from "./customers.ts";

export const batchRecords = 500;
/** That are also served from memory, so that a long table does not have to fit in there. */
export const rememberedMax = 1_000;

export const insertText = `insert into bench.customer select doc ->> 'id', doc from jsonb_array_elements($1::text::jsonb) doc
  on conflict (id) do update set doc = excluded.doc`;

export async function createPlainTable(owner: Database): Promise<void> {
  await owner.script("create schema bench; create table bench.customer (id text primary key, doc jsonb not null);");
}

export async function fillPlainTable(owner: Database, customers: Iterable<Customer>): Promise<void> {
  for (const batch of batchesOf(customers)) await owner.query(insertText, [batch]);
}

/** Arrays of JSON. */
export function* batchesOf(customers: Iterable<Customer>): Iterable<string> {
  let batch: Customer[] = [];
  for (const customer of customers) {
    batch.push(customer);
    if (batch.length < batchRecords) continue;
    yield JSON.stringify(batch);
    batch = [];
  }
  if (batch.length > 0) yield JSON.stringify(batch);
}
