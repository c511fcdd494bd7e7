/**
 * Magento's search criteria, which are many parameters to one question:
 *   searchCriteria[filterGroups][0][filters][0][field]=increment_id & …[value]=000000012 & …[conditionType]=eq
 *   searchCriteria[sortOrders][0][field]=created_at & …[direction]=DESC · searchCriteria[pageSize]=20 · searchCriteria[currentPage]=1
 * Every group is one filter, so that all of them hold of what comes back. Both spellings of the keys are taken.
 */
import { ok, refuse } from "../kernel/index.ts";
import type { ConnectorRoute, Criterion, Query } from "./connector.ts";
import { type Condition, conditionsOf, type Said, sorted, takesValue } from "./criterion.ts";

interface Part {
  /** `searchCriteria`. */
  readonly outer: string;
  readonly name: string;
  readonly value: string;
  /** All of the caller's, for what belongs together. */
  readonly query: Query;
}

const filterPattern =
  /^\[(?:filterGroups|filter_groups)\]\[[0-9]{1,2}\]\[filters\]\[([0-9]{1,2})\]\[(field|value|conditionType|condition_type)\]$/;
const sortPattern = /^\[(?:sortOrders|sort_orders)\]\[[0-9]\]\[(field|direction)\]$/;
const pagePattern = /^\[(?:pageSize|page_size|currentPage|current_page)\]$/;
const comparisons = ["eq", "gt", "gteq", "lt", "lteq", "from", "to"];

/** One of its parameters. Which go together is found by their names. */
export function readCriteria(
  criteria: Readonly<Record<string, Criterion>>,
  route: ConnectorRoute,
  { outer, name, value, query }: Part,
): Said {
  const rest = name.slice(outer.length);
  const pointer = `query:${outer}`;
  const wrong = refuse({ pointer, code: "grammar" } as const);
  const taken = (conditions: readonly Condition[] = []) => ok({ up: value, conditions });
  if (rest === "" || rest === "[]") return value === "" || value === "all" ? taken() : wrong;
  if (pagePattern.test(rest)) return takesValue("number", value) ? taken() : wrong;
  const [, sortPart] = sortPattern.exec(rest) ?? [];
  if (sortPart === "direction") return ["ASC", "DESC"].includes(value.toUpperCase()) ? taken() : wrong;
  if (sortPart === "field") return sortField(criteria, route, { pointer, value }) ?? wrong;
  const [, place, part] = filterPattern.exec(rest) ?? [];
  // A second filter of a group would be another way in: what comes back is held to all that was asked.
  if (place !== "0" || part === undefined) return wrong;
  const prefix = name.slice(0, name.lastIndexOf("["));
  const own = (...keys: string[]) => keys.map((key) => query[`${prefix}[${key}]`]).find((text) => text !== undefined);
  const [field, wanted] = [own("field"), own("value")];
  // In both spellings, each by itself.
  const comparison = part.startsWith("condition") ? value : (own("conditionType", "condition_type") ?? "eq");
  const criterion = field !== undefined && Object.hasOwn(criteria, field) ? criteria[field] : undefined;
  if (criterion === undefined || wanted === undefined || !compares(criterion, comparison) || !takesValue(criterion, wanted)) return wrong;
  return taken(part === "value" ? conditionsOf(criterion, pointer, wanted) : []);
}

function compares(criterion: Criterion, comparison: string): boolean {
  if (criterion === "ids") return comparison === "in";
  return typeof criterion === "object" && "filter" in criterion ? comparisons.includes(comparison) : comparison === "eq";
}

/** By what may be compared, or by the record's id. */
function sortField(
  criteria: Readonly<Record<string, Criterion>>,
  route: ConnectorRoute,
  { pointer, value }: { pointer: string; value: string },
) {
  const criterion = Object.hasOwn(criteria, value) ? criteria[value] : undefined;
  if (value === route.id) return ok({ up: value, conditions: [] });
  if (typeof criterion !== "object" || !("filter" in criterion)) return null;
  return ok({ up: value, conditions: sorted(route, pointer, criterion.filter, value) });
}
