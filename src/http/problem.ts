/** RFC 9457 problems: one shape for every refusal, in the reader's language, never with a value, SQL, path or stack. */
import { proofAlgorithms, type Refusal, type RefusalCode, refusals } from "../kernel/index.ts";
import type { RefusalForm } from "./route.ts";

export type Language = "en" | "zh-CN";

/** Chinese where Accept-Language names it before English. */
export function languageOf(accept: string | null): Language {
  const first = (accept ?? "")
    .slice(0, 200)
    .match(/\b(zh|en)\b/i)?.[1]
    ?.toLowerCase();
  return first === "zh" ? "zh-CN" : "en";
}

export interface ProblemContext {
  readonly requestId: string;
  readonly language: Language;
  readonly headers?: Readonly<Record<string, string>>;
  /** The caller came with the DPoP scheme. */
  readonly proven?: boolean;
  /** Default: a problem. */
  readonly form?: RefusalForm | undefined;
}

export function problem(refusal: Refusal, { requestId, language, headers = {}, proven = false, form }: ProblemContext): Response {
  const { status } = refusals[refusal.code];
  const body = {
    type: `/docs/errors/${refusal.code}`,
    title: refusals[refusal.code][language],
    status,
    code: refusal.code,
    request_id: requestId,
    ...(refusal.errors ? { errors: refusal.errors } : {}),
  };
  return new Response(form ? form.body(refusal) : JSON.stringify(body), {
    status,
    headers: {
      ...baseHeaders,
      ...(status === 401 ? { "www-authenticate": challengeOf(refusal.code, proven) } : {}),
      ...restHeaders(refusal, status),
      ...headers,
      "content-type": form?.media ?? "application/problem+json",
      "content-language": language,
      "x-request-id": requestId,
    },
  });
}

/** RFC 9110 §10.2.3; and where it is a quota that is used up, draft-ietf-httpapi-ratelimit-headers. */
function restHeaders({ retryAfterSeconds }: Refusal, status: number): Record<string, string> {
  if (retryAfterSeconds === undefined) return status === 503 ? { "retry-after": "1" } : {};
  return { "retry-after": String(retryAfterSeconds), ratelimit: `"upstream";r=0;t=${retryAfterSeconds}` };
}

/** RFC 6750 §3, RFC 9449 §7.1: with which scheme to come, and what a proof may be signed with. */
function challengeOf(code: RefusalCode, proven: boolean): string {
  // RFC 9470 §3.
  if (code === "step_up_required") return 'Bearer realm="postern", error="insufficient_user_authentication", max_age="300"';
  if (!proven && code !== "proof_invalid") return 'Bearer realm="postern"';
  const error = code === "proof_invalid" ? "invalid_dpop_proof" : "invalid_token";
  return `DPoP realm="postern", error="${error}", algs="${proofAlgorithms.join(" ")}"`;
}

/** On every answer. Nothing of ours is sniffed, framed or executed, or kept by a cache where its route does not say so. */
export const baseHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
