/** The records of an upstream's answer, each by the same decision as one of the vault:  records → what was searched for → row rules, mask → whose it is */
import { type Condition, type Connector, type ConnectorRoute, recordsIn, textAt } from "../connectors/index.ts";
import type { Json, JsonObject, Locator } from "../kernel/index.ts";
import { normalize } from "../masking/index.ts";
import { type Circumstances, type Decision, type Shown, showDocument, sortFields } from "../policy/index.ts";
import { locatorOf } from "../records/index.ts";
import type { Inside } from "./disclose.ts";
import { type Glass, isOpenFor } from "./glass.ts";

export interface Treating {
  readonly connector: Connector;
  readonly route: Pick<ConnectorRoute, "resource" | "id" | "records">;
  readonly decision: Decision;
  readonly inside: Inside;
  readonly circumstances: Circumstances;
  readonly glass: Glass;
  readonly conditions: readonly Condition[];
}

interface Leaving {
  readonly record: { readonly locator: Locator };
  readonly subject: string | undefined;
  readonly settled: Shown["settled"];
  readonly left: Shown["left"];
  readonly fields: JsonObject;
  readonly unknown: number;
}

interface Treated {
  readonly leaving: readonly Leaving[];
  readonly notHeld: number;
  readonly failed: number;
}

/** `null` = not the body that the route has. */
export function treat({ connector, route, decision, inside, circumstances, glass, conditions }: Treating, body: Json): Treated | null {
  const records = recordsIn(body, route, connector);
  if (records === null) return null;
  const { keys } = inside;
  const leaving: Leaving[] = [];
  let [notHeld, failed] = [0, 0];
  for (const { id, document } of records) {
    // What the upstream thinks is alike is not what was asked for.
    if (!matches(decision, document, conditions)) continue;
    const subject = subjectOf(decision, inside, document, id);
    if (!isOpenFor(glass, subject)) continue;
    const shown = showDocument(decision, circumstances, document, keys.pseudonym);
    if (shown === "fails_to_hold") notHeld++;
    else if (shown === "failed") failed++;
    else
      leaving.push({
        ...shown,
        record: { locator: locatorOf(keys.locator, route.resource, id) },
        subject,
      });
  }
  return { leaving, notHeld, failed };
}

/** Whatever was searched for is in it, exactly, in any spelling. */
function matches({ resource }: Decision, document: JsonObject, conditions: readonly Condition[]): boolean {
  return conditions.every(({ kind, field: path, value }) => {
    if (kind !== "search") return true;
    const field = own(resource.fields, path);
    const wanted = field && normalize(field.class, value);
    return sortFields(resource, document).searchable.some((found) => found.field === path && found.value === wanted);
  });
}

/** Whose record it is, by the name that they have in the vault as well. `undefined` = it does not say. */
function subjectOf({ resource: { subject } }: Decision, { keys }: Inside, document: JsonObject, id: string): string | undefined {
  const named = subject.path === null ? id : textAt(document, subject.path);
  return named === null ? undefined : locatorOf(keys.locator, subject.type, named);
}

export function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
