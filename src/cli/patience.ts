/** For commands that follow a job: a gateway that restarts resumes its jobs by itself. */
import { exitCodes, Failure } from "./failure.ts";
import { note } from "./output.ts";

export const askEveryMs = 1_000;
const awayMaxMs = 60_000;

export async function patiently<Value>(ask: () => Promise<Value>): Promise<Value> {
  const until = Date.now() + awayMaxMs;
  for (let told = false; ; told = true) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Failure) || error.exitCode !== exitCodes.unavailable || Date.now() > until) throw error;
      if (!told) note("the gateway does not answer; asking again");
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
  }
}
