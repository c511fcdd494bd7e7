/** A contract's keys as the gateway tells of them. Never a key. */
import * as z from "zod";
import { idOf } from "./command.ts";
import { columns, plain } from "./output.ts";

export const rotationSchema = z.looseObject({
  job: z.string(),
  contract: z.string(),
  epoch: z.int(),
  step: z.string(),
  progress: z.object({ done: z.int(), of: z.int(), rewrapped: z.int(), keys: z.int().nullable() }),
  index: z.object({ generation: z.int(), indexed: z.int(), records: z.int().nullable(), dropped: z.int() }).nullable(),
});
export type Rotation = z.infer<typeof rotationSchema>;

export const keysSchema = z.looseObject({
  contract: z.string(),
  epochs: z.array(
    z.looseObject({
      epoch: z.int(),
      state: z.string(),
      wrapped: z.object({ subjects: z.int(), purposes: z.int() }),
      commitments: z.object({ share_a: z.string(), share_b: z.string() }),
      created_at: z.string(),
      destroyed_at: z.string().nullable(),
    }),
  ),
  index: z.object({ generation: z.int(), records: z.int() }).nullable(),
  rotation: rotationSchema.nullable(),
});
export type Keys = z.infer<typeof keysSchema>;

export function keysPath(contract: string): string {
  return `/v1/contracts/${idOf(contract)}/keys`;
}

/** `now`: milliseconds. */
export function describeKeys({ contract, epochs, index, rotation }: Keys, now: number): string {
  const rows = epochs.map(({ epoch, state, wrapped, created_at, destroyed_at }) => [
    `  epoch ${epoch}`,
    plain(state),
    `${wrapped.subjects} subjects' and ${wrapped.purposes} other keys`,
    destroyed_at === null ? `${daysSince(created_at, now)} days old` : `destroyed ${plain(destroyed_at)}`,
  ]);
  const commitments = epochs.flatMap(({ epoch, commitments: { share_a, share_b } }) => [
    [`  epoch ${epoch}`, "share A", plain(share_a)],
    [`  epoch ${epoch}`, "share B", plain(share_b)],
  ]);
  const asked = index ? [`searches ask with index key ${index.generation}, over ${index.records} records`] : [];
  const moving = rotation ? [describeRotation(rotation)] : [];
  return [
    `keys of ${contract}`,
    columns(rows),
    'commitments, SHA-256("keycommit" ‖ share)',
    columns(commitments),
    ...asked,
    ...moving,
  ].join("\n");
}

export function describeRotation({ contract, epoch, step, progress, index }: Rotation): string {
  const keys = progress.keys === null ? "" : `, ${progress.rewrapped} of ${progress.keys} subjects' keys`;
  const records = index
    ? `, index key ${index.generation}: ${index.indexed} of ${index.records ?? "?"} records, ${index.dropped} old rows gone`
    : "";
  return `${contract}: ${meanings[step] ?? "rotation under way"}, epoch ${epoch} (${step}, ${progress.done} of ${progress.of}${keys}${records})`;
}

export function isOver({ step }: Rotation): boolean {
  return step === "share_a" || step === "abandoned";
}

/** What a person waits for, by what is behind the job. */
const meanings: Readonly<Record<string, string>> = {
  requested: "rotation asked for",
  epoch: "keys move to the new epoch",
  rewrap: "keys lie under the new epoch; waits, or rebuilds the index",
  index: "searches ask with the new index key; waits until nobody has the old one",
  retire: "waits until nobody can have a key of the old epochs in memory",
  index_drop: "the old index rows are deleted",
  share_b: "the old epochs are being destroyed",
  share_a: "rotated, the old epochs are destroyed",
  abandoned: "rotation given up: the contract's purge came",
};

function daysSince(instant: string, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(instant)) / 86_400_000));
}
