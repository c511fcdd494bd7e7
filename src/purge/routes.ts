/** The end of a contract, for its owners. */
import * as z from "zod";
import { type ApprovalDesk, approvalSchema, decideInContract, describeApproval } from "../approvals/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, refuse } from "../kernel/index.ts";
import { enterContract, logAct } from "../offices/index.ts";
import { findPurge, orderOf, type PurgeDesk, planPurge, readPurge, requestPurge } from "./order.ts";
import { steps } from "./plan.ts";
import { type PurgeJob, selectCertificates, selectJob } from "./postgres.ts";

const counts = z.record(z.string(), z.int());
const orderBody = z.union([z.strictObject({ dry_run: z.literal(true) }), z.strictObject({ confirm: z.string().max(128) })]);
const planSchema = z.object({
  contract: z.string(),
  dies: counts,
  stays: z.array(z.object({ table: z.string(), reason: z.string() })),
  cooling_hours: z.int(),
  backup_horizon_hours: z.int(),
});
const jobSchema = z.object({
  job: z.string(),
  contract: z.string(),
  basis: z.enum(["term_ended", "owners"]),
  step: z.enum(steps),
  /** Steps behind it, and all. */
  progress: z.object({ done: z.int(), of: z.int(), rows_deleted: z.int(), rows: z.int().nullable() }),
  not_before: z.iso.datetime(),
});

export function purgeRoutes(desk: PurgeDesk & ApprovalDesk): Route[] {
  return [...orderRoutes(desk), ...jobRoutes(desk)];
}

function orderRoutes(desk: PurgeDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges",
      who: "merchant_owner",
      summary: "The contract's purge, if one was asked for: at most one",
      answers: { 200: { media: "application/json", description: "Jobs", schema: z.object({ purges: z.array(jobSchema) }) } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const job = await findPurge(desk, received.caller, contractOf(received));
        return job.ok ? ok(json(JSON.stringify({ purges: job.value ? [describeJob(job.value)] : [] }))) : job;
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/purges",
      who: "merchant_owner",
      summary: "Plan a purge (`dry_run`: counts, nothing changes), or request one (`confirm`: the contract's id)",
      body: { media: "application/json", bytesMax: 1_024, schema: orderBody, description: '`{"dry_run":true}` or `{"confirm":"c-…"}`.' },
      answers: {
        200: { media: "application/json", description: "The plan", schema: planSchema },
        202: {
          media: "application/json",
          description: "The job, and the request that waits for a second owner",
          schema: jobSchema.extend({ approval: approvalSchema.nullable() }),
        },
      },
      refusals: ["wrong_state", "held", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const body = received.body as z.infer<typeof orderBody>;
        if ("dry_run" in body) {
          const plan = await planPurge(desk, received.caller, contractOf(received));
          if (!plan.ok) return plan;
          const { contract, dies, stays, coolingHours, backupHorizonHours } = plan.value;
          return ok(json(JSON.stringify({ contract, dies, stays, cooling_hours: coolingHours, backup_horizon_hours: backupHorizonHours })));
        }
        const requested = await requestPurge(desk, received.caller, contractOf(received), body.confirm);
        if (!requested.ok) return requested;
        const { job, approval } = requested.value;
        return ok(json(JSON.stringify({ ...describeJob(job), approval: approval && describeApproval(approval) }), {}, 202));
      },
    },
  ];
}

function jobRoutes(desk: PurgeDesk & ApprovalDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges/{job}",
      who: "merchant_owner",
      summary: "Where a purge stands",
      answers: { 200: { media: "application/json", description: "The job", schema: jobSchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const job = await readPurge(desk, received.caller, contractOf(received), received.params.job ?? "");
        return job.ok ? ok(json(JSON.stringify(describeJob(job.value)))) : job;
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/purges/{job}/approve",
      who: "merchant_owner",
      summary: "As a second owner: approve a purge",
      answers: { 200: { media: "application/json", description: "The job", schema: jobSchema } },
      refusals: ["own_request", "approval_closed", "wrong_state", "held", "audit_unavailable"],
      handle: (received) => approve(desk, received),
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges/{job}/certificate",
      who: "merchant_owner",
      summary: "The certificate, once there is one; `which=final`: the second one, once the backup horizon has passed",
      query: z.strictObject({ which: z.enum(["first", "final"]).default("first") }),
      answers: { 200: { media: "application/jose", description: "A compact JWS" } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const entered = await enterContract(desk, received.caller, contractOf(received), "merchant_owner");
        if (!entered.ok) return entered;
        const job = await selectJob(desk.database, contractOf(received));
        const issued = job && job.id === received.params.job ? await selectCertificates(desk.database, job) : null;
        const final = issued?.isFinal ? issued.final : null;
        const jws = received.query.which === "final" ? final : (issued?.first ?? null);
        const outcome = jws ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: "not_found" } as const);
        await logAct(desk, received.caller, entered.value, {
          event: "certificate.read",
          outcome,
          facts: { contract: contractOf(received) },
        });
        return jws ? ok({ status: 200, media: "application/jose", body: jws }) : refuse({ code: "not_found" });
      },
    },
  ];
}

/** The order is found by its job; deciding it is the approvals' own business, refusals and entries included. */
async function approve(desk: PurgeDesk & ApprovalDesk, received: Received): ReturnType<Route["handle"]> {
  const contract = contractOf(received);
  const job = await selectJob(desk.database, contract);
  const order = job && job.id === received.params.job ? await orderOf(desk.database, job) : null;
  const decided = await decideInContract(desk, received.caller, contract, order?.id ?? "", "approved");
  if (!decided.ok) return decided;
  const approved = await selectJob(desk.database, contract);
  return approved ? ok(json(JSON.stringify(describeJob(approved)))) : refuse({ code: "not_found" });
}

function describeJob({ id, contract, basis, step, notBefore, facts }: PurgeJob): z.infer<typeof jobSchema> {
  const sum = (table: Readonly<Record<string, number>> | undefined) =>
    Object.values(table ?? {}).reduce((total, count) => total + count, 0);
  const progress = {
    done: steps.indexOf(step),
    of: steps.length - 1,
    rows_deleted: sum(facts.deleted),
    rows: facts.before ? sum(facts.before) : null,
  };
  return { job: id, contract, basis, step, progress, not_before: new Date(notBefore).toISOString() };
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
