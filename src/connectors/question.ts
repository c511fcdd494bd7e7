/**
 * A caller's query, held to what the route lets be asked, and what of it goes up. Which fields it asks by is said with it: whether they may be asked by is
 * the policy's matter.
 */
import { ok, type Result, refuse } from "../kernel/index.ts";
import type { Connector, ConnectorRoute, Parameter, Query } from "./connector.ts";
import { readCriteria } from "./criteria.ts";
import { type Condition, conditionsOf, type Said, sorted, takesValue, type Unasked } from "./criterion.ts";

export interface Question {
  /** All that goes up. */
  readonly query: Query;
  readonly conditions: readonly Condition[];
}

export interface Asking {
  readonly connector: Pick<Connector, "drops">;
  readonly route: ConnectorRoute;
  readonly query: Query;
  /** What a page said before, out of our seal. `null` = it was not we who sealed it, or not for this. */
  readonly openCursor: (sealed: string) => string | null;
}

export function readQuestion(asking: Asking): Result<Question, Unasked> {
  const { connector, route, query } = asking;
  const up: Record<string, string> = {};
  const conditions: Condition[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (connector.drops.includes(name) || Object.hasOwn(route.where, name)) continue;
    const said = readParameter(asking, name, value);
    if (!said.ok) return said;
    up[name] = said.value.up;
    conditions.push(...said.value.conditions);
  }
  return ok({ query: { ...up, ...route.where, ...route.adds }, conditions });
}

function readParameter({ route, query, openCursor }: Asking, name: string, value: string): Said {
  const pointer = `query:${name}`;
  const [outer = ""] = name.split("[");
  const own = parameterOf(route, name) ?? parameterOf(route, outer);
  if (own === undefined) return refuse({ pointer: "query", code: "unknown" });
  if (typeof own === "object" && "criteria" in own) return readCriteria(own.criteria, route, { outer, name, value, query });
  if (!Object.hasOwn(route.parameters, name)) return refuse({ pointer: "query", code: "unknown" });
  if (own === "limit") return takesValue("number", value) ? ok({ up: value, conditions: [] }) : refuse({ pointer, code: "grammar" });
  if (typeof own === "object" && "after" in own) return readAfter(own.after, pointer, value);
  if (own === "cursor") {
    const opened = openCursor(value);
    return opened === null ? refuse({ pointer, code: "grammar" }) : ok({ up: opened, conditions: [] });
  }
  if (typeof own === "object" && "sort" in own) {
    const field = Object.hasOwn(own.sort, value) ? own.sort[value] : undefined;
    return field === undefined ? refuse({ pointer, code: "grammar" }) : ok({ up: value, conditions: sorted(route, pointer, field, value) });
  }
  return takesValue(own, value) ? ok({ up: value, conditions: conditionsOf(own, pointer, value) }) : refuse({ pointer, code: "grammar" });
}

/** Who compares keys finds them out: where they are withheld, there are no pages. */
function readAfter(field: string, pointer: string, value: string): Said {
  return takesValue("id", value)
    ? ok({ up: value, conditions: [{ kind: "compare", pointer, field, value }] })
    : refuse({ pointer, code: "grammar" });
}

function parameterOf({ parameters }: ConnectorRoute, name: string): Parameter | undefined {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}
