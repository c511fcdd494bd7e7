/**
 * Before a merchant's API is asked: does it want to be left alone, and is enough under way for the contract already? What is known of it is what it answered
 * this process. Numbers only: on Workers it outlives the request that counted, and a question that was cut off is forgotten after its time.
 */
import { toHex } from "../crypto/index.ts";
import { type Breaker, type ContractId, createBreaker, ok, type Result, refuse } from "../kernel/index.ts";

export interface GatePlace {
  readonly contract: ContractId;
  /** The connector's, at the contract. */
  readonly name: string;
  /** As it is sealed. With another one it is another matter, of which nothing is known. */
  readonly credential: Uint8Array;
}

/** What an upstream made of a question. */
export type Outcome =
  | { readonly kind: "answered" | "failed" | "credential_refused" }
  /** It counts questions, or rests, for so long. */
  | { readonly kind: "limited" | "busy"; readonly seconds: number };

export interface Closed {
  readonly code: "upstream_limited" | "upstream_busy";
  readonly retryAfterSeconds: number;
}

export interface Gate {
  /** The last question was answered: one that fails may be asked again. While it is not, each is asked once, so that no storm comes of it. */
  readonly mayRepeat: boolean;
  /** So many bytes more of an answer are to be kept. `false`: the contract's answers together, or all of this process, are as large as they may be. */
  mayHold(bytes: number): boolean;
  /** `true`: its owner is to be told that the credential is refused. */
  leave(outcome: Outcome): boolean;
}

export interface Gates {
  enter(place: GatePlace): Result<Gate, Closed>;
  /** Its owner was told. */
  told(place: GatePlace): void;
}

interface UnderWay {
  readonly began: number;
  heldBytes: number;
}

interface Standing {
  readonly credential: string;
  readonly breaker: Breaker;
  closed: { readonly code: Closed["code"]; readonly until: number } | null;
  toldAt: number;
}

const underWayMax = 64;
/** Of answers that are being read: for a contract, and in this process. */
const heldBytesMax = { contract: 16 * 2 ** 20, process: 24 * 2 ** 20 };
/** An answer is held no longer than it is read. */
const crowdedSeconds = 1;
/** Longer than any connector may take. */
const forgottenMs = 60_000;
const breakerSeconds = 5;
const standingsMax = 10_000;
const tellAgainMs = 3_600_000;

/** `now`: milliseconds. */
export function createGates(now: () => number): Gates {
  const standings = new Map<string, Standing>();
  const underWay = new Map<ContractId, UnderWay[]>();
  const standingOf = ({ contract, name, credential }: GatePlace): Standing => {
    const key = `${contract}\n${name}`;
    const nonce = toHex(credential.subarray(0, 24));
    const known = standings.get(key);
    if (known?.credential === nonce) return known;
    const made: Standing = { credential: nonce, breaker: createBreaker(now), closed: null, toldAt: Number.NEGATIVE_INFINITY };
    const [oldest] = standings.keys();
    if (oldest !== undefined && standings.size >= standingsMax) standings.delete(oldest);
    standings.set(key, made);
    return made;
  };
  const heldHere = (at: number) => [...underWay.values()].reduce((sum, questions) => sum + heldOf(questions, at), 0);
  return {
    enter(place) {
      const standing = standingOf(place);
      const began = now();
      const others = (underWay.get(place.contract) ?? []).filter((other) => began - other.began < forgottenMs);
      if (others.length >= underWayMax) return refuse({ code: "upstream_limited", retryAfterSeconds: 1 });
      if (standing.closed && standing.closed.until > began)
        return refuse({ code: standing.closed.code, retryAfterSeconds: Math.ceil((standing.closed.until - began) / 1_000) });
      if (heldHere(began) >= heldBytesMax.process) return refuse({ code: "upstream_busy", retryAfterSeconds: crowdedSeconds });
      const mayRepeat = standing.breaker.isSound();
      if (!standing.breaker.admits()) return refuse({ code: "upstream_busy", retryAfterSeconds: breakerSeconds });
      const own: UnderWay = { began, heldBytes: 0 };
      underWay.set(place.contract, [...others, own]);
      return ok({
        mayRepeat,
        mayHold(bytes) {
          const at = now();
          if (heldOf(underWay.get(place.contract) ?? [], at) + bytes > heldBytesMax.contract) return false;
          if (heldHere(at) + bytes > heldBytesMax.process) return false;
          own.heldBytes += bytes;
          return true;
        },
        leave(outcome) {
          const left = (underWay.get(place.contract) ?? []).filter((other) => other !== own);
          if (left.length === 0) underWay.delete(place.contract);
          else underWay.set(place.contract, left);
          note(standing, outcome, now());
          return outcome.kind === "credential_refused" && now() - standing.toldAt >= tellAgainMs;
        },
      });
    },
    told(place) {
      standingOf(place).toldAt = now();
    },
  };
}

function heldOf(questions: readonly UnderWay[], at: number): number {
  return questions.reduce((sum, { began, heldBytes }) => (at - began < forgottenMs ? sum + heldBytes : sum), 0);
}

function note(standing: Standing, outcome: Outcome, nowMs: number): void {
  if (outcome.kind === "limited" || outcome.kind === "busy")
    standing.closed = { code: `upstream_${outcome.kind}`, until: nowMs + outcome.seconds * 1_000 };
  else if (outcome.kind === "answered") standing.breaker.answered();
  else standing.breaker.failed(false);
}
