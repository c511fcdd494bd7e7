/** What operators do to a log. */
import * as z from "zod";
import type { EpochPlan } from "../audit/index.ts";
import { json, type Route } from "../http/index.ts";
import { ok } from "../kernel/index.ts";
import { type EpochDesk, openNewEpoch, planNewEpoch } from "./new-epoch.ts";

const orderBody = z.union([z.strictObject({ dry_run: z.literal(true) }), z.strictObject({ confirm: z.string().min(1).max(256) })]);
const planSchema = z.object({
  log: z.string(),
  origin: z.string(),
  entries: z.int(),
  published: z.object({ origin: z.string(), entries: z.int(), root: z.string(), checkpoint: z.string() }),
  lost: z.object({ from: z.int(), to: z.int() }),
  opens: z.string(),
  begun: z.boolean(),
  opened: z.boolean(),
});

export function epochRoutes(desk: EpochDesk): Route[] {
  return [
    {
      method: "POST",
      path: "/log/{log}/epochs",
      summary:
        "Of a log whose database was set back for good: what is lost (`dry_run`: nothing changes), or a new epoch (`confirm`: its origin)",
      body: { media: "application/json", bytesMax: 1_024, schema: orderBody, description: '`{"dry_run":true}` or `{"confirm":"…@2"}`.' },
      answers: {
        200: {
          media: "application/json",
          description: "What was published last, what the database holds, which places are lost (`from` ≤ place < `to`), and what opens",
          schema: planSchema,
        },
      },
      refusals: ["not_permitted", "wrong_state", "busy", "audit_unavailable", "keys_unavailable"],
      handle: async ({ body, caller, params }) => {
        const order = body as z.infer<typeof orderBody>;
        const { log = "" } = params;
        const plan = "confirm" in order ? await openNewEpoch(desk, caller, log, order.confirm) : await planNewEpoch(desk, caller, log);
        return plan.ok ? ok(json(JSON.stringify(describePlan(plan.value, "confirm" in order)))) : plan;
      },
    },
  ];
}

function describePlan({ log, origin, kept, published, lost, next, begun }: EpochPlan, opened: boolean): z.infer<typeof planSchema> {
  const { size, ...head } = published;
  return { log, origin, entries: kept, published: { ...head, entries: size }, lost, opens: next, begun, opened };
}
