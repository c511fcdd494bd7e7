/** Where the clients of shops bring the caller's token. */
import { type Carriage, tokenHeaders } from "../connectors/index.ts";
import { fromBase64, fromUtf8 } from "../crypto/index.ts";
import type { Received } from "../http/index.ts";
import type { Presented } from "../kernel/index.ts";

/** Where the caller's token stands; a Bearer's or DPoP's header comes first. */
export function tokenOf({ caller: { authorization }, header }: Received): { authorization: Presented | null; carriage: Carriage } {
  if (typeof authorization === "string" && /^basic /i.test(authorization))
    return { authorization: `Bearer ${passwordOf(authorization)}`, carriage: "basic" };
  for (const name of authorization === null ? tokenHeaders : []) {
    const token = header(name);
    if (token !== null) return { authorization: `Bearer ${token}`, carriage: { header: name } };
  }
  return { authorization, carriage: "bearer" };
}

/** RFC 7617: what stands behind the first colon. Empty where there is none. */
function passwordOf(authorization: string): string {
  try {
    return /^[^:]*:(.*)$/s.exec(fromUtf8(fromBase64(authorization.slice("basic ".length))))?.[1] ?? "";
  } catch {
    return "";
  }
}
