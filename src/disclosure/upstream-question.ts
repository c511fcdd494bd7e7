/** A caller's query for a route, and the seal of what pages say: a cursor goes out with what was searched for, and comes back with it. */
import { type Condition, type Connector, type ConnectorRoute, type Query, type Question, readQuestion } from "../connectors/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { openCursor, sealCursor } from "../upstream/index.ts";
import type { Disclosure } from "./ask.ts";
import type { Inside } from "./disclose.ts";

interface Place {
  readonly contract: ContractId;
  /** Of the connector, at the contract. */
  readonly name: string;
  readonly route: ConnectorRoute;
}

export function readUpstreamQuestion(
  { aead }: Pick<Disclosure, "aead">,
  { keys }: Inside,
  { contract, name, route, connector, query }: Place & { readonly connector: Connector; readonly query: Query },
): Result<Question, Refusal> {
  const carried: Condition[] = [];
  const read = readQuestion({
    ...{ connector, route, query },
    openCursor: (sealed) => {
      const opened = openCursor(aead, keys.locator, { contract, name, route: route.path }, sealed);
      if (opened === null) return null;
      const { cursor, searched } = JSON.parse(opened) as SealedCursor;
      carried.push(...searched);
      return cursor;
    },
  });
  if (!read.ok) return refuse({ code: "bad_query", errors: [read.refusal] });
  return ok({ ...read.value, conditions: [...read.value.conditions, ...carried] });
}

interface SealedCursor {
  readonly cursor: string;
  readonly searched: readonly Condition[];
}

export function sealingOf(
  { aead }: Pick<Disclosure, "aead">,
  { keys }: Inside,
  { contract, name, route, conditions }: Place & { readonly conditions: readonly Condition[] },
): (cursor: string) => string {
  const searched = conditions.filter(({ kind }) => kind === "search");
  return (cursor) =>
    sealCursor(aead, keys.locator, { contract, name, route: route.path }, JSON.stringify({ cursor, searched } satisfies SealedCursor));
}
