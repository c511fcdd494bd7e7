/**
 * Paths of a policy. A step is a key, or what stands behind a key:
 *   `[]`  every element of a list               `items[].name`, `tags[]`, `rows[].cells[].value`
 *   `{}`  every member of a map, whose keys are data and never leave: they become 1, 2, 3 …     `phones{}.number`
 *   `$`   the JSON document that a text holds   `payload$.receiver.mobile`, `events[].body$.items[].name`
 * Keys are names, never data: letters, digits, `_` and `-`; `__proto__` is none.
 */
export type Step = string;

const pathCharactersMax = 256;
const pathStepsMax = 16;

const keyPattern = /^[\p{L}_][\p{L}\p{M}\p{N}_-]{0,63}$/u;
const containers = /(?:\[\]|\{\}|\$)*$/;
const containerSteps = ["[]", "{}", "$"] as const;
type Container = (typeof containerSteps)[number];

/** The steps of `text`; `null` = not of the grammar. A text's JSON is an object or a list: `$` is never the last step, and never stands twice. */
export function parsePath(text: string): readonly Step[] | null {
  if (text.length > pathCharactersMax) return null;
  const steps: Step[] = [];
  for (const part of text.split(".")) {
    const behind = containers.exec(part)?.[0] ?? "";
    const key = part.slice(0, part.length - behind.length);
    if (!keyPattern.test(key) || key === "__proto__") return null;
    steps.push(key, ...(behind.match(/\[\]|\{\}|\$/g) ?? []));
  }
  const bare = steps.some((step, index) => step === "$" && (index === steps.length - 1 || steps[index + 1] === "$"));
  return steps.length > pathStepsMax || bare ? null : steps;
}

export type Trie<Leaf> =
  | { readonly kind: "leaf"; readonly leaf: Leaf }
  | { readonly kind: "object"; readonly members: Map<string, Trie<Leaf>> }
  | { readonly kind: "array" | "map" | "json"; readonly inside: Trie<Leaf> };

export type ObjectTrie<Leaf> = Extract<Trie<Leaf>, { kind: "object" }>;

type Entry<Leaf> = readonly [steps: readonly Step[], leaf: Leaf];

const kinds = { "[]": "array", "{}": "map", $: "json" } as const satisfies Record<Container, Trie<never>["kind"]>;

/** One tree of all paths. Throws a RangeError on a path outside the grammar, or on two paths that cannot both be right (`a` and `a.b`, `a` and `a[]`). */
export function buildTrie<Leaf>(entries: Iterable<readonly [path: string, leaf: Leaf]>): ObjectTrie<Leaf> {
  const parsed = Array.from(entries, ([path, leaf]): Entry<Leaf> => {
    const steps = parsePath(path);
    if (steps === null) throw new RangeError("not a path");
    return [steps, leaf];
  });
  return objectNode(parsed);
}

/** Paths that can all be right at once, as `buildTrie` has it, found out one by one. */
export class PathSet {
  /** What stands behind each beginning: a key, a container, or nothing more. */
  readonly #behind = new Map<string, "key" | "end" | Container>();

  /** `false` = it overlaps a path of the set, and is not in it. */
  add(steps: readonly Step[]): boolean {
    const marks = [...steps, null].map((step, index) => [steps.slice(0, index).join(" "), markOf(step)] as const);
    const fits = marks.every(([beginning, mark]) => {
      const known = this.#behind.get(beginning);
      return known === undefined || (known === mark && mark !== "end");
    });
    if (fits) for (const [beginning, mark] of marks) this.#behind.set(beginning, mark);
    return fits;
  }
}

function markOf(step: Step | null): "key" | "end" | Container {
  return step === null ? "end" : (containerOf(step) ?? "key");
}

function containerOf(step: Step | undefined): Container | undefined {
  return containerSteps.find((known) => known === step);
}

function node<Leaf>(entries: readonly Entry<Leaf>[]): Trie<Leaf> {
  const [only, second] = entries;
  const step = only?.[0][0];
  if (only !== undefined && second === undefined && step === undefined) return { kind: "leaf", leaf: only[1] };
  const container = containerOf(step);
  if (container === undefined) return objectNode(entries);
  if (entries.some(([[first]]) => first !== container)) throw new RangeError("two paths overlap");
  return { kind: kinds[container], inside: node(entries.map(behind)) };
}

function objectNode<Leaf>(entries: readonly Entry<Leaf>[]): ObjectTrie<Leaf> {
  const byKey = new Map<string, Entry<Leaf>[]>();
  for (const entry of entries) {
    const [key] = entry[0];
    if (key === undefined || containerOf(key) !== undefined) throw new RangeError("two paths overlap");
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, [behind(entry)]);
    else group.push(behind(entry));
  }
  return { kind: "object", members: new Map([...byKey].map(([key, group]) => [key, node(group)])) };
}

function behind<Leaf>([steps, leaf]: Entry<Leaf>): Entry<Leaf> {
  return [steps.slice(1), leaf];
}
