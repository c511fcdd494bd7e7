/** How a command is written: citty's definition, and what citty does not know of. */
import type { ArgsDef, CommandDef, SubCommandsDef } from "citty";
import { isId } from "../kernel/index.ts";
import { exitCodes, Failure } from "./failure.ts";

export interface Manners {
  /** Whole lines, first in --help. */
  readonly examples?: readonly string[];
  /** Flags that may stand more than once; read by `repeated`. */
  readonly repeatable?: readonly string[];
  /** More arguments than are named may follow; all are in `args._`. */
  readonly variadic?: boolean;
}

type Resolved<Value> = Value extends () => infer Later ? Awaited<Later> : Awaited<Value>;

/** A command whichever its arguments are. */
export type Command = Resolved<SubCommandsDef[string]> & Manners;

export function command<const Args extends ArgsDef>(definition: CommandDef<Args> & Manners): CommandDef<Args> & Manners {
  return definition;
}

export const jsonFlag = { json: { type: "boolean", description: "Print JSON" } } as const;

/** Of every command that is a client of a running gateway. */
export const clientFlags = {
  as: { type: "string", valueHint: "PRINCIPAL", description: "In the demo: sign a token for PRINCIPAL (else POSTERN_TOKEN counts)" },
  why: { type: "string", valueHint: "TEXT", description: "Why, in your own words: sealed in the log, and shown to a second owner" },
} as const;

export const contractFlag = { contract: { type: "string", required: true, valueHint: "ID", description: "The contract" } } as const;

export const contractArgument = { id: { type: "positional", required: true, valueHint: "ID", description: "The contract" } } as const;

export const outputFlag = {
  output: { type: "string", alias: "o", valueHint: "FILE", description: "Write to FILE instead of standard output" },
} as const;

/** For a suggested command that the same caller would run. */
export function asBefore({ as }: { readonly as?: string | undefined }): string {
  return as === undefined ? "" : ` --as ${as}`;
}

/** An id as a path carries it; `..` and the like would lead elsewhere. */
export function idOf(text: string): string {
  if (!isId(text)) throw new Failure(`${JSON.stringify(text)} is not an id`, exitCodes.usage);
  return text;
}

/** Every value of a flag that may stand more than once. */
export function repeated(rawArgs: readonly string[], flag: string): string[] {
  const values: string[] = [];
  rawArgs.forEach((word, i) => {
    if (word === `--${flag}`) values.push(rawArgs[i + 1] ?? "");
    else if (word.startsWith(`--${flag}=`)) values.push(word.slice(flag.length + 3));
  });
  return values;
}
