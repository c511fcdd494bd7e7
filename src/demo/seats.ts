/**
 * The vendors' agents, `agent-1` to `agent-20`, as the roster that `agents import` takes.
 */
import { builtInIssuerId } from "../identity/index.ts";
import { chineseName } from "./names.ts";
import { createDice } from "./random.ts";

const seniors: ReadonlySet<number> = new Set([11, 12, 18, 20]);

/** CSV with a header line. A person has one name, whichever contract they sit in. */
export function seatsText(agents: readonly number[]): string {
  const rows = agents.map((number) => {
    const role = seniors.has(number) ? "senior" : "first_line";
    return `${builtInIssuerId},agent-${number},${role},${chineseName(createDice(`agent ${number}`))}\n`;
  });
  return `issuer,subject,role,name\n${rows.join("")}`;
}
