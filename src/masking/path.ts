/**
 * Paths of a policy: `name`, `receiver.mobile`, `items[].name`, `tags[]`, `rows[].cells[].value`. A step is a key, or "[]" for every element.
 * Keys are names, never data: letters, digits, `_` and `-`; `__proto__` is none.
 */
export type Step = string;

const pathCharactersMax = 256;
const pathStepsMax = 16;

const keyPattern = /^[\p{L}_][\p{L}\p{M}\p{N}_-]{0,63}$/u;

/** The steps of `text`; `null` = not of the grammar. */
export function parsePath(text: string): readonly Step[] | null {
  if (text.length > pathCharactersMax) return null;
  const steps: Step[] = [];
  for (const part of text.split(".")) {
    const key = part.replace(/(?:\[\])+$/, "");
    if (!keyPattern.test(key) || key === "__proto__") return null;
    steps.push(key);
    for (let rest = part.length - key.length; rest > 0; rest -= 2) steps.push("[]");
  }
  return steps.length <= pathStepsMax ? steps : null;
}

export type Trie<Leaf> =
  | { readonly kind: "leaf"; readonly leaf: Leaf }
  | { readonly kind: "object"; readonly members: Map<string, Trie<Leaf>> }
  | { readonly kind: "array"; element: Trie<Leaf> };

export type ObjectTrie<Leaf> = Extract<Trie<Leaf>, { kind: "object" }>;

/** One tree of all paths. Throws a RangeError on a path outside the grammar, or on two paths that cannot both be right (`a` and `a.b`, `a` and `a[]`). */
export function buildTrie<Leaf>(entries: Iterable<readonly [path: string, leaf: Leaf]>): ObjectTrie<Leaf> {
  const root: ObjectTrie<Leaf> = { kind: "object", members: new Map() };
  for (const [path, leaf] of entries) {
    const steps = parsePath(path);
    if (steps === null) throw new RangeError("not a path");
    insert(root, steps, leaf);
  }
  return root;
}

function insert<Leaf>(root: ObjectTrie<Leaf>, steps: readonly Step[], leaf: Leaf): void {
  let parent: Trie<Leaf> = root;
  steps.forEach((step, index) => {
    const next = steps[index + 1];
    const standing = childAt(parent, step);
    if (next === undefined && standing !== undefined) throw new RangeError("two paths overlap");
    if (standing !== undefined) {
      if (standing.kind !== (next === "[]" ? "array" : "object")) throw new RangeError("two paths overlap");
      parent = standing;
      return;
    }
    const made = emptyNode(next, leaf);
    if (parent.kind === "object") parent.members.set(step, made);
    if (parent.kind === "array") parent.element = made;
    parent = made;
  });
}

function childAt<Leaf>(parent: Trie<Leaf>, step: Step): Trie<Leaf> | undefined {
  if (parent.kind === "object") return parent.members.get(step);
  // A fresh array node's element is an object without members: nothing stands there yet.
  if (parent.kind === "array" && !(parent.element.kind === "object" && parent.element.members.size === 0)) return parent.element;
  return undefined;
}

function emptyNode<Leaf>(next: Step | undefined, leaf: Leaf): Trie<Leaf> {
  if (next === undefined) return { kind: "leaf", leaf };
  const object: Trie<Leaf> = { kind: "object", members: new Map() };
  return next === "[]" ? { kind: "array", element: object } : object;
}
