/** Acts that destroy something want its name once more: as a flag, or typed on a terminal. */
import { createInterface } from "node:readline/promises";
import { exitCodes, Failure } from "./failure.ts";

export const confirmFlag = {
  confirm: { type: "string", valueHint: "NAME", description: "Its name once more; on a terminal it may be typed instead" },
} as const;

/** Answers `name`. Throws Failure where something else is said, or nothing can be asked. `warning`: what it does, one sentence. */
export async function confirmed({ confirm }: { readonly confirm?: string | undefined }, name: string, warning: string): Promise<string> {
  const said = confirm ?? (await typed(name, warning));
  if (said !== name) throw new Failure(`not confirmed: that is not ${name}; nothing was asked for`, exitCodes.usage);
  return said;
}

async function typed(name: string, warning: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Failure(`this cannot be undone; say --confirm=${name}`, exitCodes.usage);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${warning} Type ${name} to go on: `)).trim();
  } finally {
    terminal.close();
  }
}
