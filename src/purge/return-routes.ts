/** What is returned before a purge, for the merchant's owners. */
import * as z from "zod";
import { thumbprintOf } from "../crypto/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { acknowledgeReturn, fetchPart, type Named, readReturn, type Standing } from "./fetch-return.ts";
import type { PurgeDesk } from "./order.ts";

const acknowledgeBody = z.strictObject({ digest: z.string().max(128) });
const returnSchema = z.object({
  job: z.string(),
  contract: z.string(),
  /** `fetchable`: it is there, and waited for. */
  state: z.enum(["not_agreed", "not_sealed", "fetchable", "acknowledged", "not_acknowledged", "keys_unavailable"]),
  /** RFC 7638 thumbprint of the key that it is sealed to. */
  key: z.string().nullable(),
  /** Of the sealed manifest: what is acknowledged. */
  digest: z.string().nullable(),
  /** Then the purge goes on without being told. */
  until: z.iso.datetime().nullable(),
  records: z.int(),
  unreadable: z.int(),
  parts: z.array(z.object({ part: z.string(), digest: z.string(), records: z.int() })),
});

export function returnRoutes(desk: PurgeDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges/{job}/return",
      summary: "What a purge returns before it destroys: how it stands, and its sealed parts",
      answers: { 200: { media: "application/json", description: "The return", schema: returnSchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const standing = await readReturn(desk, received.caller, named(received));
        return standing.ok ? ok(json(JSON.stringify(describeReturn(standing.value)))) : standing;
      },
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges/{job}/return/parts/{part}",
      summary: "One part: NDJSON of records, `keys` or `manifest`, sealed to the merchant's key",
      answers: { 200: { media: "application/jose", description: "A compact JWE" } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const jwe = await fetchPart(desk, received.caller, named(received), received.params.part ?? "");
        return jwe.ok ? ok({ status: 200, media: "application/jose", body: jwe.value }) : jwe;
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/purges/{job}/return/acknowledge",
      summary: "Say that the return arrived whole: the purge goes on",
      body: {
        media: "application/json",
        bytesMax: 1_024,
        schema: acknowledgeBody,
        description: 'The manifest\'s digest: `{"digest":"sha256:…"}`.',
      },
      answers: { 200: { media: "application/json", description: "The return", schema: returnSchema } },
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) => {
        const { digest } = received.body as z.infer<typeof acknowledgeBody>;
        const standing = await acknowledgeReturn(desk, received.caller, named(received), digest);
        return standing.ok ? ok(json(JSON.stringify(describeReturn(standing.value)))) : standing;
      },
    },
  ];
}

function describeReturn({ job, agreed, receipt, parts }: Standing): z.infer<typeof returnSchema> {
  const { returned } = job.facts;
  const told = receipt && (receipt.acknowledgedAt === null ? "fetchable" : "acknowledged");
  return {
    job: job.id,
    contract: job.contract,
    state: agreed ? (returned?.outcome ?? told ?? "not_sealed") : "not_agreed",
    key: agreed && thumbprintOf(agreed.to),
    digest: receipt?.digest ?? null,
    until: agreed && receipt ? new Date(receipt.sealedAt + agreed.waitHours * 3_600_000).toISOString() : null,
    records: returned?.records ?? 0,
    unreadable: returned?.unreadable ?? 0,
    parts: parts.map(({ part, digest, records }) => ({ part, digest, records })),
  };
}

function named({ params }: Received): Named {
  return { contract: params.contract as ContractId, job: params.job ?? "" };
}
