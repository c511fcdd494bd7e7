/** A contract's keys, for its owners: how they stand, and moving them to a new epoch. */
import * as z from "zod";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import type { OfficeDoor } from "../offices/index.ts";
import { type KeysStanding, readKeys, requestRotation } from "./order.ts";
import { actsOf, steps } from "./plan.ts";
import type { IndexFacts, Rotation } from "./postgres.ts";

const instant = z.iso.datetime();
const orderBody = z.union([
  z.strictObject({ dry_run: z.literal(true) }),
  z.strictObject({ confirm: z.string().max(128), index: z.boolean().exactOptional() }),
]);
const rotationSchema = z.object({
  job: z.string(),
  contract: z.string(),
  /** The epoch that it makes. */
  epoch: z.int(),
  step: z.enum(steps),
  /** Steps behind it, and all; subjects' keys wrapped anew, and how many there were when the epoch was made. */
  progress: z.object({ done: z.int(), of: z.int(), rewrapped: z.int(), keys: z.int().nullable() }),
  /** `null`: the index key stays. Else the new one's number, records with rows under it, how many there were, and rows of the old one that are deleted. */
  index: z.object({ generation: z.int(), indexed: z.int(), records: z.int().nullable(), dropped: z.int() }).nullable(),
  requested_at: instant,
});
const keysSchema = z.object({
  contract: z.string(),
  epochs: z.array(
    z.object({
      epoch: z.int(),
      state: z.enum(["in_use", "retired", "destroyed"]),
      /** Subjects' and purposes' keys that are wrapped under it. */
      wrapped: z.object({ subjects: z.int(), purposes: z.int() }),
      /** SHA-256("keycommit" ‖ share), base64. */
      commitments: z.object({ share_a: z.string(), share_b: z.string() }),
      created_at: instant,
      retired_at: instant.nullable(),
      destroyed_at: instant.nullable(),
    }),
  ),
  /** The index key that searches ask with, and the records that a rotation of it would open. */
  index: z.object({ generation: z.int(), records: z.int() }).nullable(),
  rotation: rotationSchema.nullable(),
});

export function keysRoutes(desk: OfficeDoor): Route[] {
  const standing = {
    media: "application/json",
    description: "Epochs, commitments and what is wrapped under which",
    schema: keysSchema,
  } as const;
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/keys",
      summary: "How the contract's keys stand, and the rotation that is under way or was the last",
      answers: { 200: standing },
      refusals: ["audit_unavailable"],
      handle: (received) => answerStanding(desk, received),
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/keys/rotate",
      summary:
        "Move every key to a new epoch and destroy the old ones (`confirm`: the contract's id), with `index` under a new index key, or see what would move (`dry_run`)",
      body: {
        media: "application/json",
        bytesMax: 1_024,
        schema: orderBody,
        description: '`{"dry_run":true}`, `{"confirm":"c-…"}`, or `{"confirm":"c-…","index":true}`.',
      },
      answers: { 200: standing, 202: { media: "application/json", description: "The rotation", schema: rotationSchema } },
      refusals: ["wrong_state", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const body = received.body as z.infer<typeof orderBody>;
        if ("dry_run" in body) return answerStanding(desk, received);
        const requested = await requestRotation(desk, received.caller, contractOf(received), { index: false, ...body });
        return requested.ok ? ok(json(JSON.stringify(describeRotation(requested.value)), {}, 202)) : requested;
      },
    },
  ];
}

async function answerStanding(desk: OfficeDoor, received: Received): ReturnType<Route["handle"]> {
  const read = await readKeys(desk, received.caller, contractOf(received));
  return read.ok ? ok(json(JSON.stringify(describeKeys(read.value)))) : read;
}

function describeKeys({ contract, epochs, rotation, index }: KeysStanding): z.infer<typeof keysSchema> {
  return {
    contract,
    epochs: epochs.map(({ epoch, wrapped, commitmentA, commitmentB, createdAt, retiredAt, destroyedAt }) => ({
      epoch,
      state: destroyedAt !== null ? "destroyed" : retiredAt !== null ? "retired" : "in_use",
      wrapped,
      commitments: { share_a: commitmentA, share_b: commitmentB },
      created_at: isoOf(createdAt),
      retired_at: retiredAt === null ? null : isoOf(retiredAt),
      destroyed_at: destroyedAt === null ? null : isoOf(destroyedAt),
    })),
    index,
    rotation: rotation && describeRotation(rotation),
  };
}

function describeRotation({ id, contract, epoch, step, rewrapped, facts, createdAt }: Rotation): z.infer<typeof rotationSchema> {
  const own: readonly string[] = actsOf(facts.index !== undefined);
  const done = own.indexOf(step) + 1;
  const progress = { done, of: own.length, rewrapped, keys: facts.subjects ?? null };
  const index = facts.index ? shownIndex(facts.index) : null;
  return { job: id, contract, epoch, step, progress, index, requested_at: isoOf(createdAt) };
}

function shownIndex({ generation, indexed, records, dropped }: IndexFacts) {
  return { generation, indexed, records, dropped };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
