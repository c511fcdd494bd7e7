/** The uses of seats, in whatever process they were seen. The edge adds rows; the keeper's tick takes them away. */
import { and, lt, sql } from "drizzle-orm";
import { isRevokedText } from "../revocations/index.ts";
import { databaseNowText, orm, type Queryable } from "../storage/index.ts";
import { seatUse } from "./schema.ts";
import type { SeatUse } from "./sharing.ts";

/** In which uses count as being at the same time. */
const windowSeconds = 300;
const keptSeconds = 600;

export interface NewUse {
  readonly contract: string;
  readonly issuer: string;
  readonly subject: string;
  /** Keyed hashes. */
  readonly network: string;
  readonly token: string;
  readonly country: string | null;
}

export interface SeenUses {
  /** The database's clock, milliseconds. */
  readonly now: number;
  /** Of the last minutes, without this one. */
  readonly uses: readonly SeatUse[];
  /** The log was told in the last minutes. */
  readonly noted: boolean;
}

const revoked = isRevokedText({ issuer: "$2::text", subject: "$3::text", token: "$7::text", key: "$8::text", vendor: "c.vendor" });
const ofSeat = "u.contract_id = $1 and u.issuer = $2 and u.subject = $3";
const recent = `u.seen_at > now() - interval '${windowSeconds} seconds'`;
const addText = `insert into postern.seat_use (contract_id, issuer, subject, network, token, country)
  select s.contract_id, s.issuer, s.subject, $4, $5, $6 from postern.seat s join postern.contract c on c.contract_id = s.contract_id
  where s.contract_id = $1 and s.issuer = $2 and s.subject = $3 and s.revoked_at is null and c.state in ('active', 'ended') and not ${revoked}
  on conflict do nothing
  returning ${databaseNowText}, (select json_agg(json_build_array(u.network, u.token, u.country, extract(epoch from u.seen_at) * 1000, u.noted))::text
    from postern.seat_use u where ${ofSeat} and ${recent})`;

type UseRow = [network: string, token: string, country: string | null, seenAt: number, noted: boolean];

/** Adds a use and answers the others. `null` = nothing was added: whoever it is has no seat there, or is revoked. */
export async function addSeatUse(
  database: Queryable,
  { contract, issuer, subject, network, token, country }: NewUse,
  shown: { readonly tokenId: string; readonly keyId: string },
): Promise<SeenUses | null> {
  const values = [contract, issuer, subject, network, token, country, shown.tokenId, shown.keyId];
  const [row] = await database.query(addText, values);
  if (row === undefined) return null;
  const rows = row[1] === null ? [] : (JSON.parse(String(row[1])) as UseRow[]);
  const uses = rows
    .filter(([, , , , noted]) => !noted)
    .map(([from, by, where, seenAt]) => ({ own: from === network, network: from, sameToken: by === token, country: where, seenAt }));
  return { now: Number(row[0]), uses, noted: uses.length < rows.length };
}

const noteText = `insert into postern.seat_use (contract_id, issuer, subject, network, token, noted) values ($1, $2, $3, '', '', true)
  on conflict do nothing`;

/** For as long as uses count, every process knows that the log was told. */
export async function addSeatNote(
  database: Queryable,
  { contract, issuer, subject }: Omit<NewUse, "network" | "token" | "country">,
): Promise<void> {
  await database.query(noteText, [contract, issuer, subject]);
}

/** Not of a contract that is being purged: the purge counts its rows before it deletes them. */
export async function forgetSeatUses(database: Queryable): Promise<void> {
  const inUse = sql`exists (select from postern.contract c where c.contract_id = ${seatUse.contractId} and c.state in ('active', 'ended'))`;
  const isOld = lt(seatUse.seenAt, sql`now() - make_interval(secs => ${keptSeconds}::int)`);
  await orm(database).delete(seatUse).where(and(isOld, inUse));
}
