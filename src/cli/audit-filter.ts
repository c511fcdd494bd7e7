/** What an officer may ask the log by, as flags. */
import * as z from "zod";
import type { Client } from "./client.ts";
import { exitCodes, Failure } from "./failure.ts";

const flag = (valueHint: string, description: string) => ({ type: "string", valueHint, description }) as const;

export const filterFlags = {
  actor: flag("WHO", "Who acted: ISSUER/SUBJECT, or a pseudonym a_…"),
  subject: flag("WHOM", "Whom it is about: TYPE/ID with the merchant's own id, a locator r_… or a pseudonym s_…"),
  effect: flag("EFFECT", "What came of it: allow or deny"),
  event: flag("EVENT", "As record.read, audit.exported"),
  purpose: flag("CODE", "A purpose of the contract"),
  field: flag("PATH", "A field that left, by the policy's path"),
  treatment: flag("TREATMENT", "How it left: reveal, mask, generalize, pseudonymize"),
  from: flag("TIME", "From this time on, as 2026-11-27T00:00:00+08:00"),
  to: flag("TIME", "Before this time"),
} as const;

type Filters = { readonly [name in keyof typeof filterFlags]?: string | undefined };

const namedSchema = z.looseObject({ locator: z.string() });

/** The query's text, to which more can be added. A merchant's id is exchanged for a locator first: no address shall hold it. */
export async function filterQuery(client: Client, contract: string, flags: Filters): Promise<URLSearchParams> {
  const query = new URLSearchParams();
  for (const name of Object.keys(filterFlags) as (keyof Filters)[]) {
    const value = flags[name];
    if (value !== undefined) query.set(name, name === "subject" ? await subjectOf(client, contract, value) : value);
  }
  return query;
}

async function subjectOf(client: Client, contract: string, text: string): Promise<string> {
  if (/^[sr]_[a-z2-7]{26}$/.test(text)) return text;
  const [type = "", ...id] = text.split("/");
  if (id.length === 0) throw new Failure("--subject is TYPE/ID, as customer/U1, or a name from the log, r_… or s_…", exitCodes.usage);
  return (await client.post(namedSchema, `/v1/contracts/${contract}/audit/subjects`, { type, id: id.join("/") })).locator;
}
