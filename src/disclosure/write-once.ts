/**
 * A write under its Idempotency-Key:  claim → the first: look, act, keep · again: log → the answer of then
 * What is known not to have been written lets its key go. What may have been keeps it: the same request is told the same again, and nothing goes up twice.
 */
import type { AuditPromise, EntryDraft, LogHandle } from "../audit/index.ts";
import { ok, type Refusal, type Result } from "../kernel/index.ts";
import { answerWrite, claimWrite, freeWrite, type KeyedWrite, openWritten } from "../upstream/index.ts";
import type { Disclosure } from "./ask.ts";
import { denyDraft } from "./entries.ts";

/** `body` null: it is written, and nothing of it is shown. */
export interface Written {
  readonly status: number;
  readonly body: string | null;
  readonly promise: AuditPromise;
  /** It was written before, and this is the answer of then. */
  readonly repeated: boolean;
}

type Resource = NonNullable<EntryDraft["resource"]>;
type Kept = { readonly refusal: Refusal } | { readonly status: number; readonly body: string | null; readonly resource: Resource };

/** `kept` null: nothing was written, or the upstream itself knows one that comes again. */
export interface Ending {
  readonly result: Result<Written, Refusal>;
  readonly kept: Kept | null;
}

export interface Once<Seen> {
  readonly deps: Disclosure;
  readonly log: LogHandle;
  readonly draft: EntryDraft;
  readonly keyed: KeyedWrite;
  /** The caller sent a key. */
  readonly isRepeatable: boolean;
  /** Before anything goes up. */
  readonly look: () => Promise<Result<Seen, Refusal>>;
  readonly act: (seen: Seen) => Promise<Ending>;
}

export async function writeOnce<Seen>(once: Once<Seen>): Promise<Result<Written, Refusal>> {
  const { deps, log, draft, keyed, isRepeatable, look, act } = once;
  if (!isRepeatable) {
    const seen = await look();
    return seen.ok ? (await act(seen.value)).result : seen;
  }
  const claimed = await claimWrite(deps.database, keyed);
  if (claimed.kind === "under_way") return denyDraft(deps, log, draft, { code: "busy" });
  if (claimed.kind === "another_request") return denyDraft(deps, log, draft, { code: "idempotency_key_reused" });
  if (claimed.kind === "answered") return again(once, claimed.answer);
  const { attempt } = claimed;
  const letGo = () => freeWrite(deps.database, keyed, attempt);
  const seen = await look().catch(async (fault: unknown) => {
    await letGo().catch(() => undefined);
    throw fault;
  });
  if (!seen.ok) {
    await letGo();
    return seen;
  }
  const { result, kept } = await act(seen.value);
  // It is done and logged: its caller is told so, whether or not it can be told again.
  await (kept ? answerWrite(deps.database, deps.aead, keyed, attempt, JSON.stringify(kept)) : letGo()).catch(() => undefined);
  return result;
}

async function again<Seen>({ deps, log, draft, keyed }: Once<Seen>, sealed: Uint8Array): Promise<Result<Written, Refusal>> {
  const opened = openWritten(deps.aead, keyed, sealed);
  if (opened === null) return denyDraft(deps, log, draft, { code: "record_damaged" });
  const kept = JSON.parse(opened) as Kept;
  if ("refusal" in kept) return denyDraft(deps, log, draft, kept.refusal);
  const { status, body, resource } = kept;
  const promise = await deps.audit.append(log, {
    ...draft,
    event: "request.repeated",
    resource,
    outcome: { effect: "allow", code: "repeated" },
  });
  return ok({ status, body, promise, repeated: true });
}
