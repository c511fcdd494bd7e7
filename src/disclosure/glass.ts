/** A purpose that the contract keeps behind glass: whose records this seat may see for it now, because two owners said so. */
import type { EntryDraft } from "../audit/index.ts";
import { selectOpenGlasses } from "../break-glass/index.ts";
import type { Principal } from "../identity/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { Bundle } from "../policy/index.ts";
import type { Disclosure } from "./ask.ts";

/** Whose records, by locator → the id of the request by which they are open. `null` = the purpose is not behind glass: everybody's. */
export type Glass = ReadonlyMap<string, string> | null;

/** `closed`: nobody opened it for this seat, or it is over. */
export async function glassFor(
  { database }: Pick<Disclosure, "database">,
  contract: ContractId,
  { bundle, who, purpose }: { readonly bundle: Bundle; readonly who: Principal; readonly purpose: string },
): Promise<Glass | "closed"> {
  if (bundle.contract.purposes[purpose]?.breakGlassMinutes === undefined) return null;
  const open = await selectOpenGlasses(database, contract, who, purpose);
  return open.length === 0 ? "closed" : new Map(open.map(({ subject, id }) => [subject, id]));
}

/** A record of somebody else is as if it were not there. `undefined` = it does not say whose it is. */
export function isOpenFor(glass: Glass, subject: string | undefined): boolean {
  return glass === null || (subject !== undefined && glass.has(subject));
}

/** By which requests these people's records are open. */
export function glassDraft(draft: EntryDraft, glass: Glass, records: readonly { readonly subject: string | undefined }[]): EntryDraft {
  const ids = new Set(records.flatMap(({ subject }) => glass?.get(subject ?? "") ?? []));
  return ids.size === 0 ? draft : { ...draft, facts: { ...draft.facts, break_glass: [...ids].sort() } };
}
