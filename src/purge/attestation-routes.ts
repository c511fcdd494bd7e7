/** What the vendor says of its systems, as the merchant's owners record it. */
import * as z from "zod";
import { canonicalBase64, fromBase64, sha256, toHex } from "../crypto/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { type Filing, fetchEvidence, fileAttestation, listAttestations, type SystemStanding } from "./attestations.ts";
import type { Named } from "./fetch-return.ts";
import type { PurgeDesk } from "./order.ts";

const evidenceBytesMax = 262_144;
const bodyBytesMax = 400_000;

const name = z.string().min(1).max(128);
const evidence = z.union([
  z.strictObject({ name, digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
  z.strictObject({ name, content: canonicalBase64.max(Math.ceil(evidenceBytesMax / 3) * 4) }),
]);
const filingBody = z.strictObject({
  system: z.string().max(64),
  statement: z.string().min(1).max(4_096),
  signer: z.string().min(1).max(256),
  evidence: evidence.optional(),
  jws: z.string().max(1_024).optional(),
});
const standingSchema = z.object({
  systems: z.array(
    z.object({
      system: z.string(),
      state: z.enum(["received", "not_received"]),
      attestation: z
        .object({
          id: z.string(),
          statement: z.string(),
          signer: z.string(),
          digest: z.string(),
          /** Under the key that the contract names. */
          signed: z.boolean(),
          evidence: z.object({ name: z.string(), digest: z.string() }).nullable(),
          recorded_at: z.iso.datetime(),
        })
        .nullable(),
    }),
  ),
});

export function attestationRoutes(desk: PurgeDesk): Route[] {
  const path = "/v1/contracts/{contract}/purges/{job}/attestations";
  return [
    {
      method: "GET",
      path,
      summary: "Of which systems the vendor has said that nothing is left there",
      answers: { 200: { media: "application/json", description: "Every system that the contract names", schema: standingSchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const listed = await listAttestations(desk, received.caller, named(received));
        return listed.ok ? ok(json(JSON.stringify(describeStanding(listed.value)))) : listed;
      },
    },
    {
      method: "POST",
      path,
      summary: "Record what the vendor said of one of its systems",
      body: {
        media: "application/json",
        bytesMax: bodyBytesMax,
        schema: filingBody,
        description:
          "Statement and signer, a file in base64 or its digest, and the vendor's detached JWS where the contract names its key.",
      },
      answers: { 201: { media: "application/json", description: "Every system that the contract names", schema: standingSchema } },
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) => {
        const filed = await fileAttestation(desk, received.caller, named(received), filingOf(received.body as z.infer<typeof filingBody>));
        return filed.ok ? ok(json(JSON.stringify(describeStanding(filed.value)), {}, 201)) : filed;
      },
    },
    {
      method: "GET",
      path: `${path}/{attestation}/evidence`,
      summary: "The file that was handed over with a statement",
      answers: { 200: { media: "application/octet-stream", description: "The file" } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const file = await fetchEvidence(desk, received.caller, named(received), received.params.attestation ?? "");
        if (!file.ok) return file;
        const headers = { "content-disposition": 'attachment; filename="evidence"' };
        return ok({ status: 200, headers, media: "application/octet-stream", body: new Uint8Array(file.value) });
      },
    },
  ];
}

function filingOf({ evidence: handed, ...said }: z.infer<typeof filingBody>): Filing {
  if (!handed) return said;
  if ("digest" in handed) return { ...said, evidence: { ...handed, content: null } };
  const content = fromBase64(handed.content);
  return { ...said, evidence: { name: handed.name, digest: `sha256:${toHex(sha256(content))}`, content } };
}

function describeStanding(systems: readonly SystemStanding[]): z.infer<typeof standingSchema> {
  return {
    systems: systems.map(({ system, attestation: filed }) => ({
      system,
      state: filed ? "received" : "not_received",
      attestation: filed && {
        ...{ id: filed.id, statement: filed.statement, signer: filed.signer, digest: filed.digest },
        signed: filed.jws !== null,
        evidence: filed.evidenceDigest === null ? null : { name: filed.evidenceName ?? "", digest: filed.evidenceDigest },
        recorded_at: new Date(filed.recordedAt).toISOString(),
      },
    })),
  };
}

function named({ params }: Received): Named {
  return { contract: params.contract as ContractId, job: params.job ?? "" };
}
