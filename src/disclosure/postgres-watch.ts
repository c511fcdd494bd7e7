/**
 * Watches from where seats are used. What a process knows of a seat it knows for a minute; then, or from another network, one statement adds the use and asks
 * what other processes saw. A seat that is used from one place costs a read nothing but a look into memory.
 */
import type { LogHandles } from "../audit/index.ts";
import { hkdfSha256, hmacSha256, keyBytes, toHex, utf8 } from "../crypto/index.ts";
import { networkPrefix } from "../policy/index.ts";
import type { Queryable } from "../storage/index.ts";
import { addSeatNote, addSeatUse } from "./postgres-uses.ts";
import { type Sharing, sharingOf } from "./sharing.ts";
import type { Come, SeatWatch } from "./watch.ts";

const askEveryMs = 60_000;
const seatsMax = 20_000;

interface Remembered {
  readonly address: string;
  askedAt: number;
  readonly sharing: Sharing | null;
  /** By whatever process. */
  readonly noted: boolean;
  /** When somebody here was asked to tell the log. */
  takenAt: number;
}

/** Inert: it may outlive whoever fills it. */
export type WatchMemory = Map<string, Remembered>;

export interface SeatWatchParts {
  readonly database: Queryable;
  readonly logs: LogHandles;
  readonly memory: WatchMemory;
  readonly now: () => number;
}

export function createSeatWatch({ database, logs, memory, now }: SeatWatchParts): SeatWatch {
  async function ask(seat: string, { contract, who, country }: Come, address: string): Promise<Sharing | null> {
    const { issuer, subject, tokenId, keyId } = who;
    const { pseudonymKey } = await logs.gateway(database);
    const key = hkdfSha256(pseudonymKey, new Uint8Array(), utf8("postern/seat-use/1"), keyBytes);
    const named = (...parts: string[]) => toHex(hmacSha256(key, utf8(JSON.stringify([contract, ...parts])))).slice(0, 32);
    const use = {
      ...{ contract, issuer, subject, country: country ?? null },
      network: named("network", networkPrefix(address) ?? ""),
      token: named("token", issuer, tokenId),
    };
    const seen = await addSeatUse(database, use, { tokenId, keyId });
    const sharing = seen && sharingOf({ at: seen.now, country: use.country }, seen.uses);
    const takenAt = memory.get(seat)?.takenAt ?? Number.NEGATIVE_INFINITY;
    memory.delete(seat);
    memory.set(seat, { address, askedAt: now(), sharing, noted: seen?.noted ?? false, takenAt });
    for (const oldest of memory.keys()) {
      if (memory.size <= seatsMax) break;
      memory.delete(oldest);
    }
    return sharing;
  }
  return {
    look(come) {
      const { address } = come;
      if (address === undefined) return null;
      const seat = nameOf(come);
      const known = memory.get(seat);
      const isFresh = known !== undefined && now() - known.askedAt < askEveryMs;
      // Of one that is shared it is known from where it comes: from everywhere.
      if (isFresh && (known.address === address || known.sharing !== null)) return known.sharing;
      // While one request asks again, the others go by what was known.
      if (known) known.askedAt = now();
      return ask(seat, come, address).catch((fault: unknown) => {
        memory.delete(seat);
        throw fault;
      });
    },
    takeNews(come) {
      const known = memory.get(nameOf(come));
      if (known === undefined || known.noted || now() - known.takenAt < askEveryMs) return false;
      known.takenAt = now();
      return true;
    },
    noted: ({ contract, who: { issuer, subject } }) => addSeatNote(database, { contract, issuer, subject }),
  };
}

function nameOf({ contract, who: { issuer, subject } }: Come): string {
  return `${contract}\u0000${issuer}\u0000${subject}`;
}
