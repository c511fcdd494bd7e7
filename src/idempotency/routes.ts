/**
 * `Idempotency-Key` on the writes of owners:  grammar → who → claim → the first: handle, remember · a repetition: same body? → enter → log → the answer again
 * Only answers are remembered, never refusals: a refusal changed nothing, and the next try may fare better. What a purge, an approval or a policy change is bound
 * to by its own digest stays bound to it; this is for callers who lost an answer (decision 0026).
 */
import { gatewayLog } from "../audit/index.ts";
import { type Aead, createSha256, hkdfSha256, hmacSha256, keyBytes, open, seal, toHex, utf8 } from "../crypto/index.ts";
import { type Answer, idempotencyKeyPattern, type Received, type Route } from "../http/index.ts";
import type { Principal } from "../identity/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { AuditKeys } from "../keys/index.ts";
import { admittedTo, type Entered, enterContract, enterHouse, type OfficeDoor } from "../offices/index.ts";
import { type Claim, claim, type Place, release, remember } from "./postgres.ts";

const header = {
  name: "Idempotency-Key",
  pattern: idempotencyKeyPattern.source,
  description:
    "Sent again with the same request within a day, it is answered as it was the first time, with `Idempotency-Replayed: true`. A random one: a UUID.",
} as const;

/** Longer than a request takes; a dead one's key is free again after it. */
const leaseMs = 60_000;
const streamLeaseMs = 900_000;
/** How long a repetition waits for the first one's answer before it is told `busy`. */
const waitMs = 2_000;
const askEveryMs = 100;
/** A longer answer is not remembered, and its request is handled anew. */
const answerBytesMax = 262_144;

export interface RepeatDesk extends OfficeDoor {
  readonly aead: Aead;
  readonly auditKeys: AuditKeys;
}

/** What is sealed. `stream`: the digest of a body that the handler read by itself. */
interface Remembered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly media: string;
  readonly body: string;
  readonly stream: string | null;
}

/** One request under its key. */
interface Keyed {
  readonly place: Place;
  readonly request: Uint8Array;
  readonly answerKey: Uint8Array;
}

/** The same route; where it is an owner's write, it takes the header. */
export function repeatable(desk: RepeatDesk, route: Route): Route {
  if (route.method === "GET" || !admittedTo(`${route.method} ${route.path}`).includes("merchant_owner")) return route;
  const refusals = [...new Set([...route.refusals, "busy", "idempotency_key_reused"] as const)];
  return { ...route, headers: [header], refusals, handle: (received) => handleOnce(desk, route, received) };
}

async function handleOnce(desk: RepeatDesk, route: Route, received: Received): Promise<Result<Answer, Refusal>> {
  const sent = received.header("idempotency-key");
  if (sent === null) return route.handle(received);
  if (!idempotencyKeyPattern.test(sent))
    return received.turnAway({ code: "bad_header", errors: [{ pointer: "header:idempotency-key", code: "grammar" }] });
  const who = await desk.identity.identify(received.caller.authorization);
  if (!who.ok) return route.handle(received);
  const keyed = await keyedOf(desk, who.value, received, sent.replaceAll('"', ""));
  const claimed = await claimWithin(desk, keyed, received.stream ? streamLeaseMs : leaseMs);
  if (claimed.kind === "first") return first({ desk, route, received, keyed, lease: claimed.lease });
  if (claimed.kind === "under_way") return received.turnAway({ code: "busy" });
  const remembered = claimed.kind === "answered" ? openAnswer(desk, keyed, claimed.sealed) : null;
  const stream = received.stream && (await digestOf(received.stream, route.body?.bytesMax ?? 0));
  return remembered !== null && remembered.stream === stream
    ? again(desk, received, remembered)
    : received.turnAway({ code: "idempotency_key_reused" });
}

/**
 * Everything under a key of the gateway's own and the caller's Idempotency-Key: without both, nobody can tell whose request it was, guess at its body, or
 * open its answer. The houses where the caller is an owner, or an admin, belong to the name: who loses or gains one has other keys.
 */
