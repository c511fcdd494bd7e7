/** The certificate as its owners fetch it: signed, or, where the gateway can print it, to read. */
import * as z from "zod";
import type { Answer, Received, Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct } from "../offices/index.ts";
import type { PurgeDesk } from "./order.ts";
import { type PurgeJob, selectCertificates, selectJob } from "./postgres.ts";

/** Makes the readable forms. Trusted with what an owner reads: what counts is the signed text, and each form says so. */
export interface CertificatePrinter {
  /** What it can make here, most useful first. */
  readonly media: readonly string[];
  /** `media`: one of those. */
  print(jws: string, media: string): Promise<Answer>;
}

const signedMedia = "application/jose";

/** `printer`: `null` = a script on Workers has no room for one. */
export function certificateRoute(desk: PurgeDesk, printer: CertificatePrinter | null): Route {
  return {
    method: "GET",
    path: "/v1/contracts/{contract}/purges/{job}/certificate",
    summary: "The certificate, once there is one; `which=final`: the second one, once the backup horizon has passed",
    query: z.strictObject({ which: z.enum(["first", "final"]).default("first") }),
    answers: {
      200: {
        media: signedMedia,
        alsoAs: printer?.media ?? [],
        description: "A compact JWS; by `Accept`, its readable form in Chinese and English, which gateways on Workers do not make",
      },
    },
    refusals: ["audit_unavailable"],
    handle: async (received) => {
      const found = await readCertificate(desk, received);
      if (!found.ok) return found;
      if (printer === null || received.media === signedMedia) return ok({ status: 200, media: signedMedia, body: found.value });
      return ok(await printer.print(found.value, received.media));
    },
  };
}

async function readCertificate(desk: PurgeDesk, { caller, params, query }: Received): Promise<Result<string, Refusal>> {
  const contract = params.contract as ContractId;
  const entered = await enterContract(desk, caller, contract);
  if (!entered.ok) return entered;
  const job = await selectJob(desk.database, contract);
  const jws = job && job.id === params.job ? await issuedAs(desk, job, query.which) : null;
  const outcome = jws ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: "not_found" } as const);
  await logAct(desk, caller, entered.value, { event: "certificate.read", outcome, facts: { contract } });
  return jws ? ok(jws) : refuse({ code: "not_found" });
}

async function issuedAs({ database }: PurgeDesk, job: PurgeJob, which: string | undefined): Promise<string | null> {
  const { first = null, final = null, isFinal = false } = (await selectCertificates(database, job)) ?? {};
  if (which !== "final") return first;
  return isFinal ? final : null;
}
