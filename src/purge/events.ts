/**
 * An owner watches a purge as server-sent events (WHATWG HTML §9.2): an event whenever the job has moved, the last with its certificate.
 * One reading, so one entry, however long it lasts. An event's id says how far the job was; whoever comes back with it is told of what is further only.
 * Nothing runs here: the job is looked at, as the run writes it down, so that it is the same job whoever runs it.
 */
import { ok, type Refusal, type Result } from "../kernel/index.ts";
import type { Visit } from "../offices/index.ts";
import { type PurgeDesk, readPurge } from "./order.ts";
import { steps } from "./plan.ts";
import { type PurgeJob, selectJob } from "./postgres.ts";

const lookEveryMs = 500;
/** A comment so often where nothing moves: a reader who went away is noticed, and no proxy takes the stream for dead. */
const quietMs = 10_000;
/** Then the reader asks again, with a token that is still good. */
const followMs = 600_000;

export interface PurgeEvent {
  readonly id: string;
  readonly job: PurgeJob;
}

/** `null` = nothing moved for a while. Ends behind the certificate. */
export async function followPurge(
  desk: PurgeDesk,
  visit: Visit,
  { contract, job, after }: { readonly contract: PurgeJob["contract"]; readonly job: string; readonly after: string | null },
): Promise<Result<AsyncGenerator<PurgeEvent | null>, Refusal>> {
  const first = await readPurge(desk, visit, contract, job);
  if (!first.ok) return first;
  const until = Date.now() + followMs;
  const follow = async function* () {
    let told = after;
    let spokenAt = Date.now();
    for (let found: PurgeJob | null = first.value; found && Date.now() < until; found = await selectJob(desk.database, contract)) {
      const id = placeOf(found);
      if (id !== told || found.step === "certified") yield { id, job: found };
      else if (Date.now() > spokenAt + quietMs) yield null;
      if (id !== told || Date.now() > spokenAt + quietMs) spokenAt = Date.now();
      told = id;
      if (found.step === "certified") return;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
  return ok(follow());
}

function placeOf({ step, facts, notBefore }: PurgeJob): string {
  const deleted = Object.values(facts.deleted ?? {}).reduce((total, count) => total + count, 0);
  return [steps.indexOf(step), facts.returned?.records ?? 0, deleted, step === "approved" ? notBefore : 0].map(Math.floor).join("-");
}

/** An event is looked for when the reader wants one, and looking ends when the reader goes. `describe`: an event's data, one line of JSON. */
export function eventStream(followed: AsyncGenerator<PurgeEvent | null>, describe: (job: PurgeJob) => string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode("retry: 1000\n\n")),
    async pull(controller) {
      const { done, value } = await followed.next();
      if (done) return controller.close();
      const text =
        value === null ? ": nothing moved\n\n" : `id: ${value.id}\nevent: ${nameOf(value.job)}\ndata: ${describe(value.job)}\n\n`;
      controller.enqueue(encoder.encode(text));
    },
    cancel: () => void followed.return(undefined),
  });
}

function nameOf({ step }: PurgeJob): string {
  return step === "certified" ? "certified" : "progress";
}
