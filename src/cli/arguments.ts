/** Holds a command line to its command's definition: nothing unknown, nothing missing, nothing twice. citty lets all of that pass. */
import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import type { Manners } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";

/** `name`: the command's words. Throws Failure with exit code 2. */
export async function checkArguments(name: string, definition: ArgsDef, manners: Manners, words: readonly string[]): Promise<void> {
  const wrong = (message: string) => new Failure(`${message}; see: ${name} --help`, exitCodes.usage);
  const flags = Object.entries(definition).filter(([, arg]) => arg.type !== "positional");
  const named = Object.entries(definition).filter(([, arg]) => arg.type === "positional");
  const options = Object.fromEntries(
    flags.map(([flag, arg]) => {
      const alias = "alias" in arg && typeof arg.alias === "string" && arg.alias.length === 1 ? { short: arg.alias } : {};
      return [flag, { type: arg.type === "boolean" ? ("boolean" as const) : ("string" as const), ...alias }];
    }),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Set<string>();
  let positionals = 0;
  for (const token of tokens) {
    if (token.kind === "positional") positionals++;
    if (token.kind !== "option") continue;
    const arg = definition[token.name];
    if (!options[token.name] || !arg)
      throw wrong(`${token.rawName} is not a flag of ${name}${await didYouMean(token.name, Object.keys(options), "--")}`);
    if (given.has(token.name) && !manners.repeatable?.includes(token.name)) throw wrong(`${token.rawName} stands twice`);
    given.add(token.name);
    const { value, inlineValue } = token;
    if (arg.type === "boolean" && value !== undefined) throw wrong(`${token.rawName} takes no value`);
    if (arg.type !== "boolean" && (value === undefined || value === "" || (!inlineValue && value.startsWith("--")))) {
      throw wrong(`${token.rawName} wants a value`);
    }
    if (arg.type === "enum" && !arg.options?.includes(value ?? "")) throw wrong(`${token.rawName} is one of ${arg.options?.join(", ")}`);
  }
  const missing = flags.find(([flag, arg]) => arg.required && !given.has(flag));
  if (missing) throw wrong(`${name} wants --${missing[0]}`);
  const absent = named.filter(([, arg]) => arg.required !== false)[positionals];
  if (absent) throw wrong(`${name} wants ${absent[1].valueHint ?? absent[0].toUpperCase()}`);
  if (positionals > named.length && !manners.variadic)
    throw wrong(`${name} takes ${named.length || "no"} argument${named.length === 1 ? "" : "s"}`);
}

/** `; did you mean …`, or nothing. */
export async function didYouMean(word: string, known: readonly string[], prefix = ""): Promise<string> {
  const { nearest } = await import("../kernel/index.ts");
  const near = nearest(word, known);
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`;
}
