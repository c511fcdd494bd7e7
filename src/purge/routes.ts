/** The end of a contract, for its owners. */
import * as z from "zod";
import { type ApprovalDesk, approvalSchema, decideInContract, describeApproval } from "../approvals/index.ts";
import { thumbprintOf } from "../crypto/index.ts";
import { json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, refuse } from "../kernel/index.ts";
import { parseDurationHours, sealingKeySchema } from "../policy/index.ts";
import { attestationRoutes } from "./attestation-routes.ts";
import { type CertificatePrinter, certificateRoute } from "./certificate-route.ts";
import { eventStream, followPurge } from "./events.ts";
import { findPurge, orderOf, type Plan, type PurgeDesk, planPurge, type ReturnTo, readPurge, requestPurge } from "./order.ts";
import { steps } from "./plan.ts";
import { type PurgeJob, selectJob } from "./postgres.ts";
import { returnRoutes } from "./return-routes.ts";

const counts = z.record(z.string(), z.int());
const wait = z.string().transform((text, context) => {
  const hours = parseDurationHours(text);
  if (hours !== null && hours >= 24) return hours;
  context.addIssue({ code: "custom", message: "a day or more, as 7d" });
  return z.NEVER;
});
const orderBody = z.union([
  z.strictObject({ dry_run: z.literal(true) }),
  z.strictObject({ confirm: z.string().max(128), return: z.strictObject({ to: sealingKeySchema, wait: wait.prefault("7d") }).optional() }),
]);
const returnToSchema = z.object({ key: z.string(), wait_hours: z.int() });
const planSchema = z.object({
  contract: z.string(),
  dies: counts,
  stays: z.array(z.object({ table: z.string(), reason: z.string() })),
  cooling_hours: z.int(),
  backup_horizon_hours: z.int(),
  /** To whose key (RFC 7638 thumbprint) the records are sealed first, and how long that is waited for. */
  return: returnToSchema.nullable(),
});
const jobSchema = z.object({
  job: z.string(),
  contract: z.string(),
  basis: z.enum(["term_ended", "owners"]),
  step: z.enum(steps),
  /** Steps behind it, and all. */
  progress: z.object({
    done: z.int(),
    of: z.int(),
    /** Of the rows that were counted at the fence; `null` = not counted yet. */
    rows_deleted: z.int(),
    rows: z.int().nullable(),
    /** Records sealed for their return so far. */
    records_returned: z.int(),
  }),
  not_before: z.iso.datetime(),
  /** Asked for with the purge; what the contract agreed to is in the plan. */
  return: returnToSchema.nullable(),
});

const orderDescription =
  '`{"dry_run":true}` or `{"confirm":"c-…"}`, with `"return":{"to":{…JWK},"wait":"7d"}` to have the records sealed to that key first.';

export function purgeRoutes(desk: PurgeDesk & ApprovalDesk, printer: CertificatePrinter | null): Route[] {
  return [...orderRoutes(desk), ...jobRoutes(desk), certificateRoute(desk, printer), ...returnRoutes(desk), ...attestationRoutes(desk)];
}

function orderRoutes(desk: PurgeDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges",
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
      summary: "Plan a purge (`dry_run`: counts, nothing changes), or request one (`confirm`: the contract's id)",
      body: { media: "application/json", bytesMax: 4_096, schema: orderBody, description: orderDescription },
      answers: {
        200: { media: "application/json", description: "The plan", schema: planSchema },
        202: {
          media: "application/json",
          description: "The job, and the request that waits for a second owner",
          schema: jobSchema.extend({ approval: approvalSchema.nullable() }),
        },
      },
      refusals: ["wrong_state", "held", "reason_required", "audit_unavailable", "keys_unavailable", "share_closed"],
      handle: async (received) => {
        const body = received.body as z.infer<typeof orderBody>;
        if ("dry_run" in body) {
          const plan = await planPurge(desk, received.caller, contractOf(received));
          if (!plan.ok) return plan;
          return ok(json(JSON.stringify(describePlan(plan.value))));
        }
        const { confirm, return: asked } = body;
        const returnTo = asked && { to: asked.to, waitHours: asked.wait };
        const requested = await requestPurge(desk, received.caller, contractOf(received), { confirm, returnTo });
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
      summary: "Where a purge stands",
      answers: { 200: { media: "application/json", description: "The job", schema: jobSchema } },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const job = await readPurge(desk, received.caller, contractOf(received), received.params.job ?? "");
        return job.ok ? ok(json(JSON.stringify(describeJob(job.value)))) : job;
      },
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/purges/{job}/events",
      summary: "A purge as it moves, until its certificate; for ten minutes, then ask again with Last-Event-ID",
      answers: {
        200: {
          media: "text/event-stream",
          description: "The job, as `progress` whenever it moved and as `certified` at last",
          schema: jobSchema,
        },
      },
      refusals: ["audit_unavailable"],
      handle: async (received) => {
        const after = received.header("last-event-id");
        const followed = await followPurge(desk, received.caller, {
          contract: contractOf(received),
          job: received.params.job ?? "",
          after,
        });
        if (!followed.ok) return followed;
        const body = eventStream(followed.value, (job) => JSON.stringify(describeJob(job)));
        return ok({ status: 200, media: "text/event-stream", body });
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/purges/{job}/approve",
      summary: "As a second owner, or as the other organisation where the contract says so: approve a purge",
      answers: { 200: { media: "application/json", description: "The job", schema: jobSchema } },
      refusals: ["own_request", "approver_same_organisation", "approval_closed", "busy", "wrong_state", "held", "audit_unavailable"],
      handle: (received) => approve(desk, received),
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

function describePlan({ contract, dies, stays, coolingHours, backupHorizonHours, returnTo }: Plan): z.infer<typeof planSchema> {
  const terms = { cooling_hours: coolingHours, backup_horizon_hours: backupHorizonHours };
  return { contract, dies: { ...dies }, stays: [...stays], ...terms, return: describeReturnTo(returnTo) };
}

function describeReturnTo(returnTo: ReturnTo | null | undefined): z.infer<typeof returnToSchema> | null {
  return returnTo ? { key: thumbprintOf(returnTo.to), wait_hours: returnTo.waitHours } : null;
}

function describeJob({ id, contract, basis, step, notBefore, facts }: PurgeJob): z.infer<typeof jobSchema> {
  const { before, deleted = {} } = facts;
  const counted = Object.entries(before ?? {});
  const progress = {
    done: steps.indexOf(step),
    of: steps.length - 1,
    // Of those that were counted at the fence: what was sealed for the return since then goes as well.
    rows_deleted: counted.reduce((total, [table, rows]) => total + Math.min(rows, deleted[table] ?? 0), 0),
    rows: before ? counted.reduce((total, [, rows]) => total + rows, 0) : null,
    records_returned: facts.returned?.records ?? 0,
  };
  const at = new Date(notBefore).toISOString();
  return { job: id, contract, basis, step, progress, not_before: at, return: describeReturnTo(facts.returnTo) };
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}
