/**
 * Answers of a merchant's API that a contract lets be kept for minutes: as they came, sealed under a key that follows from the contract's locator key, for that
 * question, connector and credential. Who may see what of them is decided anew each time. The edge adds rows and changes none: a write adds one that says that
 * what was asked before it counts no more.
 */
import { type Aead, fromUtf8, hkdfSha256, hmacSha256, keyBytes, open, seal, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";

/** One question, while its answer may be kept. */
export interface KeptPlace {
  readonly contract: ContractId;
  /** The connector's, at the contract. */
  readonly connector: string;
  readonly name: Uint8Array;
  readonly key: Uint8Array;
}

/** `question`: all that makes it this one, the connector and its credential among it. */
export function keptPlace(
  locatorKey: Uint8Array,
  { contract, connector, question }: Pick<KeptPlace, "contract" | "connector"> & { readonly question: readonly string[] },
): KeptPlace {
  const own = hkdfSha256(locatorKey, utf8(contract), utf8("upstream answer"), keyBytes);
  const mac = (...parts: readonly string[]) => hmacSha256(own, utf8(canonicalJson([...parts])));
  return { contract, connector, name: mac("name", connector, ...question), key: mac("key", connector, ...question) };
}

/** In characters; of one contract, in rows. */
const charactersMax = 262_144;
const rowsMax = 1_000;
/** As long as any contract may say. */
const lifeMinutesMax = 60;

/** `null` = none, or none that still counts. */
export async function recallAnswer(
  database: Queryable,
  aead: Aead,
  { contract, connector, name, key }: KeptPlace,
  minutes: number,
): Promise<string | null> {
  const [row] = await database.query(recallText, [contract, connector, name, minutes]);
  const opened = row?.[0] instanceof Uint8Array ? open(aead, key, name, row[0]) : null;
  return opened && fromUtf8(opened);
}

/** `askedAt`: milliseconds of the database's clock, before it was asked. Not what is too long, and not where too many are kept. */
export async function keepAnswer(database: Queryable, aead: Aead, place: KeptPlace, { text, askedAt }: Kept): Promise<void> {
  if (text.length > charactersMax) return;
  const { contract, connector, name, key } = place;
  await database.query(keepText, [contract, connector, name, askedAt, seal(aead, key, name, utf8(text))]);
}

interface Kept {
  readonly text: string;
  readonly askedAt: number;
}

/** What was asked until now counts no more. */
export async function dropAnswers(database: Queryable, contract: ContractId, connector: string): Promise<void> {
  await database.query(dropText, [contract, connector]);
}

export async function forgetAnswers(database: Queryable): Promise<void> {
  await database.query(forgetText, []);
}

const recallText = `select a.answer from postern.upstream_answer a
  where a.contract_id = $1 and a.connector = $2 and a.name = $3 and a.asked_at > now() - make_interval(mins => $4::int)
    and not exists (select from postern.upstream_answer v
      where v.contract_id = $1 and v.connector = $2 and v.name = ''::bytea and v.asked_at >= a.asked_at)
  order by a.asked_at desc limit 1`;
/** The purge counts its rows before it deletes them. */
const ofContractInUse = "exists (select from postern.contract c where c.contract_id = $1 and c.state in ('active', 'ended'))";
const keepText = `insert into postern.upstream_answer (contract_id, connector, name, asked_at, answer)
  select $1, $2, $3, to_timestamp($4::float8 / 1000), $5::bytea
  where ${ofContractInUse} and (select count(*) from postern.upstream_answer where contract_id = $1) < ${rowsMax}`;
const dropText = `insert into postern.upstream_answer (contract_id, connector, name, asked_at) select $1, $2, ''::bytea, clock_timestamp() where ${ofContractInUse}`;
const forgetText = `delete from postern.upstream_answer a using postern.contract c
  where a.asked_at <= now() - make_interval(mins => ${lifeMinutesMax}) and c.contract_id = a.contract_id and c.state in ('active', 'ended')`;
