/** `postern policy explain`: why a role sees a field as it does, for a purpose, at a moment, without a gateway. */
import { basename } from "node:path";
import type {
  AgentRequest,
  Bundle,
  Circumstances,
  ContractDocument,
  Explanation,
  FieldExplanation,
  PolicyDocument,
} from "../policy/index.ts";
import { didYouMean } from "./arguments.ts";
import { command, jsonFlag } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { columns, plain, print, printJson } from "./output.ts";
import { throwProblems } from "./problems.ts";

export const explain = command({
  meta: { description: "Say why a role sees a field as it does, or does not" },
  examples: [
    "npx postern policy explain policies/cs-standard.yaml --contract contract.yaml --role first_line --type customer",
    "npx postern policy explain policy.yaml --contract contract.yaml --role senior --type order --field receiver.mobile --record order.json",
  ],
  args: {
    policy: { type: "positional", required: true, valueHint: "FILE", description: "The policy's YAML" },
    contract: { type: "string", required: true, valueHint: "FILE", description: "The contract's YAML" },
    role: { type: "string", required: true, valueHint: "NAME", description: "A role of the contract" },
    type: { type: "string", required: true, valueHint: "NAME", description: "A resource of the policy" },
    purpose: { type: "string", valueHint: "NAME", description: "A purpose of the contract (may be left out where there is one)" },
    field: { type: "string", valueHint: "PATH", description: "This field alone, with everything that is known of it" },
    record: { type: "string", valueHint: "FILE", description: "A record as JSON, for conditions that ask for it; - is standard input" },
    at: { type: "string", valueHint: "TIME", description: "In the contract's zone, as 2026-03-02T10:00 (else now)" },
    from: { type: "string", valueHint: "ADDRESS", description: "Where the request comes from, where the contract names networks" },
    ticket: { type: "string", valueHint: "ID", description: "The ticket that the agent names" },
    issuer: { type: "string", valueHint: "ID", description: "The agent's issuer, for conditions that ask for it" },
    subject: { type: "string", valueHint: "ID", description: "The agent's subject, for conditions that ask for it" },
    ...jsonFlag,
  },
  async run({ args }) {
    const { compile, decide, explain: explainDecision, parseContract, parsePolicy } = await import("../policy/index.ts");
    const policy = parsePolicy(await readText(args.policy), args.policy);
    if (!policy.ok) return throwProblems(policy.refusal);
    const contract = parseContract(await readText(args.contract), args.contract);
    if (!contract.ok) return throwProblems(contract.refusal);
    const bundle = compile(policy.value, contract.value);
    if (!bundle.ok) return throwProblems(bundle.refusal);
    const { role, type } = args;
    await oneOf("--role", role, Object.keys(bundle.value.roles));
    await oneOf("--type", type, Object.keys(bundle.value.resources));
    if (args.field !== undefined) await oneOf("--field", args.field, Object.keys(bundle.value.resources[type]?.fields ?? {}));
    const now = await instantOf(args.at, contract.value);
    const request: AgentRequest = {
      agent: { role, issuer: args.issuer ?? "", subject: args.subject ?? "" },
      now,
      address: args.from,
      proven: true,
      purpose: args.purpose ?? null,
      ticket: args.ticket ?? null,
    };
    const record = args.record === undefined ? null : await readRecord(args.record);
    const circumstances = await circumstancesAt(bundle.value, request);
    if (typeof circumstances === "string") return printRefused(circumstances, contract.value, args.json === true);
    const decision = decide(bundle.value, { role, type, purpose: circumstances.request.purpose });
    if (decision === null) throw new Failure("the contract has no such role, type or purpose", exitCodes.usage);
    const explained = explainDecision({ policy: policy.value, contract: contract.value, decision, type, circumstances, record });
    const fields = args.field === undefined ? explained.fields : explained.fields.filter(({ path }) => path === args.field);
    const explanation = { ...explained, fields };
    if (args.json) return printJson({ type, ...circumstances, ...explanation });
    const title = titleOf(policy.value, contract.value, type, circumstances);
    print(plainLines(args.field === undefined ? describeTable(title, explanation) : describeFields(title, explanation)));
  },
});

async function oneOf(flag: string, word: string, known: readonly string[]): Promise<void> {
  if (known.includes(word)) return;
  const near = await didYouMean(word, known);
  const among = near === "" && known.length <= 12 ? `; one of ${known.join(", ")}` : near;
  throw new Failure(`${flag} ${plain(word)} is not there${among}`, exitCodes.usage);
}

