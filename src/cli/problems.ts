/** Problems of policy and contract files, found here before anything is sent. */
import type { Problem } from "../policy/index.ts";
import { exitCodes, Failure } from "./failure.ts";
import { plain } from "./output.ts";

export async function throwProblems(problems: readonly Problem[]): Promise<never> {
  const { describeProblem } = await import("../policy/index.ts");
  const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}`;
  const lines = problems.map((problem) => plain(describeProblem(problem)));
  throw new Failure(count, exitCodes.failed, lines);
}
