/**
 * One question to a service that holds keys, over HTTP:  breaker → turn → ask (→ back off → ask again) → answer.
 * Whatever it says, the caller knows within three seconds. Neither a credential nor anything of a body stands in an error: it names the status only.
 */
import type * as z from "zod";
import { createBreaker } from "../kernel/index.ts";
import { KeysUnavailable } from "./ports.ts";

const answerWithinMs = 3_000;
const answerBytesMax = 65_536;
const triesMax = 3;
const backOffMs = 100;
const parallelMaxDefault = 16;
const waitingMax = 1_000;

export interface ServiceQuestion {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ServiceAnswer {
  readonly status: number;
  /** Parsed JSON; `null` where the answer had no body. */
  readonly body: unknown;
}

export interface ServiceCallOptions {
  /** In errors: `the key service`. */
  readonly name: string;
  /** Of an answer that is no fault of the question's: worth asking again, and what the breaker counts. Server errors are in any case. */
  readonly isBusy: (answer: ServiceAnswer) => boolean;
  /** Milliseconds. Default: the clock. */
  readonly now?: (() => number) | undefined;
  /** Default: 16, and others wait their turn. On Workers, where one request may not wait for another's, `Infinity`. */
  readonly parallelMax?: number | undefined;
}

/** Throws KeysUnavailable where the service could not be asked in time; the question is made anew for each try, since a signature ages. */
export type ServiceCall = (question: () => Promise<ServiceQuestion>) => Promise<ServiceAnswer>;

export function createServiceCall({ name, isBusy, now = Date.now, parallelMax = parallelMaxDefault }: ServiceCallOptions): ServiceCall {
  const breaker = createBreaker(now);
  const turns = createTurns(parallelMax);

  const tryOnce = async (question: () => Promise<ServiceQuestion>, deadline: number): Promise<ServiceAnswer | KeysUnavailable> => {
    try {
      const answer = await ask(await question(), Math.max(1, deadline - now()));
      const isFinal = answer.status === 200 || (answer.status >= 400 && answer.status < 500);
      if (isFinal && !isBusy(answer)) return answer;
      return new KeysUnavailable(`${name} answers ${answer.status}`);
    } catch (error) {
      if (error instanceof KeysUnavailable) throw error;
      return new KeysUnavailable(`${name} ${failureOf(error)}`);
    }
  };

  return async (question) => {
    const deadline = now() + answerWithinMs;
    return turns(async () => {
      if (now() >= deadline || !breaker.admits()) throw new KeysUnavailable(`${name} does not answer`);
      for (let tries = 1; ; tries++) {
        const outcome = await tryOnce(question, deadline);
        if (!(outcome instanceof KeysUnavailable)) {
          breaker.answered();
          return outcome;
        }
        const pauseMs = backOffMs * 2 ** (tries - 1) * (0.5 + Math.random());
        if (tries < triesMax && now() + pauseMs < deadline) {
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          continue;
        }
        breaker.failed(now() >= deadline);
        throw outcome;
      }
    });
  };
}

/** Throws KeysUnavailable where a body is not of the shape that the service documents. */
export function answerReader(name: string): <Schema extends z.ZodType>(schema: Schema, body: unknown) => z.infer<Schema> {
  return (schema, body) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw new KeysUnavailable(`${name} answers what is not an answer of its own`);
    return parsed.data;
  };
}

class NotAnAnswer extends Error {}

/** No redirect is followed: it would carry the credential, or a key, elsewhere. */
async function ask({ url, method, headers, body }: ServiceQuestion, withinMs: number): Promise<ServiceAnswer> {
  const signal = AbortSignal.timeout(withinMs);
  const response = await fetch(url, { method, headers, redirect: "manual", signal, ...(body === undefined ? {} : { body }) });
  const { status } = response;
  const text = await textOf(response);
  if (text === "") return { status, body: null };
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    // A refusal in whatever words is one; a success is not.
    if (status >= 400) return { status, body: null };
    throw new NotAnAnswer(`answers ${status} with what is not JSON`);
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new NotAnAnswer("answers more than an answer holds");
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function failureOf(error: unknown): string {
  if (error instanceof NotAnAnswer) return error.message;
  return error instanceof Error && error.name === "TimeoutError" ? "does not answer in time" : "cannot be reached";
}

/** At most so many at a time; a fixed number wait, and no longer than those before them take, each of which has its deadline. */
function createTurns(parallelMax: number): <Value>(work: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= parallelMax) {
      if (waiting.length >= waitingMax) throw new KeysUnavailable("too many wait for the key service");
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
