/** --help: what it does, examples, then the rest. */
import type { ArgsDef } from "citty";
import type { Command } from "./command.ts";
import { columns } from "./output.ts";

export interface Subject {
  /** `postern contract apply`. */
  readonly name: string;
  readonly description: string;
  readonly args: ArgsDef;
  readonly subCommands: readonly { readonly name: string; readonly description: string }[];
}

const exitLine =
  "Exit codes: 0 done · 1 refused or not valid · 2 wrong usage · 3 keys not pinned · 4 shows more · 69 nothing answers · 78 configuration";

export function helpText({ name, description, args, subCommands }: Subject, { examples = [], variadic = false }: Command): string {
  const flags = Object.entries(args).filter(([, arg]) => arg.type !== "positional");
  const named = Object.entries(args).filter(([, arg]) => arg.type === "positional");
  const hint = (argument: string, arg: ArgsDef[string]) => arg.valueHint ?? argument.toUpperCase();
  const usage = [
    name,
    ...(subCommands.length > 0 ? [named.length + flags.length > 0 ? "[command]" : "command"] : []),
    ...named.map(([argument, arg]) => hint(argument, arg) + (variadic ? "…" : "")),
    ...flags.filter(([, arg]) => arg.required).map(([flag, arg]) => `--${flag} ${hint(flag, arg)}`),
    ...(flags.some(([, arg]) => !arg.required) ? ["[flags]"] : []),
  ].join(" ");
  const rows = [
    ...named.map(([argument, arg]) => [`  ${hint(argument, arg)}`, arg.description ?? ""]),
    ...flags.map(([flag, arg]) => [`  ${flagWords(flag, arg)}`, arg.description ?? ""]),
  ];
  return [
    `${description}.`,
    ...(examples.length > 0 ? [examples.map((example) => `  ${example}`).join("\n")] : []),
    `Usage: ${usage}`,
    ...(subCommands.length > 0 ? [columns(subCommands.map((sub) => [`  ${sub.name}`, sub.description]))] : []),
    ...(rows.length > 0 ? [columns(rows)] : []),
    exitLine,
  ].join("\n\n");
}

function flagWords(flag: string, arg: ArgsDef[string]): string {
  const short = "alias" in arg && typeof arg.alias === "string" ? `-${arg.alias}, ` : "";
  if (arg.type === "boolean") return `${short}--${flag}`;
  const value = arg.type === "enum" ? arg.options?.join("|") : (arg.valueHint ?? flag.toUpperCase());
  return `${short}--${flag} ${value}`;
}
