/** A route of a directory:  door → act → answer, and the entry of a refusal that came behind the door. What is done is logged by whoever does it. */
import * as z from "zod";
import type { EventName } from "../audit/index.ts";
import type { Answer, Received, Route } from "../http/index.ts";
import { ok } from "../kernel/index.ts";
import { enterScim, noteScim, type ScimDesk } from "./enter.ts";
import { parseFilter } from "./filter.ts";
import { answerRefusal, media, refusalForm, refuseAs, type Told } from "./told.ts";
import type { Call } from "./users.ts";

/** A thousand members, and what else a directory says of a person. */
const bytesMax = 256 * 1024;
export const countMax = 200;

export interface Act {
  readonly method: Route["method"];
  /** Behind `/v1/scim/{vendor}/v2`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** What the body is, where there is one. */
  readonly body?: string;
  readonly status: 200 | 201 | 204;
  /** Of a refusal; of a look, what was done, too. */
  readonly event: EventName;
  readonly handle: (call: Call, received: Received) => Promise<Told<Answer>>;
}

export function scimRoute(desk: ScimDesk, { method, path, summary, query, body, status, event, handle }: Act): Route {
  return {
    method,
    path: `/v1/scim/{vendor}/v2${path}`,
    summary,
    ...(query && { query }),
    ...(body !== undefined && { body: { media, alsoAs: ["application/json"], bytesMax, schema: z.unknown(), description: body } }),
    answers: { [status]: { media, description: status === 204 ? "Done" : "As RFC 7643 writes it" } },
    refusals: ["token_invalid", "audit_unavailable", "keys_unavailable"],
    refusalForm,
    handle: async (received) => {
      const visit = received.caller;
      const entered = await enterScim(desk, visit, received.params.vendor ?? "");
      if (!entered.ok) return entered;
      const directory = entered.value;
      if (event === "scim.read") await noteScim(desk, visit, directory, { event, outcome: { effect: "allow", code: "ok" } });
      const done = await handle({ desk, visit, directory, ifMatch: received.header("if-match") }, received);
      if (done.ok) return done;
      const { scimType, status: refused } = done.refusal;
      await noteScim(desk, visit, directory, { event, outcome: { effect: "deny", code: scimType ?? String(refused) } });
      return ok(answerRefusal(done.refusal));
    },
  };
}

const shown = { attributes: z.string().max(1_024).optional(), excludedAttributes: z.string().max(1_024).optional() };
export const shownQuery = z.object(shown);
const number = z.string().regex(/^-?[0-9]{1,9}$/);
export const listQuery = z.object({ ...shown, filter: z.string().optional(), startIndex: number.optional(), count: number.optional() });

/** RFC 7644 §3.4.2.4: the first is 1, and what is less counts as 1. */
export function pageOf({ startIndex, count }: Readonly<Record<string, string>>): { readonly startIndex: number; readonly count: number } {
  return { startIndex: Math.max(1, Number(startIndex ?? 1)), count: Math.min(countMax, Math.max(0, Number(count ?? countMax))) };
}

/** `names`: by which attributes, in lower case, may be asked. `null` = for everything. */
export function filterOf<Name extends string>(
  { filter }: Readonly<Record<string, string>>,
  names: readonly Name[],
): Told<{ readonly by: Name; readonly value: string } | null> {
  if (filter === undefined) return ok(null);
  const parsed = parseFilter(filter);
  if (!parsed.ok) return parsed;
  const by = names.find((name) => name === parsed.value.attribute);
  const { value } = parsed.value;
  if (by === undefined || typeof value !== "string") return refuseAs("invalidFilter", `It can be asked for by ${names.join(", ")}`);
  return ok({ by, value });
}
