/** An operator says of a clock that leapt that it is right. */
import * as z from "zod";
import { acceptClock, describeDoubt, selectClock } from "../contracts/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { OfficeDoor } from "../offices/index.ts";

/** How far what the operator reads elsewhere may be from the database's clock. */
const apartMsMax = 600_000;

const acceptBody = z.strictObject({ now: z.iso.datetime({ offset: true }) });
const acceptedSchema = z.object({ accepted: z.boolean(), doubt: z.string().nullable() });

export function clockRoutes(door: OfficeDoor): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/clock/accept",
      summary: "Say that the database's clock, which leapt, is right: contracts end and are purged by it again",
      body: {
        media: "application/json",
        bytesMax: 256,
        schema: acceptBody,
        description: "`now`: what another clock shows, with its offset.",
      },
      answers: { 200: { media: "application/json", description: "What was doubted until now", schema: acceptedSchema } },
      refusals: ["audit_unavailable"],
      handle: (received) => accept(door, received),
    },
  ];
}

async function accept(door: OfficeDoor, received: Received): ReturnType<Route["handle"]> {
  const who = await door.identity.identify(received.caller.authorization);
  if (!who.ok) return received.turnAway({ code: who.refusal });
  if (!door.offices.isOperator(who.value)) return received.turnAway({ code: "not_permitted" });
  const { now } = received.body as z.infer<typeof acceptBody>;
  const near = await isNear(door, Date.parse(now));
  const { issuer, subject } = who.value;
  await door.audit.append(await door.logs.gateway(door.database), {
    event: "clock.accepted",
    actor: { role: "operator", issuer, subject },
    request: received.caller.request,
    outcome: near.ok ? { effect: "allow", code: "accepted" } : { effect: "deny", code: near.refusal.code },
    facts: { now },
  });
  if (!near.ok) return near;
  const standing = await selectClock(door.database);
  await acceptClock(door.database);
  return ok(json(JSON.stringify({ accepted: true, doubt: standing && describeDoubt(standing) })));
}

async function isNear({ database }: OfficeDoor, now: number): Promise<Result<void, Refusal>> {
  const [row] = await database.query("select (extract(epoch from now()) * 1000)::float8");
  if (Math.abs(Number(row?.[0]) - now) <= apartMsMax) return ok(undefined);
  return refuse({ code: "unacceptable", errors: [{ pointer: "/now", code: "not_the_databases" }] });
}
