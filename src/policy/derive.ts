/**
 * Derived fields: answers that are made of other fields of the same record, and stand in a resource beside them.
 *   salutation: { derive: { salutation: { name: name, gender: gender } } }
 *   age_band:   { derive: { age_band: birth_date } }
 *   carrier:    { derive: { carrier: phone } }
 *   same_phone: { derive: { same_as: [phone, receiver.mobile] } }
 */
import * as z from "zod";
import { type AnswerName, answerNames, answerSources, type DataClass, isComparable, parsePath } from "../masking/index.ts";
import type { ClassedFields } from "./condition-record.ts";
import type { Problem } from "./problem.ts";
import { checkValue, didYouMean, quote } from "./shape.ts";
import type { Source, YamlPath } from "./yaml-source.ts";

/** What each answer is made of, as it is written. */
const answerSchemas = {
  salutation: z.strictObject({ name: z.string(), gender: z.string() }),
  age_band: z.string(),
  carrier: z.string(),
  same_as: z.tuple([z.string(), z.string()], { error: "expected two paths" }),
} as const satisfies Record<AnswerName, z.ZodType>;

/** For editors. */
export const derivedFieldSchema = z.strictObject({
  derive: z
    .union(answerNames.map((name) => z.strictObject({ [name]: answerSchemas[name] })))
    .describe("An answer made of other fields; never stored, never searchable"),
});

/** `from`: paths of fields, in the order of `answerSources`. */
export interface DeriveDocument {
  readonly answer: AnswerName;
  readonly from: readonly string[];
}

export interface DeriveReader {
  readonly source: Source;
  readonly problems: Problem[];
  /** The paths that are written with a class: one that has a mistake of its own has had its message. */
  readonly written: readonly string[];
  /** Those without a mistake. */
  readonly classed: ClassedFields["fields"];
}

/** What stands under `derive`, at `at`. `null` = a problem was found. */
export function readDerive(reader: DeriveReader, at: YamlPath, value: unknown): DeriveDocument | null {
  const { source, problems } = reader;
  const [entry, second] = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entry === undefined || second !== undefined || Array.isArray(value)) {
    problems.push(source.valueProblem(at, "bad_derive", "derive is one answer and what it is made of", "derive: { age_band: birth_date }"));
    return null;
  }
  const [word, sources] = entry;
  const answer = answerNames.find((name) => name === word);
  if (answer === undefined) {
    problems.push(source.problem([...at, word], "bad_derive", `no answer ${quote(word)}`, didYouMean(word, answerNames)));
    return null;
  }
  const checked = checkValue<z.ZodType<SourcePaths>>(answerSchemas[answer], source, [...at, answer], sources);
  if (!checked.ok) {
    problems.push(...checked.refusal);
    return null;
  }
  const paths = pathsOf(checked.value);
  const found = paths.map(({ path, key }) => classOf(reader, [...at, answer, ...key], path));
  const classes = found.filter((name) => name !== null);
  const wrong = classes.length === paths.length ? misfit(answer, classes) : undefined;
  if (wrong !== undefined)
    problems.push(source.valueProblem([...at, answer, ...(paths[wrong.index]?.key ?? [])], "bad_derive", wrong.said, wrong.cure));
  return { answer, from: paths.map(({ path }) => path) };
}

type SourcePaths = string | readonly [string, string] | { readonly name: string; readonly gender: string };

/** In the order of `answerSources`, each with its place below the answer's name. */
function pathsOf(sources: SourcePaths): readonly { readonly path: string; readonly key: YamlPath }[] {
  if (typeof sources === "string") return [{ path: sources, key: [] }];
  if ("name" in sources) return (["name", "gender"] as const).map((key) => ({ path: sources[key], key: [key] }));
  return sources.map((path, index) => ({ path, key: [index] }));
}

function classOf({ source, problems, written, classed }: DeriveReader, at: YamlPath, path: string): DataClass | null {
  const field = Object.hasOwn(classed, path) ? classed[path] : undefined;
  if (field === undefined && written.includes(path)) return null;
  if (field === undefined) {
    const said = `no field ${quote(path)} with a class in this resource`;
    problems.push(source.valueProblem(at, "bad_derive", said, didYouMean(path, written)));
  } else if (!isOneValue(path)) {
    const hint = "keys with dots between them, no [], {} or $";
    problems.push(source.valueProblem(at, "bad_derive", `${quote(path)} is not the path of one value`, hint));
  } else return field.class;
  return null;
}

/** Keys alone: neither a list's elements, nor a map's members, nor what a text holds. */
export function isOneValue(path: string): boolean {
  return parsePath(path)?.every((step) => step !== "[]" && step !== "{}" && step !== "$") === true;
}

/** The first source of a class that the answer is not made of. */
function misfit(answer: AnswerName, classes: readonly DataClass[]): { index: number; said: string; cure: string } | undefined {
  const wanted: readonly DataClass[] | null = answerSources[answer];
  if (wanted === null) {
    const [first, second] = classes;
    if (first !== undefined && !isComparable(first))
      return { index: 0, said: `values of class ${first} are not compared`, cure: "a field of another class" };
    return first === second ? undefined : { index: 1, said: `class ${second} is not ${first}`, cure: "two fields of one class" };
  }
  const index = classes.findIndex((name, place) => name !== wanted[place]);
  return index < 0
    ? undefined
    : { index, said: `${answer} is not made of class ${classes[index]}`, cure: `a field of class ${wanted[index]}` };
}
