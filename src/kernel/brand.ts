/**
 * Branded strings: a value that was parsed at a door cannot be mistaken for one that was not.
 */
declare const brand: unique symbol;

export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Names one 委托处理协议. Leads every path, primary key, AAD and log origin. */
export type ContractId = Brand<string, "ContractId">;

/** `r_` + 26 base32 characters: a record's pseudonym within one contract. */
export type Locator = Brand<string, "Locator">;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

/** Ids that we make or a path carries. `null` = not of the grammar. */
export function parseContractId(text: string): ContractId | null {
  return idPattern.test(text) ? (text as ContractId) : null;
}

/** True where `text` follows the grammar of ids that we make or a path carries. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}
