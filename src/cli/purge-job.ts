/** A contract's purge as the gateway tells it. */
import * as z from "zod";
import type { Client } from "./client.ts";
import { idOf } from "./command.ts";
import { Failure } from "./failure.ts";

export const jobSchema = z.looseObject({
  job: z.string(),
  contract: z.string(),
  basis: z.string(),
  step: z.string(),
  progress: z.object({ done: z.int(), of: z.int(), rows_deleted: z.int(), rows: z.int().nullable(), records_returned: z.int() }),
  not_before: z.string(),
});
export type Job = z.infer<typeof jobSchema>;

export function purgesPath(contract: string): string {
  return `/v1/contracts/${idOf(contract)}/purges`;
}

/** There is at most one. Throws Failure where nobody has asked for one. */
export async function findJob(client: Client, contract: string): Promise<Job> {
  const { purges } = await client.get(z.looseObject({ purges: z.array(jobSchema) }), purgesPath(contract));
  const [job] = purges;
  if (!job) throw new Failure(`nobody has asked to purge ${contract}; see: npx postern purge start --help`);
  return job;
}

export function describeJob({ job, contract, step, progress, not_before }: Job): string {
  const rows = progress.rows === null ? "" : `, ${progress.rows_deleted} of ${progress.rows} rows deleted`;
  return `${contract}: ${meaningOf(step, not_before)} (${step}, ${progress.done} of ${progress.of}${rows})\njob ${job}`;
}

/** For the steps where a person waits for something. */
function meaningOf(step: string, notBefore: string): string {
  if (step === "requested") return "waits for a second owner, or for the vendor where the contract has it approve";
  if (step === "fence") return "fenced; what was agreed to be returned is sealed, and waited for";
  if (step === "certified") return "purged, the certificate is there";
  if (step === "approved" && Date.parse(notBefore) > Date.now()) return `cooling until ${notBefore}`;
  return "purge under way";
}
