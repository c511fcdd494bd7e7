/**
 * A case file (`cs-standard.cases.yaml` beside `cs-standard.yaml`): who asks for which record, for what and when, and all that may leave.
 * It is checked against the policy, so that a name which the policy does not know is a mistake of the file and not a case that passes.
 */
import { isJsonObject, type Json, type JsonObject, ok, type Result, refuse } from "../kernel/index.ts";
import type { Treatment } from "../masking/index.ts";
import { type CasesShape, casesSchema, onRequestSchema, type outcomes } from "./cases-shape.ts";
import type { AgentRequest } from "./circumstances.ts";
import { type ContractDocument, readContract } from "./contract-document.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { type ResourceDocument, rowsKey } from "./policy-shape.ts";
import { inFileOrder, type Problem, type ProblemCode } from "./problem.ts";
import { isTreatment, type Metering, readMetering, treatmentProblem } from "./rule.ts";
import { checkShape, checkValue, didYouMean, quote } from "./shape.ts";
import { readYaml, type Source, sourceWithin, type YamlPath } from "./yaml-source.ts";

export type Outcome = (typeof outcomes)[number];

export interface CasesDocument {
  readonly source: Source;
  /** By name: the contract, or the file that holds it, from where this file lies. */
  readonly contracts: Readonly<Record<string, ContractDocument | string>>;
  readonly cases: readonly CaseDocument[];
}

export interface CaseDocument {
  readonly name: string;
  /** Of the file, from 1. */
  readonly line: number;
  readonly contract: string;
  readonly request: Omit<AgentRequest, "now">;
  /** Civil, in the contract's zone. */
  readonly now: string;
  readonly type: string;
  readonly record: JsonObject;
  /** By path, or what is met where nothing is shown. */
  readonly expect: ReadonlyMap<string, Expectation> | Outcome;
  /** What is expected of the fields that are not named. */
  readonly others: "withheld" | "any";
  /** Paths, and `rows`. */
  readonly failed: readonly string[];
}

export interface Expectation {
  readonly treatment: Treatment;
  /** `undefined` = not said. Of a path with lists or maps in it: of all their members, in order. */
  readonly value?: Json;
  readonly onRequest?: Metering;
}

interface CaseReader {
  readonly source: Source;
  readonly policy: PolicyDocument;
  readonly shape: CasesShape;
  readonly problems: Problem[];
}

export function parseCases(text: string, file: string, policy: PolicyDocument): Result<CasesDocument, Problem[]> {
  const read = readYaml(text, file);
  if (!read.ok) return read;
  const source = read.value;
  const shape = checkShape(casesSchema, source);
  if (!shape.ok) return shape;
  const problems: Problem[] = [];
  const reader: CaseReader = { source, policy, shape: shape.value, problems };
  const contracts = readContracts(reader);
  const names = new Set<string>();
  const cases = shape.value.cases.flatMap((one, index) => {
    if (names.has(one.name))
      problems.push(source.valueProblem(["cases", index, "name"], "name_twice", "a case with this name stands above"));
    names.add(one.name);
    return readCase(reader, ["cases", index], one) ?? [];
  });
  return problems.length > 0 ? refuse(inFileOrder(problems)) : ok({ source, contracts, cases });
}

function readContracts({ source, shape, problems }: CaseReader): CasesDocument["contracts"] {
  const contracts: Record<string, ContractDocument | string> = {};
  for (const [name, value] of Object.entries(shape.contracts)) {
    if (typeof value === "string") {
      contracts[name] = value;
      continue;
    }
    const contract = readContract(sourceWithin(source, ["contracts", name]));
    if (contract.ok) contracts[name] = contract.value;
    else problems.push(...contract.refusal);
  }
  return contracts;
}

function readCase(reader: CaseReader, at: YamlPath, one: CasesShape["cases"][number]): CaseDocument | null {
  const { source, policy, shape, problems } = reader;
  const { name, agent, address, proven, purpose, ticket, type, others, failed } = one;
  const before = problems.length;
  const contract = readContractName(reader, at, one.contract);
  const now = one.now ?? shape.now;
  if (now === undefined)
    problems.push(source.problem(at, "missing", "this case has no time", "now: 2026-03-02T10:00, here or for the whole file"));
  if (!Object.hasOwn(policy.roles, agent.role))
    unknownName(reader, [...at, "agent", "role"], {
      code: "unknown_role",
      kind: "role of the policy",
      word: agent.role,
      known: policy.roles,
    });
  const resource = Object.hasOwn(policy.resources, type) ? policy.resources[type] : undefined;
  if (resource === undefined)
    unknownName(reader, [...at, "type"], { code: "unknown_resource", kind: "resource", word: type, known: policy.resources });
  const record = readRecord(reader, at, one.record);
  if (resource === undefined || problems.length > before || contract === null || now === undefined || record === null) return null;
  const expect = readExpect(reader, at, one.expect, resource);
  for (const [index, path] of failed.entries()) {
    if (path !== rowsKey && !Object.hasOwn(resource.fields, path))
      unknownName(reader, [...at, "failed", index], { code: "unknown_field", kind: "field", word: path, known: resource.fields });
  }
  const request = { agent, address, proven, purpose: purpose ?? null, ticket: ticket ?? null };
  return { name, line: source.placeOf(at).line, contract, request, now, type, record, expect, others, failed };
}

