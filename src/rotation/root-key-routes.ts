/** The root key, for whoever runs the gateway: what lies under which, and moving it from one to another. */
import * as z from "zod";
import { json, type Route } from "../http/index.ts";
import { ok } from "../kernel/index.ts";
import { moveToRootKey, type RootKeyDesk, type RootKeyStanding, readRootKey } from "./root-key.ts";

const moveBody = z.union([z.strictObject({ dry_run: z.literal(true) }), z.strictObject({ confirm: z.string().max(64) })]);
const standingSchema = z.object({
  /** Of the root key that wraps, and of the one that is read beside it: hashes, which tell nothing of the keys. */
  root_key: z.string(),
  beside: z.string().nullable(),
  /** `shares`: A, of contracts' epochs. */
  wrapped: z.array(z.object({ root_key: z.string(), shares: z.int(), log_keys: z.int() })),
  /** Keys under the one beside; and under neither, which nothing here opens. */
  left: z.int(),
  foreign: z.int(),
  /** Whether the database lets the keeper change the logs' keys: its owner grants it for a move. */
  may_change_log_keys: z.boolean(),
});
const movedSchema = standingSchema.extend({
  moved: z.int(),
  /** Places of keys that do not open under the one beside. */
  stuck: z.array(z.string()),
});

export function rootKeyRoutes(desk: RootKeyDesk): Route[] {
  const standing = { media: "application/json", description: "What lies under which root key", schema: standingSchema } as const;
  return [
    {
      method: "GET",
      path: "/v1/root-key",
      summary: "Under which root key shares and the logs' keys lie",
      answers: { 200: standing },
      refusals: ["audit_unavailable"],
      handle: async ({ caller }) => {
        const read = await readRootKey(desk, caller);
        return read.ok ? ok(json(JSON.stringify(describe(read.value)))) : read;
      },
    },
    {
      method: "POST",
      path: "/v1/root-key/rewrap",
      summary:
        "Move what lies under the root key beside to the one that wraps (`confirm`: its name), for ten seconds at most; or look (`dry_run`)",
      body: { media: "application/json", bytesMax: 256, schema: moveBody, description: '`{"dry_run":true}` or `{"confirm":"…"}`.' },
      answers: { 200: { ...standing, description: "What was moved, and what is left", schema: z.union([standingSchema, movedSchema]) } },
      refusals: ["misconfigured", "audit_unavailable", "keys_unavailable"],
      handle: async ({ caller, body }) => {
        const order = body as z.infer<typeof moveBody>;
        if ("dry_run" in order) {
          const read = await readRootKey(desk, caller);
          return read.ok ? ok(json(JSON.stringify(describe(read.value)))) : read;
        }
        const done = await moveToRootKey(desk, caller, order.confirm);
        if (!done.ok) return done;
        const { moved, stuck, standing: now } = done.value;
        return ok(json(JSON.stringify({ ...describe(now), moved, stuck })));
      },
    },
  ];
}

function describe({ name, beside, wrapped, left, foreign, mayChange }: RootKeyStanding): z.infer<typeof standingSchema> {
  const counted = wrapped.map(({ name: root_key, shares, logKeys }) => ({ root_key, shares, log_keys: logKeys }));
  return { root_key: name, beside, wrapped: counted, left, foreign, may_change_log_keys: mayChange };
}
