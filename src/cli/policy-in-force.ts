/** What the gateway says of a contract's policy. */
import * as z from "zod";
import type { Bundle } from "../policy/index.ts";
import type { Client } from "./client.ts";
import { Failure } from "./failure.ts";

const place = z.looseObject({ file: z.string(), line: z.int() });
export const differencesSchema = z.array(
  z.looseObject({
    what: z.string(),
    role: z.string().exactOptional(),
    type: z.string().exactOptional(),
    field: z.string().exactOptional(),
    purposes: z.array(z.string()).exactOptional(),
    before: z.string(),
    after: z.string(),
    direction: z.enum(["widened", "narrowed", "changed"]),
    at: z.looseObject({ before: place.exactOptional(), after: place.exactOptional() }).exactOptional(),
  }),
);
export const waitingSchema = z.looseObject({ id: z.string(), expires_at: z.string() });
const policySchema = z.looseObject({
  contract: z.string(),
  in_force: z.string(),
  digest: z.string(),
  bundle: z.unknown(),
  pending: z.array(z.looseObject({ approval: waitingSchema, after: z.string(), differences: differencesSchema })),
});

export interface PolicyInForce extends z.infer<typeof policySchema> {
  readonly bundle: Bundle;
}

/** `digest` absent: what is in force. */
export async function fetchPolicy(client: Client, contract: string, digest?: string): Promise<PolicyInForce> {
  const query = digest === undefined ? "" : `?digest=${encodeURIComponent(digest)}`;
  const answer = await client.get(policySchema, `/v1/contracts/${contract}/policy${query}`);
  return { ...answer, bundle: await readBundleText(JSON.stringify(answer.bundle), answer.digest) };
}

/** A compiled bundle that is the one of its digest. `digest` absent: whichever it is. */
export async function readBundleText(text: string, digest?: string): Promise<Bundle> {
  const { bundleDigest, bundleText, parseBundle } = await import("../policy/index.ts");
  let bundle: Bundle;
  try {
    bundle = parseBundle(text);
  } catch {
    throw new Failure("that is no compiled policy of this version");
  }
  if (digest !== undefined && bundleDigest(bundleText(bundle)) !== digest) throw new Failure("the policy is not the one of its digest");
  return bundle;
}