async function instantOf(text: string | undefined, { term }: ContractDocument): Promise<number> {
  const { instantAt } = await import("../policy/index.ts");
  const instant = text === undefined ? Date.now() : instantAt(text, term.zone);
  if (instant === null) throw new Failure("--at is a date and time in the contract's zone, as 2026-03-02T10:00", exitCodes.usage);
  return instant;
}

async function readRecord(file: string) {
  const { isJsonObject, JsonSyntaxError, parseJson } = await import("../kernel/index.ts");
  const text = await readText(file);
  try {
    const value = parseJson(text);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new Failure(`${plain(file)} is not JSON: ${error.message}`, exitCodes.usage);
  }
  throw new Failure(`${plain(file)} holds no record: a JSON object`, exitCodes.usage);
}

/** A text: the code for which nothing is shown at all. */
async function circumstancesAt(bundle: Bundle, request: AgentRequest): Promise<Circumstances | string> {
  const { circumstancesOf, outsideTerm } = await import("../policy/index.ts");
  const met = circumstancesOf(bundle, request);
  const purposes = Object.keys(bundle.contract.purposes).join(", ");
  if (!met.ok && met.refusal.code === "purpose_required") throw new Failure(`say --purpose, one of ${purposes}`, exitCodes.usage);
  if (!met.ok && met.refusal.code === "purpose_unknown") throw new Failure(`--purpose is one of ${purposes}`, exitCodes.usage);
  const outside = outsideTerm(bundle, request.now);
  if (outside !== null) return outside;
  return met.ok ? met.value : met.refusal.code;
}

async function printRefused(code: string, { source }: ContractDocument, json: boolean): Promise<void> {
  const key = code === "outside_hours" ? "hours" : code === "outside_network" ? "networks" : "term";
  const at = { file: source.file, line: source.placeOf([key]).line };
  if (json) return printJson({ refused: code, at });
  const { refusals } = await import("../kernel/index.ts");
  const titles: Readonly<Record<string, { readonly en: string }>> = refusals;
  const cure = code === "outside_network" ? "; say --from ADDRESS" : "; say --at TIME for another moment";
  print(`nothing is shown: ${titles[code]?.en ?? code} (${code}, ${at.file}:${at.line})${cure}`);
}

function titleOf(policy: PolicyDocument, contract: ContractDocument, type: string, { agent, request }: Circumstances): string {
  const time = `${request.date} ${two(request.hour)}:${two(request.minute)} ${contract.term.zone}`;
  const network = request.network === "" ? "" : `, network ${request.network}`;
  return `${agent.role} reads ${type} for ${request.purpose}, ${time}${network}\n${basename(policy.source.file)} under ${contract.id} (${contract.source.file})`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function describeTable(title: string, { rows, fields }: Explanation): string {
  const hasShown = fields.some(({ shown }) => shown !== undefined);
  const head = ["PATH", "CLASS", "TREATMENT", ...(hasShown ? ["SHOWN"] : []), "WHY"];
  const table = fields.map(({ path, class: name, summary, writable, shown = "", outcomes, caps }) => {
    const why = [outcomes[0]?.why ?? "", ...caps.map(describeCap)].join("; ");
    return [path, name, writable ? `${summary}; writable` : summary, ...(hasShown ? [shown] : []), why];
  });
  return [title, ...describeRows(rows), "", columns([head, ...table])].join("\n");
}

function describeFields(title: string, { rows, fields }: Explanation): string {
  const lines = fields.map(({ path, class: name, summary, writable, shown, outcomes, caps }) => {
    const known = [
      ["class", name],
      ["treatment", summary],
      ...(writable ? [["writable", `${writable.file}:${writable.line}`]] : []),
      ...(shown === undefined ? [] : [["shown", shown]]),
      ...outcomes.map(({ why }) => ["why", why]),
      ...caps.map((cap) => ["lowered", describeCap(cap)]),
    ];
    return `${path}\n${columns(known.map(([key = "", text = ""]) => [`  ${key}`, text]))}`;
  });
  return [title, ...describeRows(rows), "", ...lines].join("\n");
}

function describeRows(rows: Explanation["rows"]): string[] {
  if (rows === null) return [];
  const said = {
    holds: "it holds: the record is there",
    fails_to_hold: "it does not hold: the record is not there",
    failed: "it cannot be evaluated: the record is not there",
    depends: "it depends on the record: say --record FILE",
  } as const satisfies Record<typeof rows.verdict, string>;
  return [`row rule ${rows.when} (${rows.at.file}:${rows.at.line}); ${said[rows.verdict]}`];
}

function describeCap({ by, what, at }: FieldExplanation["caps"][number]): string {
  return `${by}: ${what}${at ? ` (${at.file}:${at.line})` : ""}`;
}

function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}
