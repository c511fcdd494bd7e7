/**
 * Tokens of a vendor's directory, which an operator issues: shown once, kept as a digest. A new one lets those before it hold for a while, so that a directory
 * changes over without a gap.  enter → log → written
 */
import { uuidv7 } from "uuidv7";
import { randomBytes, toBase64Url } from "../crypto/index.ts";
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterOperations, type Operating, type Visit } from "../offices/index.ts";
import { digestOfToken, type ScimDesk, type ScimNote } from "./enter.ts";
import { putToken, removeToken, type ScimToken, selectTokens } from "./postgres-tokens.ts";

export interface Issued extends ScimToken {
  /** The only time that it is seen. */
  readonly token: string;
}

export async function issueToken(
  desk: ScimDesk,
  visit: Visit,
  vendor: string,
  { days, overlapHours }: { readonly days: number; readonly overlapHours: number },
): Promise<Result<Issued, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  const id = uuidv7();
  const isKnown = desk.profileOf(vendor) !== null;
  await note(desk, visit, entered.value, {
    event: "scim.token_issued",
    outcome: isKnown ? { effect: "allow", code: "issued" } : { effect: "deny", code: "unacceptable" },
    facts: isKnown ? { vendor, token: id, days, overlap_hours: overlapHours } : {},
  });
  if (!isKnown) return refuse({ code: "unacceptable", errors: [{ pointer: "path:vendor", code: "no_directory" }] });
  const token = `psc_${toBase64Url(randomBytes(32))}`;
  const kept = await desk.database.transaction((tx) => putToken(tx, { vendor, id, digest: digestOfToken(token), days, overlapHours }));
  return kept ? ok({ ...kept, token }) : refuse({ code: "busy" });
}

export async function listTokens(desk: ScimDesk, visit: Visit, vendor: string): Promise<Result<ScimToken[], Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  await note(desk, visit, entered.value, { event: "scim.tokens_listed", outcome: { effect: "allow", code: "ok" } });
  return ok(await selectTokens(desk.database, vendor));
}

export async function revokeToken(desk: ScimDesk, visit: Visit, vendor: string, id: string): Promise<Result<void, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  const isThere = (await selectTokens(desk.database, vendor)).some((token) => token.id === id);
  await note(desk, visit, entered.value, {
    event: "scim.token_revoked",
    outcome: isThere ? { effect: "allow", code: "revoked" } : { effect: "deny", code: "not_found" },
    facts: isThere ? { vendor, token: id } : {},
  });
  return isThere && (await removeToken(desk.database, vendor, id)) ? ok(undefined) : refuse({ code: "not_found" });
}

async function note(desk: ScimDesk, { request }: Visit, { actor, log }: Operating, draft: ScimNote): Promise<void> {
  await desk.audit.append(log, { ...draft, actor, request });
}
