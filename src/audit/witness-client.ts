/**
 * Asks witnesses to cosign what is published (https://c2sp.org/tlog-witness), beside the sequencer and never in its way: a witness that is slow, gone or
 * wrong costs its own cosignatures, and they catch up when it is back. A cosignature is stored once, and stands under its checkpoint ever after.
 */
import type { VerifySignature } from "../crypto/index.ts";
import type { Cell, Database } from "../storage/index.ts";
import { consistencyFrom } from "./consistency.ts";
import { openCosignatures, type WitnessKey } from "./cosignature.ts";
import { selectNewestCheckpoint } from "./postgres.ts";
import { type CompactRange, emptyRange, extendRange, hashesFromBytes } from "./tree.ts";
import { formatAddCheckpoint } from "./witness-request.ts";

const deadlineMs = 5_000;
const answerBytesMax = 16_384;
const pauseMinMs = 1_000;
const pauseMaxMs = 300_000;
const subtreeWidth = 256;

export interface AskedWitness {
  readonly key: WitnessKey;
  /** The submission prefix, without a slash at its end. */
  readonly url: string;
  /** Names of the logs whose checkpoints it is asked to cosign. */
  readonly logs: readonly string[];
}

/** `cosigned`: also where there was nothing to ask. The others name what the operator has to look at. */
export type WitnessOutcome =
  | "cosigned"
  | "does not answer"
  | "does not know this log"
  | "does not know this log's key"
  | "saw another history"
  | "saw more than this gateway has: was the database set back?"
  | "answers what is not a cosignature of its key"
  | `answers ${number}`;

export interface WitnessReport {
  readonly witness: string;
  readonly log: string;
  readonly outcome: Exclude<WitnessOutcome, "cosigned">;
}

/** Which witnesses are left alone for a while, and how long. Inert: it may outlive the connections of the client that filled it. */
export type WitnessPauses = Map<string, { readonly until: number; readonly ms: number }>;

export interface WitnessClientParts {
  readonly database: Database;
  readonly witnesses: readonly AskedWitness[];
  readonly verifySignature: VerifySignature;
  /** Milliseconds. */
  readonly now: () => number;
  /** Default: its own. */
  readonly pauses?: WitnessPauses | undefined;
}

export interface WitnessClient {
  /** Asks each for what it has not cosigned yet, of one log or of all. Answers what went wrong; that witness is left alone for a while, longer each time. */
  run(log?: string): Promise<WitnessReport[]>;
}

export function createWitnessClient(parts: WitnessClientParts): WitnessClient {
  const { pauses = new Map() } = parts;
  const ask = async (witness: AskedWitness, log: string): Promise<WitnessReport[]> => {
    const name = `${witness.key.name}+${witness.key.hash} ${log}`;
    const pause = pauses.get(name);
    if (pause && parts.now() < pause.until) return [];
    const outcome = await submit(parts, witness, log);
    if (outcome === "cosigned") {
      pauses.delete(name);
      return [];
    }
    const ms = Math.min(pauseMaxMs, (pause?.ms ?? pauseMinMs / 2) * 2);
    pauses.set(name, { until: parts.now() + ms, ms });
    return [{ witness: witness.key.name, log, outcome }];
  };
  return {
    async run(only) {
      const asked = parts.witnesses.map(async (witness) => {
        const reports: WitnessReport[] = [];
        for (const log of witness.logs.filter((name) => only === undefined || name === only)) reports.push(...(await ask(witness, log)));
        return reports;
      });
      return (await Promise.all(asked)).flat();
    },
  };
}

/** A witness that holds another size than we remember says so, and is asked once more from there. */
async function submit(parts: WitnessClientParts, witness: AskedWitness, log: string): Promise<WitnessOutcome> {
  const newest = await selectNewestCheckpoint(parts.database, log);
  const known = await selectCosignedSize(parts.database, witness, log);
  if (newest === null || newest.size <= known) return "cosigned";
  const first = await post(parts, witness, { log, old: known, ...newest });
  if (typeof first === "string") return first;
  if (first.size === known) return "saw another history";
  if (first.size > newest.size) return "saw more than this gateway has: was the database set back?";
  const second = await post(parts, witness, { log, old: first.size, ...newest });
  return typeof second === "string" ? second : "saw another history";
}