async function keyedOf(desk: RepeatDesk, { issuer, subject }: Principal, received: Received, sent: string): Promise<Keyed> {
  const { caller, params, query, body } = received;
  const secret = await desk.auditKeys.keyOf(desk.database, gatewayLog, "pseudonym");
  const own = hkdfSha256(secret, new Uint8Array(), utf8("postern/idempotency/1"), keyBytes);
  const mac = (...parts: unknown[]) => hmacSha256(own, utf8(JSON.stringify(parts)));
  const who = { issuer, subject };
  const holder = [issuer, subject, desk.offices.merchantsOf(who, "merchant_owner"), desk.offices.vendorsOf(who)];
  return {
    place: { principal: mac("principal", ...holder), name: mac("name", ...holder, sent) },
    request: mac("request", ...holder, sent, caller.request.route, params, query, body ?? null),
    answerKey: mac("answer", ...holder, sent),
  };
}

/** Waits a little for an answer that is under way: twenty at once are one request and get one answer. */
async function claimWithin({ database }: RepeatDesk, { place, request }: Keyed, lease: number): Promise<Claim> {
  for (let waited = 0; ; waited += askEveryMs) {
    const claimed = await claim(database, place, request, lease);
    if (claimed.kind !== "under_way" || waited >= waitMs) return claimed;
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}

interface First {
  readonly desk: RepeatDesk;
  readonly route: Route;
  readonly received: Received;
  readonly keyed: Keyed;
  readonly lease: string;
}

/**
 * Crash order: the claim is committed, then the act with its entry, then the answer. A process that dies between the last two leaves a claim that lapses with its
 * lease; the request is handled anew then, and its entries tell.
 */
async function first({ desk, route, received, keyed, lease }: First): Promise<Result<Answer, Refusal>> {
  const { database } = desk;
  const counted = received.stream && hashed(received.stream);
  const handled = await route.handle(counted ? { ...received, stream: counted.stream } : received).catch(async (fault: unknown) => {
    await release(database, keyed.place, lease).catch(() => undefined);
    throw fault;
  });
  const kept = handled.ok ? rememberedOf(handled.value, counted ? counted.digest() : null) : null;
  // The act is done and logged: its caller is told so, whether or not it can be told again.
  await (kept
    ? remember(database, keyed.place, lease, seal(desk.aead, keyed.answerKey, keyed.place.name, utf8(kept)))
    : release(database, keyed.place, lease)
  ).catch(() => undefined);
  return handled;
}

/** `null` = it is a stream, or too long. */
function rememberedOf({ status, headers = {}, media, body }: Answer, stream: string | null): string | null {
  if (typeof body !== "string") return null;
  const text = JSON.stringify({ status, headers, media, body, stream } satisfies Remembered);
  return text.length > answerBytesMax ? null : text;
}

/** `null` = it was sealed in another place. */
function openAnswer({ aead }: RepeatDesk, { place, answerKey }: Keyed, sealed: Uint8Array): Remembered | null {
  const opened = open(aead, answerKey, place.name, sealed);
  return opened && (JSON.parse(new TextDecoder().decode(opened)) as Remembered);
}

/** Whoever has lost the office meanwhile is refused here, and logged here, as anywhere. */
async function again(desk: RepeatDesk, received: Received, { status, headers, media, body }: Remembered): Promise<Result<Answer, Refusal>> {
  const { caller, params } = received;
  const { contract } = params;
  const entered: Result<Pick<Entered, "actor" | "log">, Refusal> = contract === undefined
    ? await enterHouse(desk, caller)
    : await enterContract(desk, caller, contract as ContractId);
  if (!entered.ok) return refuse(entered.refusal);
  const { actor, log } = entered.value;
  const facts = contract !== undefined && log.log === gatewayLog ? { contract } : undefined;
  await desk.audit.append(log, {
    event: "request.repeated",
    actor,
    request: caller.request,
    outcome: { effect: "allow", code: "repeated" },
    ...(facts && { facts }),
  });
  return ok({ status, headers: { ...headers, "idempotency-replayed": "true" }, media, body });
}

function hashed(stream: ReadableStream<Uint8Array>): { readonly stream: ReadableStream<Uint8Array>; readonly digest: () => string } {
  const hash = createSha256();
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      hash.update(chunk);
      controller.enqueue(chunk);
    },
  });
  return { stream: stream.pipeThrough(counter), digest: () => toHex(hash.finish()) };
}

/** In constant memory. Empty, which is no digest, where there is more than any first request had. */
async function digestOf(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const hash = createSha256();
  const reader = stream.getReader();
  for (let total = 0; total <= bytesMax; ) {
    const { done, value } = await reader.read();
    if (done) return toHex(hash.finish());
    hash.update(value);
    total += value.length;
  }
  await reader.cancel().catch(() => undefined);
  return "";
}
