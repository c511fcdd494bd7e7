/** The words of the command line. What is not understood is said, and nothing is measured. */
import { parseArgs } from "node:util";
import { type ScenarioName, scenarioNames, scenarios, usual } from "./scenarios.ts";

const known = {
  rounds: { type: "string", default: "5" },
  seconds: { type: "string", default: "10" },
  connections: { type: "string", default: "64" },
  customers: { type: "string", default: "10000" },
  records: { type: "string", default: "1000000" },
  entries: { type: "string", default: "1000000" },
  import: { type: "string", default: "50000" },
  sizes: { type: "string", default: "10000,100000" },
  profile: { type: "string" },
  json: { type: "boolean", default: false },
  save: { type: "boolean", default: false },
  docs: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

export interface Options {
  readonly names: readonly ScenarioName[];
  readonly rounds: number;
  readonly seconds: number;
  /** Each is measured. */
  readonly connections: readonly number[];
  /** In the contract that is read and searched. */
  readonly customers: number;
  /** That are purged. */
  readonly records: number;
  /** That are verified. */
  readonly entries: number;
  /** That are imported, in a round. */
  readonly imported: number;
  /** Of growth: records, and entries of the log. Ascending. */
  readonly sizes: readonly number[];
  /** Where V8's profiles of the gateway go. */
  readonly profile: string | undefined;
  readonly json: boolean;
  readonly save: boolean;
  /** Only the documents, from what was saved. */
  readonly docs: boolean;
  readonly help: boolean;
}

/** Throws a BadOption. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const options: Options = {
    names: positionals.length === 0 ? usual : [...new Set(positionals.map(named))],
    rounds: whole(values.rounds, "rounds"),
    seconds: whole(values.seconds, "seconds"),
    connections: list(values.connections, "connections"),
    customers: whole(values.customers, "customers"),
    records: whole(values.records, "records"),
    entries: whole(values.entries, "entries"),
    imported: whole(values.import, "import"),
    sizes: list(values.sizes, "sizes").toSorted((a, b) => a - b),
    ...{ profile: values.profile, json: values.json, save: values.save, docs: values.docs, help: values.help },
  };
  if (options.save && options.profile !== undefined) throw new BadOption("a run with a profile is slower than it is: it is not saved");
  return options;
}

export class BadOption extends Error {}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: known });
  } catch (error) {
    const [said = ""] = error instanceof Error ? error.message.split(". ") : [];
    throw new BadOption(`${said}; npm run bench -- --help`);
  }
}

function named(text: string): ScenarioName {
  const name = scenarioNames.find((one) => one === text);
  if (!name) throw new BadOption(`no scenario ${text}; there are: ${scenarioNames.join(", ")}`);
  return name;
}

function list(text: string, option: string): number[] {
  return text.split(",").map((one) => whole(one, option));
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number) || number < 1) {
    throw new BadOption(
      `--${option} takes ${option === "connections" || option === "sizes" ? "whole numbers from 1, as 10,100" : "a whole number from 1"}: not "${text}"`,
    );
  }
  return number;
}

const width = Math.max(...scenarioNames.map((name) => name.length)) + 2;

export const help = `How fast the gateway is, beside what does the same with less, in the same alternating rounds.

Examples
  npm run bench                                     ${usual.join(", ")}
  npm run bench -- read --connections 1,16,64,256   a masked read, at each
  npm run bench -- steps                            what each step of a read costs
  npm run bench -- growth --sizes 10000,100000,1000000
  npm run bench -- --save                           keep the results, and bring tables and pictures of the documents up to date
  npm run bench -- --docs                           only the latter

Scenarios
${scenarioNames.map((name) => `  ${name.padEnd(width)}${scenarios[name].about}`).join("\n")}

Without a name it takes the better part of an hour, most of it for the purge of a million records; growth to a million takes longer than that. On cores
that do something else as well nothing but the ratios means anything: the load at the beginning is kept with the results.

Options
  --rounds 5, --seconds 10      how often, and how long each; medians are shown
  --connections 64              at once; several with commas
  --customers 10000             in the contract that is read and searched
  --import 50000                records of an import, each round
  --records 1000000             of the contract that is purged
  --entries 1000000             of the log that is verified
  --sizes 10000,100000          records, and log entries, of growth
  --profile DIRECTORY           leaves a V8 profile of the gateway there
  --json                        the results as JSON, and nothing else on standard output
  --save                        into docs/bench/results.json; then the documents are made anew
  --docs                        makes the documents anew from that file
  --help

Exit codes: 0 measured · 1 something failed · 2 the command line is not understood. Everything that is started is taken away again.
`;
