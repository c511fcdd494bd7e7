/** A person by the merchant's own id, as a contract's bundle and keys name them. */
import type { Bundles, Contract } from "../contracts/index.ts";
import type { Locator } from "../kernel/index.ts";
import { type Keyring, newestEpoch, selectSubjectKeys } from "../keys/index.ts";
import type { Queryable } from "../storage/index.ts";
import { locatorOf } from "./locator.ts";

export interface NamedSubject {
  readonly subject: Locator;
  /** Something of theirs is stored now. More often than not a name was mistyped where nothing is. */
  readonly found: boolean;
}

/** A code = the bundle has no such type, or its records are not people. */
export async function subjectNamed(
  { database, bundles, keyring }: { readonly database: Queryable; readonly bundles: Bundles; readonly keyring: Keyring },
  { id: contract, bundleDigest }: Pick<Contract, "id" | "bundleDigest">,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<NamedSubject | "unknown_type" | "not_a_subject"> {
  const { resources } = await bundles.bundleOf(database, contract, bundleDigest);
  const resource = Object.hasOwn(resources, type) ? resources[type] : undefined;
  if (!resource) return "unknown_type";
  if (resource.subject.path !== null) return "not_a_subject";
  const keys = await keyring.keysOf(database, contract, await newestEpoch(database, contract));
  const subject = locatorOf(keys.locator, type, id);
  return { subject, found: (await selectSubjectKeys(database, contract, [subject])).size > 0 };
}
