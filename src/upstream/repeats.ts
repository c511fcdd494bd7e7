/**
 * The same write again: under its Idempotency-Key it goes up once, and its answer is given again for a day. Who dies with one under way leaves a claim that
 * nobody takes over, because whether it was carried out is not known; only what is known not to have been is let go. All keys follow from the contract's
 * locator key, and an answer's from the caller's own key as well, which is not kept: without it nobody opens one, and none outlives the contract.
 */
import { type Aead, fromUtf8, hkdfSha256, hmacSha256, keyBytes, open, seal, toHex, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";

/** One request under its key. */
export interface KeyedWrite {
  readonly contract: ContractId;
  readonly name: Uint8Array;
  readonly request: Uint8Array;
  readonly answerKey: Uint8Array;
  /** What the upstream is told it by. */
  readonly upstreamKey: string;
}

/** `holder`: whose key it is. `request`: all that makes it this request. */
export interface WriteNames {
  readonly contract: ContractId;
  readonly holder: readonly string[];
  readonly sent: string;
  readonly request: readonly string[];
}

export function keyWrite(locatorKey: Uint8Array, { contract, holder, sent, request }: WriteNames): KeyedWrite {
  const own = hkdfSha256(locatorKey, utf8(contract), utf8("upstream write"), keyBytes);
  const mac = (...parts: string[]) => hmacSha256(own, utf8(canonicalJson(parts)));
  return {
    contract,
    name: mac("name", ...holder, sent),
    request: mac("request", ...holder, sent, ...request),
    answerKey: mac("answer", ...holder, sent),
    upstreamKey: toHex(mac("upstream", ...holder, sent).subarray(0, 16)),
  };
}

export type WriteClaim =
  | { readonly kind: "first"; readonly attempt: number }
  /** Or nobody knows what became of it; or there are too many. */
  | { readonly kind: "under_way" }
  | { readonly kind: "another_request" }
  | { readonly kind: "answered"; readonly answer: Uint8Array };

export async function claimWrite(database: Queryable, { contract, name, request }: KeyedWrite): Promise<WriteClaim> {
  const [claimed] = await database.query(claimText, [contract, name, request]);
  if (claimed) return { kind: "first", attempt: Number(claimed[0]) };
  const [row] = await database.query(lastText, [contract, name, request]);
  if (!row) return { kind: "under_way" };
  const [isSame, answer] = row;
  if (isSame !== true) return { kind: "another_request" };
  return answer instanceof Uint8Array ? { kind: "answered", answer } : { kind: "under_way" };
}

export async function answerWrite(database: Queryable, aead: Aead, keyed: KeyedWrite, attempt: number, answer: string): Promise<void> {
  const sealed = seal(aead, keyed.answerKey, keyed.request, utf8(answer));
  await database.query(endText, [keyed.contract, keyed.name, attempt, "answered", sealed]);
}

/** Nothing was written: the key is free again, for any request. */
export async function freeWrite(database: Queryable, { contract, name }: KeyedWrite, attempt: number): Promise<void> {
  await database.query(endText, [contract, name, attempt, "freed", null]);
}

/** `null` = it was sealed in another place. */
export function openWritten(aead: Aead, { answerKey, request }: KeyedWrite, answer: Uint8Array): string | null {
  const opened = open(aead, answerKey, request, answer);
  return opened && fromUtf8(opened);
}

export async function forgetWrites(database: Queryable): Promise<void> {
  await database.query(forgetText, []);
}

const lifeHours = 24;
/** Of one contract. */
const rowsMax = 20_000;
/** The purge counts its rows before it deletes them. */
const ofContractInUse = "exists (select from postern.contract c where c.contract_id = $1 and c.state in ('active', 'ended'))";

const claimText = `insert into postern.upstream_write (contract_id, name, attempt, step, request)
  select $1, $2, coalesce(max(attempt), 0) + 1, 'claimed', $3 from postern.upstream_write where contract_id = $1 and name = $2
  having count(*) filter (where step = 'claimed') = count(*) filter (where step = 'freed') and ${ofContractInUse}
    and (select count(*) from postern.upstream_write where contract_id = $1) < ${rowsMax}
  on conflict do nothing returning attempt`;
const lastText = `select claim.request = $3, ended.answer from postern.upstream_write claim
  left join postern.upstream_write ended on ended.contract_id = $1 and ended.name = $2 and ended.attempt = claim.attempt and ended.step = 'answered'
  where claim.contract_id = $1 and claim.name = $2 and claim.step = 'claimed' order by claim.attempt desc limit 1`;
const endText = `insert into postern.upstream_write (contract_id, name, attempt, step, answer)
  select $1, $2, $3, $4, $5::bytea where ${ofContractInUse} on conflict do nothing`;
const forgetText = `delete from postern.upstream_write w using postern.contract c
  where w.written_at <= now() - make_interval(hours => ${lifeHours}) and c.contract_id = w.contract_id and c.state in ('active', 'ended')`;
