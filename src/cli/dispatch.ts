/** From words to a command:  descend by name → help? → check the arguments → run → exit code */
import { runCommand } from "citty";
import { version } from "../version.ts";
import { checkArguments, didYouMean } from "./arguments.ts";
import type { Command } from "./command.ts";
import { endingOf, exitCodes, Failure } from "./failure.ts";
import { helpText } from "./help.ts";
import { note, print } from "./output.ts";

/** Answers the exit code; a command that runs on has set its own way out. */
export async function dispatch(root: Command, words: readonly string[]): Promise<number> {
  try {
    await run(await descend(root, words));
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    const { lines, exitCode } = endingOf(error);
    lines.forEach((line, i) => void note(i === 0 ? `postern: ${line}` : line));
    return exitCode;
  }
}

interface Found {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly string[];
}

async function descend(root: Command, words: readonly string[]): Promise<Found> {
  let found: Found = { name: "postern", command: root, rest: words };
  for (;;) {
    const { name, command, rest } = found;
    const below = await resolve(command.subCommands ?? {});
    const [word] = rest;
    if (Object.keys(below).length === 0 || word === undefined || word.startsWith("-")) return found;
    const next = Object.hasOwn(below, word) ? below[word] : undefined;
    if (next) {
      found = { name: `${name} ${word}`, command: await resolve(next), rest: rest.slice(1) };
    } else if (command.run) {
      return found;
    } else {
      const near = await didYouMean(word, Object.keys(below));
      throw new Failure(`there is no command ${name} ${word}${near}; see: ${name} --help`, exitCodes.usage);
    }
  }
}

async function run({ name, command, rest }: Found): Promise<void> {
  const flags = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (flags.includes("--help") || flags.includes("-h")) return print(await describe(name, command));
  if (name === "postern" && rest.length === 1 && rest[0] === "--version") return print(version);
  if (!command.run && rest.length === 0) {
    note(await describe(name, command));
    process.exitCode = exitCodes.usage;
    return;
  }
  await checkArguments(name, await resolve(command.args ?? {}), command, rest);
  // citty would run the command above as well as the one that was named.
  const { subCommands: _below, ...alone } = command;
  await runCommand(alone, { rawArgs: [...rest] });
}

async function describe(name: string, command: Command): Promise<string> {
  const below = await resolve(command.subCommands ?? {});
  const subCommands = [];
  for (const [word, loader] of Object.entries(below)) {
    subCommands.push({ name: word, description: await descriptionOf(await resolve(loader)) });
  }
  return helpText({ name, description: await descriptionOf(command), args: await resolve(command.args ?? {}), subCommands }, command);
}

async function descriptionOf({ meta }: Command): Promise<string> {
  return (await resolve(meta ?? {})).description ?? "";
}

type Resolvable<Value> = Value | Promise<Value> | (() => Value) | (() => Promise<Value>);

async function resolve<Value extends object>(value: Resolvable<Value>): Promise<Value> {
  return typeof value === "function" ? await value() : await value;
}
