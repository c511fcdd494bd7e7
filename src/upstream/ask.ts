/**
 * One question to a merchant's API or database:  gate → attempts, within the connector's seconds → what is to be said
 *
 * What is safe to ask twice is asked again, after a pause of chance, where nothing answered or something in front of the API did, and only while the
 * question before it was answered. A write goes up once, unless the upstream itself knows one that comes again.
 */
import type { Connector } from "../connectors/index.ts";
import type { Json, Refusal, RefusalCode } from "../kernel/index.ts";
import { type Attempt, attempt, type Question } from "./attempt.ts";
import { attemptDatabase, type DatabaseReach } from "./database.ts";
import type { Gate, GatePlace, Gates, Outcome } from "./gates.ts";
import type { Reach } from "./reach.ts";

/**
 * `status`: an API's; absent where there was no answer. `detail`: what was wrong, for the log alone. `alert`: its owner is to be told that the credential
 * is refused.
 */
export type Asked =
  | { readonly ok: true; readonly status?: number; readonly body: Json; readonly link: string | null }
  | {
      readonly ok: false;
      readonly status?: number;
      readonly detail?: string;
      readonly refusal: UpstreamRefusal;
      readonly alert: boolean;
      /** Of a write: nobody knows whether it was carried out. */
      readonly perhapsDone: boolean;
    };

export interface UpstreamRefusal extends Refusal {
  readonly code: Extract<
    RefusalCode,
    "not_found" | "unacceptable" | "upstream_failed" | "upstream_late" | "upstream_busy" | "upstream_limited"
  >;
}

export interface Way {
  readonly reach: Reach;
  /** Absent where this runtime asks no databases. */
  readonly databases?: DatabaseReach | undefined;
  readonly gates: Gates;
  /** From 0 up to 1. */
  readonly random: () => number;
}

const attemptsMax = 3;
const pauseMs = 100;
/** Where a limit does not say until when. */
const usualSeconds = 1;
const secondsMax = 3_600;

export async function askUpstream(way: Way, connector: Connector, question: Question, place: GatePlace): Promise<Asked> {
  const gate = way.gates.enter(place);
  if (!gate.ok) return { ok: false, refusal: gate.refusal, alert: false, perhapsDone: false };
  const { write } = question;
  const mayRepeat = gate.value.mayRepeat && (write === undefined || write.repeat !== undefined);
  const { mayHold } = gate.value;
  const said = await within(connector.limits.seconds, (signal) => attempts(way, connector, question, { mayRepeat, mayHold, signal }));
  const outcome = outcomeOf(said, question.nowMs);
  const alert = gate.value.leave(outcome);
  if (said === "late") return { ok: false, refusal: { code: "upstream_late" }, alert, perhapsDone: write !== undefined };
  if (said.ok) return said;
  const { fault, status, detail } = said;
  return {
    ok: false,
    ...(status !== undefined && { status }),
    ...(detail !== undefined && { detail }),
    refusal: refusalOf(said, outcome),
    alert,
    perhapsDone: write !== undefined && unknownEnds.includes(fault),
  };
}

/** One for all: an error of its own, with its stack, would be made for each question. */
const over = new Error("the question is answered");

async function within<Value>(seconds: number, work: (signal: AbortSignal) => Promise<Value>): Promise<Value | "late"> {
  const ending = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), seconds * 1_000);
  try {
    return await Promise.race([work(ending.signal), late]);
  } finally {
    clearTimeout(timer);
    // Whatever is still under way, in either direction, ends with the answer.
    ending.abort(over);
  }
}

async function attempts(
  { reach, databases, random }: Way,
  connector: Connector,
  question: Question,
  { mayRepeat, mayHold, signal }: Pick<Gate, "mayRepeat" | "mayHold"> & { readonly signal: AbortSignal },
): Promise<Attempt> {
  for (let count = 1; ; count++) {
    const said =
      "tables" in connector
        ? await attemptDatabase(databases, connector, question)
        : await attempt(reach, connector, question, { signal, mayHold });
    const isAgain = !said.ok && (said.fault === "unreached" || said.fault === "broken");
    if (!isAgain || !mayRepeat || count === attemptsMax || signal.aborted) return said;
    await new Promise((resolve) => setTimeout(resolve, random() * pauseMs * count));
    if (signal.aborted) return said;
  }
}

/** After which a write may have been carried out. */
const unknownEnds: readonly Failed["fault"][] = ["unreached", "broken", "unusable"];

const outcomes = {
  unreached: "failed",
  broken: "failed",
  unusable: "answered",
  missing: "answered",
  rejected: "answered",
  credential_refused: "credential_refused",
} as const satisfies Partial<Record<Failed["fault"], Outcome["kind"]>>;

type Failed = Extract<Attempt, { ok: false }>;

function outcomeOf(said: Attempt | "late", nowMs: number): Outcome {
  if (said === "late") return { kind: "failed" };
  if (said.ok) return { kind: "answered" };
  const { fault, status = 0, retryAfter = null } = said;
  if (fault === "limited" || fault === "busy") return { kind: fault, seconds: secondsOf(retryAfter, nowMs) };
  return { kind: fault === "unusable" && status >= 500 ? "failed" : outcomes[fault] };
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function secondsOf(retryAfter: string | null, nowMs: number): number {
  const text = retryAfter ?? "";
  const seconds = /^[0-9]{1,9}$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - nowMs) / 1_000);
  return Number.isNaN(seconds) ? usualSeconds : Math.min(Math.max(seconds, 1), secondsMax);
}

/** A credential that is refused is the merchant's matter, not the agent's. */
function refusalOf({ fault, status }: Failed, outcome: Outcome): UpstreamRefusal {
  if (fault === "missing") return { code: "not_found" };
  if (fault === "rejected") return { code: "unacceptable", errors: [{ pointer: "/", code: "refused_by_upstream" }] };
  if (outcome.kind === "limited" || outcome.kind === "busy")
    return { code: `upstream_${outcome.kind}`, retryAfterSeconds: outcome.seconds };
  return { code: fault === "broken" && status === 503 ? "upstream_busy" : "upstream_failed" };
}
