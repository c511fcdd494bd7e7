/** What is asked of a merchant's own system, and what may come of it. */
import type { Json, RefusalCode } from "../kernel/index.ts";

export interface Question {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly credential: string;
}

/** `status`: an API's; absent where there was no answer. `fault`: what was wrong, for the log; without a word of the upstream's own. */
export type Asked =
  | { readonly ok: true; readonly status?: number; readonly body: Json }
  | { readonly ok: false; readonly status?: number; readonly refusal: UpstreamRefusal; readonly fault?: string };

export type UpstreamRefusal = Extract<
  RefusalCode,
  "not_found" | "upstream_failed" | "upstream_late" | "upstream_busy" | "upstream_limited"
>;

export const jsonLimits = { depthMax: 32, breadthMax: 10_000 };
