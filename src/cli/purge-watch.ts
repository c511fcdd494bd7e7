/** `postern purge watch`: asks once a second until the certificate is there. It remembers nothing: stopped and started again, it goes on. */
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, jsonFlag } from "./command.ts";
import { print, suggest } from "./output.ts";
import { askEveryMs, patiently } from "./patience.ts";
import { createProgress } from "./progress.ts";
import { describeJob, findJob, type Job } from "./purge-job.ts";

export const watch = command({
  meta: { description: "Follow a purge to its certificate" },
  examples: ["npx postern purge watch c-hangzhou-cs --as owner-1"],
  args: { ...contractArgument, ...clientFlags, ...jsonFlag },
  async run({ args }) {
    const client = createClient(args);
    const progress = createProgress();
    let last = "";
    for (;;) {
      const job = await patiently(() => findJob(client, args.id));
      const line = args.json ? JSON.stringify(job) : (describeJob(job).split("\n")[0] ?? "");
      if (process.stderr.isTTY && !args.json) progress.show(rowsOrSteps(job), totalOf(job), line);
      else if (line !== last) print(line);
      last = line;
      if (job.step === "certified") break;
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
    progress.end();
    if (args.json) return;
    if (process.stderr.isTTY) print(last);
    suggest(`npx postern purge certificate ${args.id} -o certificate.jws${asBefore(args)}`);
  },
});

function totalOf({ progress }: Job): number {
  return progress.of + (progress.rows ?? 0);
}

function rowsOrSteps({ progress }: Job): number {
  return progress.done + progress.rows_deleted;
}
