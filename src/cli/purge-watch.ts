/** `postern purge watch`: the job's own events until the certificate is there. It remembers nothing: stopped and started again, it goes on. */
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, idOf, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { note, print, suggest } from "./output.ts";
import { createProgress } from "./progress.ts";
import { describeJob, findJob, type Job, jobSchema, purgesPath } from "./purge-job.ts";

const againAfterMs = 1_000;
/** A gateway that restarts resumes its purges by itself. */
const awayMaxMs = 60_000;

export const watch = command({
  meta: { description: "Follow a purge to its certificate" },
  examples: ["npx postern purge watch c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const client = createClient(args);
    const progress = createProgress();
    const { job: id } = await findJob(client, args.id);
    let last = "";
    for await (const job of eventsOf((after) => client.stream(`${purgesPath(args.id)}/${idOf(id)}/events`, after))) {
      const line = args.json ? JSON.stringify(job) : (describeJob(job).split("\n")[0] ?? "");
      const { rows_deleted, rows } = job.progress;
      // Rows, and nothing that is not a row: how long the other steps take does not follow from how many there are.
      if (process.stderr.isTTY && !args.json) progress.show(rows_deleted, rows, line);
      else if (line !== last) print(line);
      last = line;
    }
    progress.end();
    if (args.json) return;
    if (process.stderr.isTTY) print(last);
    suggest(`npx postern purge certificate ${args.id} -o certificate.jws${asBefore(args)}`);
  },
});

/** Goes on behind the last event when the stream ends or the gateway goes away, and ends behind the certificate. */
async function* eventsOf(open: (after: Readonly<Record<string, string>>) => Promise<Response>): AsyncGenerator<Job> {
  let after: Record<string, string> = {};
  let told = false;
  for (let heardAt = Date.now(); ; ) {
    try {
      for await (const { id, data } of messagesOf(await open(after))) {
        [heardAt, told, after] = [Date.now(), false, { "last-event-id": id }];
        const job = jobSchema.parse(JSON.parse(data));
        yield job;
        if (job.step === "certified") return;
      }
    } catch (error) {
      const away = !(error instanceof Failure) || error.exitCode === exitCodes.unavailable;
      if (!away || Date.now() - heardAt > awayMaxMs) throw error;
      if (!told) note("the gateway does not answer; asking again");
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
}

/** Server-sent events as we write them: one line of data each; comments and `retry` are passed over. */
async function* messagesOf(answer: Response): AsyncGenerator<{ readonly id: string; readonly data: string }> {
  let rest = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = `${rest}${chunk}`.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, id] = /^id: (.*)$/m.exec(block) ?? [];
      const [, data] = /^data: (.*)$/m.exec(block) ?? [];
      if (id !== undefined && data !== undefined) yield { id, data };
    }
  }
}
