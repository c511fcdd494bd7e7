/** One thing that a parameter asks for: is it a value of its kind, and by which field does it ask. */
import type { Result } from "../kernel/index.ts";
import { type ConnectorRoute, type Criterion, idPattern } from "./connector.ts";

/** `search`: exactly this value of a field. `compare`: an order or a range of a field, from which it could be guessed. */
export interface Condition {
  readonly kind: "search" | "compare";
  /** `query:email`. */
  readonly pointer: string;
  readonly field: string;
  readonly value: string;
}

/** Never with a value. */
export interface Unasked {
  readonly pointer: string;
  readonly code: "unknown" | "grammar";
}

/** What a parameter says: how it goes up, and by which fields it asks. */
export type Said = Result<{ readonly up: string; readonly conditions: readonly Condition[] }, Unasked>;

export function conditionsOf(criterion: Criterion, pointer: string, value: string): Condition[] {
  if (typeof criterion === "string" || "one_of" in criterion) return [];
  if ("search" in criterion) return [{ kind: "search", pointer, field: criterion.search, value }];
  return [{ kind: "compare", pointer, field: criterion.filter, value }];
}

/** By the record's own id nothing is found out that who asks does not see. */
export function sorted({ id }: ConnectorRoute, pointer: string, field: string, value: string): Condition[] {
  return field === id ? [] : [{ kind: "compare", pointer, field, value }];
}

const instantPattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?)?$/;
const idsMax = 50;
const searchCharactersMax = 256;

/** Is it a value of that kind? */
export function takesValue(criterion: Criterion, value: string): boolean {
  if (criterion === "ids") return value.split(",").length <= idsMax && value.split(",").every((id) => idPattern.test(id));
  if (typeof criterion === "string") return takesPlain(criterion, value);
  if ("one_of" in criterion) return criterion.one_of.includes(value);
  if ("filter" in criterion) return takesPlain(criterion.as, value);
  return value !== "" && value.length <= searchCharactersMax && !/\p{C}/u.test(value);
}

function takesPlain(kind: "number" | "id" | "instant", value: string): boolean {
  if (kind === "number") return /^(0|[1-9][0-9]{0,8})$/.test(value);
  return (kind === "id" ? idPattern : instantPattern).test(value);
}
