/** What the merchant does with a request: receives one itself, looks through them, reads one, closes it. */
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { turnDown, type Visit } from "../offices/index.ts";
import { locatorOf, selectLocators } from "../records/index.ts";
import {
  closeRequest,
  insertRequest,
  newRequest,
  openNote,
  type RequestKind,
  type RequestOutcome,
  type SubjectRequest,
  selectRequest,
  selectRequests,
} from "../requests/index.ts";
import { type AtDesk, comeToDesk, logHere, type RightsDesk, withSubjectKey } from "./desk.ts";

/** From a customer who came to the merchant and not to its vendor. `merchantId`: the merchant's own id of the record. */
export interface Incoming {
  readonly kind: RequestKind;
  readonly type: string;
  readonly merchantId: string;
  readonly note: string | undefined;
}

export async function receiveRequest(
  desk: RightsDesk,
  visit: Visit,
  id: ContractId,
  { kind, type, merchantId, note }: Incoming,
): Promise<Result<SubjectRequest, Refusal>> {
  const event = "subject_request.received";
  const came = await comeToDesk(desk, visit, id, event);
  if (!came.ok) return came;
  const locator = locatorOf(came.value.keys.locator, type, merchantId);
  const subject = await subjectOf(desk, id, type, locator);
  const receivedAt = came.value.contract.readAt;
  const sealFor = (subject: string) =>
    withSubjectKey(desk, came.value, subject, (key) =>
      newRequest(desk.aead, key, { contract: id, kind, type, locator, subject, receivedAt, note }),
    );
  const request = subject === null ? null : await sealFor(subject);
  if (subject === null || request === null) return turnDown(desk, visit, came.value, { event, refusal: { code: "not_found" } });
  const resource = { type, records: [{ locator, subject }], fields: {} };
  const facts = { subject_request: request.id };
  await logHere(desk, visit, came.value, { event, outcome: { effect: "allow", code: kind }, resource, facts });
  await insertRequest(desk.database, request);
  return ok({ ...request, outcome: null, closedAt: null, readAt: receivedAt });
}

export async function listRequests(desk: RightsDesk, visit: Visit, id: ContractId): Promise<Result<SubjectRequest[], Refusal>> {
  const came = await comeToDesk(desk, visit, id, "subject_request.read");
  if (!came.ok) return came;
  await logHere(desk, visit, came.value, { event: "subject_request.read", outcome: { effect: "allow", code: "listed" } });
  return ok(await selectRequests(desk.database, id));
}

export interface ReadRequest extends SubjectRequest {
  /** What the customer said; `null` = nothing, or the customer was erased meanwhile. */
  readonly said: string | null;
}

export async function readRequest(desk: RightsDesk, visit: Visit, id: ContractId, which: string): Promise<Result<ReadRequest, Refusal>> {
  const found = await findRequest(desk, visit, id, which, "subject_request.read");
  if (!found.ok) return found;
  const { came, request } = found.value;
  await logHere(desk, visit, came, { event: "subject_request.read", outcome: { effect: "allow", code: "ok" }, ...aboutOf(request) });
  return ok({ ...request, said: await saidOf(desk, came, request) });
}

/** An erasure is done when nothing is held of the person any more; until then it cannot be called so. */
export async function settleRequest(
  desk: RightsDesk,
  visit: Visit,
  id: ContractId,
  { which, outcome }: { readonly which: string; readonly outcome: RequestOutcome },
): Promise<Result<SubjectRequest, Refusal>> {
  const event = "subject_request.closed";
  const found = await findRequest(desk, visit, id, which, event);
  if (!found.ok) return found;
  const { came, request } = found.value;
  const untrue =
    outcome === "done" && request.kind === "erasure" && (await selectLocators(desk.database, id, { subject: request.subject })).length > 0;
  const refusal: Refusal | null = untrue
    ? { code: "wrong_state", errors: [{ pointer: "/outcome", code: "still_held" }] }
    : request.outcome === null || request.outcome === outcome
      ? null
      : { code: "wrong_state", errors: [{ pointer: "/outcome", code: "closed" }] };
  if (refusal) return turnDown(desk, visit, came, { event, refusal, ...aboutOf(request) });
  await logHere(desk, visit, came, { event, outcome: { effect: "allow", code: outcome }, ...aboutOf(request) });
  await closeRequest(desk.database, id, which, outcome);
  const closed = await selectRequest(desk.database, id, which);
  return closed?.outcome === outcome ? ok(closed) : refuse({ code: "busy" });
}

export interface FoundRequest {
  readonly came: AtDesk;
  readonly request: SubjectRequest;
}

export async function findRequest(
  desk: RightsDesk,
  visit: Visit,
  id: ContractId,
  which: string,
  event: "subject_request.read" | "subject_request.closed",
): Promise<Result<FoundRequest, Refusal>> {
  const came = await comeToDesk(desk, visit, id, event);
  if (!came.ok) return came;
  const request = await selectRequest(desk.database, id, which);
  return request ? ok({ came: came.value, request }) : turnDown(desk, visit, came.value, { event, refusal: { code: "not_found" } });
}

/** How entries name the request and whom it is about. */
export function aboutOf({ id, type, locator, subject }: SubjectRequest) {
  return { resource: { type, records: [{ locator, subject }], fields: {} }, facts: { subject_request: id } };
}

async function saidOf(desk: RightsDesk, came: AtDesk, { contract, id, subject, note }: SubjectRequest): Promise<string | null> {
  return note && withSubjectKey(desk, came, subject, (key) => openNote(desk.aead, key, { contract, id }, note));
}

async function subjectOf(desk: RightsDesk, id: ContractId, type: string, locator: string): Promise<string | null> {
  const [found] = await selectLocators(desk.database, id, { type, locator });
  return found?.subject ?? null;
}
