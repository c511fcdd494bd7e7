/**
 * Conditions: CEL over `agent`, `contract`, `request` and `record`, checked when the file is read and bounded so that none runs long.
 *
 * Bounded how: length and nodes are limited, only listed functions may be called (no `matches`: JavaScript's patterns backtrack; no `map` and no
 * `cel.bind`: they build values), no comprehension stands inside another, and a record's lists and texts are cut off (condition-record.ts).
 */
import { type ASTNode, Environment, ParseError, type ParseResult } from "@marcbachmann/cel-js";
import { type JsonObject, nearest } from "../kernel/index.ts";
import { type ClassedFields, type RecordShape, recordShape } from "./condition-record.ts";
import { didYouMean, quote } from "./shape.ts";
import { isCivilDate } from "./term.ts";

/** What is known of a request when it is decided. */
export interface RequestFacts {
  /** Civil time in the contract's zone; `weekday` 1 = Monday … 7 = Sunday; `date` YYYY-MM-DD. */
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
  readonly date: string;
  /** The contract's network that the request came from; "" where the contract names none. */
  readonly network: string;
  readonly purpose: string;
  /** "" where none was named. */
  readonly ticket: string;
}

export interface Facts {
  readonly agent: { readonly role: string; readonly issuer: string; readonly subject: string };
  readonly contract: { readonly id: string; readonly merchant: string; readonly vendor: string };
  readonly request: RequestFacts;
  /** The plain level. Read only where `needsRecord`. */
  readonly record: JsonObject;
}

/** `failed`: it could not be evaluated, so it does not hold. */
export type Verdict = "holds" | "fails_to_hold" | "failed";

export interface Condition {
  readonly text: string;
  readonly needsRecord: boolean;
  verdict(variables: Variables): Verdict;
}

/** Facts in CEL's values. */
export type Variables = Readonly<Record<string, unknown>>;

export interface Conditions {
  /** `problem` says what is wrong, and the cure where there is one. The same text gets the same answer. */
  compile(text: string): Compiled;
  variables(facts: Facts): Variables;
}

type Compiled = { readonly condition: Condition } | { readonly problem: ConditionProblem };

export interface ConditionProblem {
  readonly message: string;
  readonly hint?: string | undefined;
}

const charactersMax = 1_000;
const limits = { maxAstNodes: 64, maxDepth: 24, maxListElements: 50, maxMapEntries: 0, maxCallArguments: 4 };

const agentSchema = { role: "string", issuer: "string", subject: "string" };
const contractSchema = { id: "string", merchant: "string", vendor: "string" };
const requestSchema = {
  hour: "int",
  minute: "int",
  weekday: "int",
  date: "string",
  network: "string",
  purpose: "string",
  ticket: "string",
} as const satisfies Record<keyof RequestFacts, string>;

const comprehensions = ["all", "exists", "exists_one", "filter"] as const;
const callable: readonly string[] = [
  ...comprehensions,
  "has",
  "size",
  "contains",
  "startsWith",
  "endsWith",
  "string",
  "int",
  "double",
  "daysBetween",
];

const made = new WeakMap<ClassedFields, Conditions>();

/** One and the same for one resource, whatever asks: an environment for expressions is dear, and roles and purposes share their conditions. */
export function conditionsOf(resource: ClassedFields): Conditions {
  const known = made.get(resource) ?? createConditions(resource);
  made.set(resource, known);
  return known;
}

export function createConditions(resource: ClassedFields): Conditions {
  const shape = lazily(() => recordShape(resource));
  const environment = lazily(() => createEnvironment(shape()));
  const compiled = new Map<string, Compiled>();
  return {
    compile(text) {
      const known = compiled.get(text) ?? compileCondition(environment(), shape(), text);
      compiled.set(text, known);
      return known;
    },
    variables({ agent, contract, request, record }) {
      const { hour, minute, weekday, ...texts } = request;
      const time = { hour: BigInt(hour), minute: BigInt(minute), weekday: BigInt(weekday) };
      return { agent, contract, request: { ...texts, ...time }, record: shape().read(record) };
    },
  };
}

function compileCondition(environment: Environment, shape: RecordShape, text: string): Compiled {
  if (text.length > charactersMax)
    return { problem: { message: `the condition is longer than ${charactersMax} characters`, hint: tooLong } };
  const parsed = parse(environment, text);
  if ("problem" in parsed) return parsed;
  const problem = guard(parsed.ast, false);
  if (problem !== null) return { problem };
  const checked = parsed.check();
  if (!checked.valid) return { problem: describeError(checked.error, knownKeys(shape)) };
  if (checked.type !== "bool" && checked.type !== "dyn")
    return { problem: { message: `the condition is no yes or no, it is ${checked.type}`, hint: "compare it with something" } };
  return { condition: { text, needsRecord: names(parsed.ast, "record"), verdict: (variables) => evaluate(parsed, variables) } };
}

