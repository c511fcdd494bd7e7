/**
 * YAML, read strictly: one document of plain maps, lists and scalars (YAML 1.2 core, so a date stays text), every value with its position.
 * Refused: anchors, aliases, tags, merge keys, directives, a key twice, keys that are not text, tabs as indentation, more than 256 kB, nesting past 16.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type YAMLMap } from "yaml";
import { ok, type Result, refuse } from "../kernel/index.ts";
import type { Problem, ProblemCode } from "./problem.ts";

export type YamlPath = readonly PropertyKey[];

export interface Source {
  readonly file: string;
  /** Plain objects, arrays and scalars; `null` for an empty file. */
  readonly value: unknown;
  /** A problem at the last key of `path`, or at the nearest thing around it that stands in the file. */
  problem(path: YamlPath, code: ProblemCode, message: string, hint?: string): Problem;
  /** As `problem`, at the value instead of the key. */
  valueProblem(path: YamlPath, code: ProblemCode, message: string, hint?: string): Problem;
  /** Where the last key of `path` stands, both from 1. */
  placeOf(path: YamlPath): { readonly line: number; readonly column: number };
}

const sourceCharactersMax = 256 * 1024;
const depthMax = 16;
const problemsMax = 50;

export function readYaml(text: string, file: string): Result<Source, Problem[]> {
  const lines = new LineCounter();
  const at = (offset: number, code: ProblemCode, message: string, hint?: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), code, message, ...(hint === undefined ? {} : { hint }) };
  };
  if (text.length > sourceCharactersMax) return refuse([at(0, "too_large", "the file is larger than 256 kB")]);
  const reader = new Reader((offset, message, hint) => at(offset, "yaml", message, hint));
  const value = reader.read(text, lines);
  if (reader.problems.length > 0) return refuse(reader.problems.slice(0, problemsMax));
  return ok({
    file,
    value,
    problem: (path, code, message, hint) => at(reader.offset(path, "key"), code, message, hint),
    valueProblem: (path, code, message, hint) => at(reader.offset(path, "value"), code, message, hint),
    placeOf: (path) => {
      const { line, col } = lines.linePos(reader.offset(path, "key"));
      return { line, column: col };
    },
  });
}

/** What stands at `at`, as a source of its own: a contract inside another file keeps its positions. */
export function sourceWithin(source: Source, at: YamlPath): Source {
  return {
    file: source.file,
    value: valueAt(source.value, at),
    problem: (path, ...rest) => source.problem([...at, ...path], ...rest),
    valueProblem: (path, ...rest) => source.valueProblem([...at, ...path], ...rest),
    placeOf: (path) => source.placeOf([...at, ...path]),
  };
}

/** `undefined` = nothing stands there. */
export function valueAt(value: unknown, path: YamlPath): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, step);
  }
  return at;
}

interface Place {
  readonly key: number;
  readonly value: number;
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #places = new Map<string, Place>();
  readonly #at: (offset: number, message: string, hint?: string) => Problem;

  constructor(at: (offset: number, message: string, hint?: string) => Problem) {
    this.#at = at;
  }

  read(text: string, lines: LineCounter): unknown {
    const documents = this.#documents(text, lines);
    if (documents === null) return null;
    const [document, second] = documents;
    if (document === undefined) return null;
    if (second !== undefined) this.#refuse(second.range[0], "a second document", "one file holds one document: remove the ---");
    // A %YAML 1.1 line would turn dates into timestamps and `no` into false.
    if (/^%/m.test(text.slice(0, document.contents?.range?.[0] ?? 0)))
      this.#refuse(0, "directives are not accepted", "remove the line that starts with %");
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) this.#refuse(pos[0], firstLine(message), cures[code]);
    return this.problems.length > 0 ? null : this.#value(document.contents, [], document.contents?.range?.[0] ?? 0);
  }

  /** Offset of the nearest known place at or around `path`. */
  offset(path: YamlPath, side: keyof Place): number {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(placeKey(path.slice(0, length)));
      if (place !== undefined) return length === path.length ? place[side] : place.key;
    }
    return this.#places.get(placeKey([]))?.key ?? 0;
  }

  #documents(text: string, lines: LineCounter) {
    try {
      return parseAllDocuments(text, {
        version: "1.2",
        schema: "core",
        strict: true,
        // Compares each key with every other, which takes seconds in a large map; `#map` refuses a key that stands twice.
        uniqueKeys: false,
        merge: false,
        lineCounter: lines,
        logLevel: "silent",
        prettyErrors: false,
      });
    } catch (fault) {
      // The parser recurses; a file of brackets ends here.
      if (!(fault instanceof RangeError)) throw fault;
      this.#refuse(0, "nested too deep");
      return null;
    }
  }

  #value(node: Node | null | undefined, path: YamlPath, keyOffset: number): unknown {
    const offset = node?.range?.[0] ?? keyOffset;
    this.#places.set(placeKey(path), { key: keyOffset, value: offset });
    if (node === null || node === undefined) return null;
    if (path.length > depthMax) return this.#refuse(offset, "nested too deep");
    if (isAlias(node)) return this.#refuse(offset, "aliases are not accepted", "write the value out");
    if (node.anchor !== undefined) return this.#refuse(offset, "anchors are not accepted", "remove the &name");
    if (node.tag !== undefined) return this.#refuse(offset, "tags are not accepted", "remove the !tag; quote the value if it must be text");
    if (isScalar(node)) return node.value;
    if (isSeq<Node>(node)) return node.items.map((item, index) => this.#value(item, [...path, index], item.range?.[0] ?? offset));
    return isMap<Node, Node | null>(node) ? this.#map(node, path) : this.#refuse(offset, "not a plain value");
  }

  #map(node: YAMLMap<Node, Node | null>, path: YamlPath): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      const offset = key.range?.[0] ?? node.range?.[0] ?? 0;
      if (!isScalar(key) || typeof key.value !== "string" || key.anchor !== undefined || key.tag !== undefined) {
        this.#refuse(offset, "a key that is not plain text", "quote it");
      } else if (key.value === "<<") {
        this.#refuse(offset, "merge keys are not accepted", "write the keys out");
      } else if (key.value === "__proto__") {
        this.#refuse(offset, "this key is not accepted", "choose another name");
      } else if (Object.hasOwn(out, key.value)) {
        this.#refuse(offset, "this key stands twice", "keep one of them");
      } else {
        out[key.value] = this.#value(value, [...path, key.value], offset);
      }
    }
    return out;
  }

  #refuse(offset: number, message: string, hint?: string): null {
    this.problems.push(this.#at(offset, message, hint));
    return null;
  }
}

function placeKey(path: YamlPath): string {
  return JSON.stringify(path.map(String));
}

/** Of the parser's own messages. */
function firstLine(text: string): string {
  const [line = text] = text.split("\n", 1);
  if (/call stack/.test(line)) return "nested too deep";
  return `${line.charAt(0).toLowerCase()}${line.slice(1)}`;
}

const cures: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "write each key once",
  BAD_INDENT: "close the bracket, and indent what is inside",
  TAB_AS_INDENT: "indent with spaces",
  TAG_RESOLVE_FAILED: "remove the !tag; quote the value if it must be text",
};
