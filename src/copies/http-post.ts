/** One POST to a sink, with its bounds: ten seconds, no redirect (it would carry the credential elsewhere), an answer of a megabyte. */
import type { Copied } from "./copy.ts";
import { type DeadLetter, SinkUnavailable } from "./sink.ts";

const answerWithinMs = 10_000;
const answerCharactersMax = 1_000_000;

export interface Posted {
  readonly status: number;
  readonly text: string;
}

export async function post(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<Posted> {
  try {
    const signal = AbortSignal.timeout(answerWithinMs);
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "error", signal });
    let text = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.length > answerCharactersMax) throw new SinkUnavailable("the answer is over its limit");
    }
    return { status: answer.status, text };
  } catch (error) {
    if (error instanceof SinkUnavailable) throw error;
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    throw new SinkUnavailable(timedOut ? "no answer in time" : "cannot be reached");
  }
}

/** What of a batch was not even looked at because of one of its entries: the batch is halved until that entry stands alone. */
export async function halving(
  batch: readonly Copied[],
  deliver: (part: readonly Copied[]) => Promise<readonly DeadLetter[] | { readonly refused: string }>,
): Promise<readonly DeadLetter[]> {
  const outcome = await deliver(batch);
  if (!("refused" in outcome)) return outcome;
  if (batch.length === 1) return [{ at: 0, reason: outcome.refused }];
  const middle = Math.ceil(batch.length / 2);
  const first = await halving(batch.slice(0, middle), deliver);
  const second = await halving(batch.slice(middle), deliver);
  return [...first, ...second.map(({ at, reason }) => ({ at: at + middle, reason }))];
}

/** The other side has read the content and does not want it; every other status may be another one tomorrow. */
export function isRefusal(status: number): boolean {
  return status === 400 || status === 413 || status === 422;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