interface Submission {
  readonly log: string;
  readonly old: number;
  readonly size: number;
  readonly note: string;
}

/** `{ size }`: the witness's own, where it is not the one that was told. */
async function post(
  { database, verifySignature }: WitnessClientParts,
  witness: AskedWitness,
  { log, old, size, note }: Submission,
): Promise<WitnessOutcome | { readonly size: number }> {
  const proof =
    old === 0 || old === size ? [] : consistencyFrom(await rangeOf(database, log, old), await leavesOf(database, log, old, size));
  const answer = await fetch(`${witness.url}/add-checkpoint`, {
    method: "POST",
    body: formatAddCheckpoint({ old, proof, note }),
    // workerd knows no "error". What is answered elsewhere is no answer: it is told of by its status.
    redirect: "manual",
    signal: AbortSignal.timeout(deadlineMs),
  })
    .then(async (response) => ({ status: response.status, text: await textOf(response) }))
    .catch(() => null);
  if (answer === null) return "does not answer";
  const { status, text } = answer;
  if (status === 409 && /^(0|[1-9][0-9]{0,15})\n$/.test(text)) return { size: Number(text) };
  if (status !== 200) return outcomes.get(status) ?? `answers ${status}`;
  const [cosignature] = await openCosignatures(`${withoutOthers(note)}${text}`, [witness.key], verifySignature);
  if (cosignature === undefined) return "answers what is not a cosignature of its key";
  await database.query("insert into audit.cosignature (log, size, witness, line) values ($1, $2, $3, $4) on conflict do nothing", [
    log,
    size,
    storedNameOf(witness.key),
    cosignature.line,
  ]);
  return "cosigned";
}

const outcomes: ReadonlyMap<number, WitnessOutcome> = new Map([
  [403, "does not know this log's key"],
  [404, "does not know this log"],
  [409, "saw another history"],
  [422, "saw another history"],
]);

/** The checkpoint with its first signature line, the log's own: what a witness says is read beside that alone. */
function withoutOthers(note: string): string {
  const signatures = note.lastIndexOf("\n\n") + 2;
  return note.slice(0, note.indexOf("\n", signatures) + 1);
}

/** Throws where the answer is longer than any that a witness gives. */
async function textOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > answerBytesMax) throw new RangeError("the answer is too long");
  }
  return text + decoder.decode();
}

async function selectCosignedSize(database: Database, { key }: AskedWitness, log: string): Promise<number> {
  const [row] = await database.query("select coalesce(max(size), 0), now() from audit.cosignature where log = $1 and witness = $2", [
    log,
    storedNameOf(key),
  ]);
  return Number(row?.[0] ?? 0);
}

/** Under which its cosignatures are stored. */
export function storedNameOf({ name, hash }: WitnessKey): string {
  return `${name}+${hash}`;
}

/** The compact range of the first `size` leaves: of full 256-wide subtrees, then of the leaves behind them. */
async function rangeOf(database: Database, log: string, size: number): Promise<CompactRange> {
  const whole = Math.floor(size / subtreeWidth);
  const rows = await database.query("select root, now() from audit.subtree where log = $1 and index < $2 order by index", [log, whole]);
  const { hashes } = extendRange(
    emptyRange,
    rows.map(([root]) => bytesOf(root)),
  );
  return extendRange({ size: whole * subtreeWidth, hashes }, await leavesOf(database, log, whole * subtreeWidth, size));
}

/** Hashes of the leaves of `from` ≤ index < `to`. */
async function leavesOf(database: Database, log: string, from: number, to: number): Promise<Uint8Array[]> {
  const rows = await database.query(leavesText, [log, from, to]);
  return rows.flatMap(([first, hashes]) =>
    (hashesFromBytes(bytesOf(hashes)) ?? []).filter((_, i) => Number(first) + i >= from && Number(first) + i < to),
  );
}

function bytesOf(cell: Cell | undefined): Uint8Array {
  return cell instanceof Uint8Array ? cell : new Uint8Array();
}

const leavesText = `select index, leaf_hashes, now() from audit.seq where log = $1 and index < $3
    and index >= coalesce((select index from audit.seq where log = $1 and index <= $2 order by index desc limit 1), 0)
  order by index`;