/** Made when first asked for: most resources have no condition. */
function lazily<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What every resource's conditions know; a resource adds its record. */
const common = new Environment({ limits })
  .registerVariable({ name: "agent", schema: agentSchema })
  .registerVariable({ name: "contract", schema: contractSchema })
  .registerVariable({ name: "request", schema: requestSchema })
  .registerFunction("daysBetween(string, string): int", daysBetween);

function createEnvironment({ schema, elements }: RecordShape): Environment {
  const environment = common.clone();
  for (const [name, element] of elements) environment.registerType({ name, schema: { ...element } });
  return environment.registerVariable({ name: "record", schema: { ...schema } });
}

/** Whole days from one civil date to another; of a text that begins with a date, the rest does not count. Throws on any other. */
function daysBetween(from: string, to: string): bigint {
  const days = (midnight(to) - midnight(from)) / 86_400_000;
  if (!Number.isInteger(days)) throw new RangeError("not a date");
  return BigInt(days);
}

function midnight(text: string): number {
  const date = text.slice(0, 10);
  return isCivilDate(date) && /^(?:[T ]|$)/.test(text.slice(10)) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
}

function evaluate(parsed: ParseResult, variables: Variables): Verdict {
  try {
    const answer: unknown = parsed({ ...variables });
    if (typeof answer !== "boolean") return "failed";
    return answer ? "holds" : "fails_to_hold";
  } catch {
    // Absent fields, values of another type, overflow: whatever it was, nobody knows that it holds.
    return "failed";
  }
}

/** Walks the whole tree: what is not listed may not be called. */
function guard(node: ASTNode, inComprehension: boolean): ConditionProblem | null {
  const called = node.op === "call" || node.op === "rcall" ? node.args[0] : null;
  if (called === "matches")
    return { message: "matches is not accepted: its patterns may run for ever", hint: "contains, startsWith, endsWith" };
  if (called !== null && !callable.includes(called))
    return {
      message: `no function ${quote(called)} in conditions`,
      hint: didYouMean(called, callable) ?? `there are ${callable.join(", ")}`,
    };
  if (node.op === "[]" && !(node.args[1].op === "value" && typeof node.args[1].args === "string"))
    return { message: "elements are not taken by their position", hint: 'exists or all, as in record.items.exists(i, i.sku == "A1")' };
  const isComprehension = called !== null && isOneOf(called, comprehensions);
  if (isComprehension && inComprehension)
    return { message: `${called} inside another of its kind runs too long`, hint: "one of all, exists, exists_one, filter at a time" };
  // What a comprehension runs over is evaluated once, what stands in it for each element.
  const receiver = node.op === "rcall" ? node.args[1] : null;
  for (const child of childrenOf(node)) {
    const problem = guard(child, inComprehension || (isComprehension && child !== receiver));
    if (problem !== null) return problem;
  }
  return null;
}

function names(node: ASTNode, variable: string): boolean {
  return (node.op === "id" && node.args === variable) || childrenOf(node).some((child) => names(child, variable));
}

function childrenOf(node: ASTNode): ASTNode[] {
  const args: readonly unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  return args.filter(isNode);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

function isOneOf(word: string, words: readonly string[]): boolean {
  return words.includes(word);
}

const tooLong = "say it shorter, or let the record carry the answer as a field of its own";

function parse(environment: Environment, text: string): ParseResult | { readonly problem: ConditionProblem } {
  try {
    return environment.parse(text);
  } catch (fault) {
    if (fault instanceof ParseError) return { problem: describeError(fault, []) };
    throw fault;
  }
}

type CelError = { readonly code: string; readonly summary: string; readonly range?: { readonly start: number } };

function describeError(error: CelError | undefined, keys: readonly string[]): ConditionProblem {
  const at = error?.range === undefined ? "" : ` at character ${error.range.start + 1}`;
  const summary = error?.summary ?? "not an expression";
  const message = `the condition is not accepted${at}: ${summary.charAt(0).toLowerCase()}${summary.slice(1)}`;
  return { message, hint: cureOf(error?.code, summary.slice(summary.lastIndexOf(" ") + 1), keys) };
}

function cureOf(code: string | undefined, word: string, keys: readonly string[]): string | undefined {
  if (code === "limit_exceeded") return tooLong;
  if (code === "unknown_variable") return didYouMean(word, ["agent", "contract", "request", "record"]);
  if (code === "no_such_key") {
    const near = nearest(word, keys);
    return near === undefined ? "of a record, conditions know the plain fields alone" : `did you mean ${near}?`;
  }
  return 'as in record.status != "closed" && request.hour < 18';
}

function knownKeys({ schema, elements }: RecordShape): string[] {
  return [agentSchema, contractSchema, requestSchema, schema, ...elements.values()].flatMap((members) => Object.keys(members));
}