function readContractName(reader: CaseReader, at: YamlPath, named: string | undefined): string | null {
  const { source, shape, problems } = reader;
  const [only, ...more] = Object.keys(shape.contracts);
  if (named === undefined) {
    if (only !== undefined && more.length === 0) return only;
    const hint = only === undefined ? "contracts: { usual: contract.yaml }" : `one of ${[only, ...more].join(", ")}`;
    problems.push(source.problem(at, "missing", "this case has no contract", hint));
    return null;
  }
  if (Object.hasOwn(shape.contracts, named)) return named;
  unknownName(reader, [...at, "contract"], { code: "unknown_contract", kind: "contract", word: named, known: shape.contracts });
  return null;
}

function readRecord(reader: CaseReader, at: YamlPath, value: string | Record<string, unknown>): JsonObject | null {
  const { shape } = reader;
  const isName = typeof value === "string";
  if (isName && !Object.hasOwn(shape.records, value)) {
    unknownName(reader, [...at, "record"], { code: "unknown_record", kind: "record", word: value, known: shape.records });
    return null;
  }
  const json = isName ? readJson(reader, ["records", value], shape.records[value]) : readJson(reader, [...at, "record"], value);
  return json !== undefined && isJsonObject(json) ? json : null;
}

function readExpect(
  reader: CaseReader,
  at: YamlPath,
  expect: Outcome | Readonly<Record<string, unknown>>,
  resource: ResourceDocument,
): CaseDocument["expect"] {
  if (typeof expect === "string") return expect;
  const expectations = new Map<string, Expectation>();
  for (const [path, value] of Object.entries(expect)) {
    const here = [...at, "expect", path];
    if (!Object.hasOwn(resource.fields, path)) {
      const hint = didYouMean(path, Object.keys(resource.fields));
      reader.problems.push(reader.source.problem(here, "unknown_field", `no field ${quote(path)} in this resource`, hint));
      continue;
    }
    const expectation = readExpectation(reader, here, value);
    if (expectation !== null) expectations.set(path, expectation);
  }
  return expectations;
}

/** `mask`, `{ mask: 林** }`, `{ mask: 138****5678, on_request: { quota: 20/day } }`. */
function readExpectation(reader: CaseReader, at: YamlPath, value: unknown): Expectation | null {
  const { source, problems } = reader;
  if (isTreatment(value)) return { treatment: value };
  const { on_request: price, ...rest } = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const [entry, second] = Object.entries(rest);
  if (entry === undefined || second !== undefined) {
    problems.push(treatmentProblem(source, at, value));
    return null;
  }
  const [treatment, expected] = entry;
  if (!isTreatment(treatment)) {
    problems.push(treatmentProblem(source, [...at, treatment], treatment));
    return null;
  }
  if (treatment === "withhold") {
    problems.push(source.valueProblem(at, "wrong_value", "of what is withheld nothing leaves", "write the word alone"));
    return null;
  }
  const json = readJson(reader, [...at, treatment], expected);
  const onRequest = price === undefined ? undefined : checkValue(onRequestSchema, source, [...at, "on_request"], price);
  if (onRequest?.ok === false) problems.push(...onRequest.refusal);
  return {
    treatment,
    ...(json !== undefined && { value: json }),
    ...(onRequest?.ok && { onRequest: readMetering(onRequest.value) }),
  };
}

/** What YAML says, as JSON; `undefined` = it says something that JSON cannot, and a problem was found. */
function readJson(reader: CaseReader, at: YamlPath, value: unknown): Json | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
    reader.problems.push(reader.source.valueProblem(at, "wrong_value", "this number would lose digits", "quote it, as the record has it"));
    return undefined;
  }
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => readJson(reader, [...at, index], item));
    return items.filter((item) => item !== undefined);
  }
  const members: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value ?? {})) {
    const json = readJson(reader, [...at, key], member);
    if (json !== undefined) members[key] = json;
  }
  return members;
}

function unknownName(
  { source, problems }: CaseReader,
  at: YamlPath,
  { code, kind, word, known }: { code: ProblemCode; kind: string; word: string; known: Readonly<Record<string, unknown>> },
): void {
  problems.push(source.valueProblem(at, code, `no ${kind} ${quote(word)}`, didYouMean(word, Object.keys(known))));
}
