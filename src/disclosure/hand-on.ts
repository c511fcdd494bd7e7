/**
 * An agent hands on what the customer asks of the merchant:  as far as a read, which shows nothing → log → keep → answer
 * What the customer said is sealed before it is kept; the agent never sees it again.
 */
import type { AuditPromise } from "../audit/index.ts";
import { ok, type Refusal, type Result } from "../kernel/index.ts";
import { insertRequest, newRequest, type RequestKind } from "../requests/index.ts";
import type { Ask, Disclosure } from "./ask.ts";
import { reach } from "./disclose.ts";
import { denyDraft } from "./entries.ts";

export interface Said {
  readonly kind: RequestKind;
  readonly note: string | undefined;
}

export interface HandedOn {
  readonly id: string;
  readonly receivedAt: number;
  readonly dueAt: number;
  readonly promise: AuditPromise;
}

/** `ask`: a read of the record that stands before the agent. */
export function handOn(deps: Disclosure, ask: Ask, said: Said): Promise<Result<HandedOn, Refusal>> {
  return deps.inFlight.run(ask.contract, () => keep(deps, ask, said));
}

async function keep(deps: Disclosure, ask: Ask, { kind, note }: Said): Promise<Result<HandedOn, Refusal>> {
  const reached = await reach(deps, ask);
  if (!reached.ok) return reached;
  const { now, keys, log, draft, found } = reached.value;
  const [record] = found;
  if (!record) return denyDraft(deps, log, draft, { code: "record_damaged" });
  const { locator, subject, subjectKey } = record;
  const about = { contract: ask.contract, kind, type: ask.type, locator, subject, receivedAt: now, note };
  const request = keys.withSubjectKey(subject, subjectKey, (key) => newRequest(deps.aead, key, about));
  if (!request) return denyDraft(deps, log, draft, { code: "record_damaged" });
  const promise = await deps.audit.append(log, {
    ...draft,
    event: "subject_request.received",
    resource: { type: ask.type, records: [{ locator, subject }], fields: {} },
    outcome: { effect: "allow", code: kind },
    facts: { ...draft.facts, subject_request: request.id },
  });
  await insertRequest(deps.database, request);
  return ok({ id: request.id, receivedAt: request.receivedAt, dueAt: request.dueAt, promise });
}
