/** The owner's routes: contracts, activation, import. */
import * as z from "zod";
import { approvalSchema, describeApproval } from "../approvals/index.ts";
import type { Bundles } from "../contracts/index.ts";
import { type Answer, json, type Received, type Route } from "../http/index.ts";
import { type ContractId, isId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { requestActivation } from "./activate.ts";
import { applyContract } from "./apply.ts";
import { clockRoutes } from "./clock-routes.ts";
import { describeContract, listContracts, showContract } from "./contracts.ts";
import { type Files, filesBytesMax, filesSchema } from "./files.ts";
import { holdRoutes } from "./hold-routes.ts";
import { type ImportDesk, type Imported, importRecords } from "./import.ts";
import { ladderRoutes } from "./ladder-routes.ts";
import { policyRoutes } from "./policy-routes.ts";
import { requestRoles } from "./role-grants.ts";
import { readTrust, type TrustKeys } from "./trust.ts";

export interface AgreementDesk extends ImportDesk {
  readonly bundles: Bundles;
  readonly trust: TrustKeys;
}

const contractSchema = z.object({
  contract: z.string(),
  merchant: z.string(),
  vendor: z.string(),
  standing: z.string(),
  starts_at: z.iso.datetime(),
  winds_down_at: z.iso.datetime(),
  last_days_at: z.iso.datetime(),
  ends_at: z.iso.datetime(),
  purge_due_at: z.iso.datetime(),
  suspended_at: z.iso.datetime().nullable(),
  held: z.boolean(),
  digest: z.string(),
});
/** From where records come, and for what: they can be deleted by it, apart from the others. */
const originName = z.string().refine(isId);
const importedSchema = z.object({
  lines: z.int(),
  created: z.int(),
  updated: z.int(),
  rejected: z.array(z.object({ line: z.int(), code: z.string() })),
  rejected_count: z.int(),
  unnamed: z.record(z.string(), z.int()),
});

export function agreementRoutes(desk: AgreementDesk): Route[] {
  return [
    ...contractRoutes(desk),
    ...policyRoutes(desk),
    ...ladderRoutes(desk),
    ...holdRoutes(desk),
    ...clockRoutes(desk),
    ...contentRoutes(desk),
  ];
}

function contractRoutes(desk: AgreementDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts",
      summary: "The caller's merchants' contracts",
      answers: { 200: { media: "application/json", description: "By id", schema: z.object({ contracts: z.array(contractSchema) }) } },
      refusals: ["audit_unavailable"],
      handle: async (received) =>
        answer(await listContracts(desk, received.caller), (contracts) => ({ contracts: contracts.map(describeContract) })),
    },
    {
      method: "POST",
      path: "/v1/contracts",
      summary: "Write a contract and its policy as a draft; a draft may be replaced",
      body: { media: "application/json", bytesMax: filesBytesMax, schema: filesSchema, description: "Two YAML files and their names." },
      answers: {
        200: { media: "application/json", description: "The draft's id, digest and instants", schema: z.record(z.string(), z.string()) },
      },
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) =>
        answer(await applyContract(desk, received.caller, received.body as Files), (applied) => ({
          contract: applied.contract,
          digest: applied.digest,
          starts_at: applied.startsAt,
          ends_at: applied.endsAt,
          purge_due_at: applied.purgeDueAt,
        })),
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}",
      summary: "One contract, with how many records it holds",
      answers: { 200: { media: "application/json", description: "The contract", schema: contractSchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) =>
        answer(await showContract(desk, received.caller, contractOf(received)), (shown) => ({
          ...describeContract(shown),
          records: shown.records,
        })),
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/activate",
      summary: "Ask a second owner to bring a draft into force",
      answers: { 202: { media: "application/json", description: "The request", schema: z.object({ approval: approvalSchema }) } },
      refusals: ["wrong_state", "audit_unavailable"],
      handle: async (received) =>
        answer(
          await requestActivation(desk, received.caller, contractOf(received)),
          (approval) => ({ approval: describeApproval(approval) }),
          202,
        ),
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/trust",
      summary: "The trust file: the keys by which a stranger verifies",
      answers: { 200: { media: "application/json", description: "postern-trust/1" } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const trust = await readTrust(desk, received.caller, contractOf(received));
        return trust.ok ? ok(json(trust.value)) : trust;
      },
    },
  ];
}

function contentRoutes(desk: AgreementDesk): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/contracts/{contract}/records/{type}/import",
      summary: "Records as NDJSON, upserted by the merchant's `id`; rejected lines are named while the rest goes in",
      query: z.object({ shop: originName.optional(), purpose: originName.optional() }),
      body: { media: "application/x-ndjson", bytesMax: Number.MAX_SAFE_INTEGER, description: "One JSON object a line, streamed." },
      answers: {
        200: { media: "application/json", description: "Counts, rejected lines, paths that no policy names", schema: importedSchema },
      },
      refusals: ["wrong_state", "winding_down", "purpose_unknown", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const { shop = null, purpose = null } = received.query;
        const body = received.stream ?? new Blob([]).stream();
        const target = { contract: contractOf(received), type: received.params.type ?? "", origin: { shop, purpose }, body };
        return answer(await importRecords(desk, received.caller, target), describeImported);
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/role-grants",
      summary: "Ask an owner to approve the seats of roles that the contract gives by two",
      answers: {
        202: {
          media: "application/json",
          description: "The request, and how many seats it is about",
          schema: z.object({ approval: approvalSchema, seats: z.int() }),
        },
      },
      refusals: ["wrong_state", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) =>
        answer(
          await requestRoles(desk, received.caller, contractOf(received)),
          ({ approval, seats }) => ({ approval: describeApproval(approval), seats }),
          202,
        ),
    },
  ];
}

function describeImported({ lines, created, updated, rejected, rejectedCount, unnamed }: Imported): z.infer<typeof importedSchema> {
  return { lines, created, updated, rejected: [...rejected], rejected_count: rejectedCount, unnamed: { ...unnamed } };
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}

function answer<Value>(result: Result<Value, Refusal>, describe: (value: Value) => unknown, status = 200): Result<Answer, Refusal> {
  return result.ok ? ok(json(JSON.stringify(describe(result.value)), {}, status)) : result;
}
