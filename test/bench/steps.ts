/** What each step of a masked read costs the thread that answers: V8's profile of the gateway under load, by step. The profiler itself costs a tenth or so. */
import type { Options } from "./options.ts";
import { type Step, stepNames, stepsOf } from "./profile.ts";
import { median, rounded } from "./rounds.ts";
import type { Told } from "./suite.ts";
import { createWorld } from "./world.ts";

const warmUpSeconds = 2;

export async function measureSteps({ customers, rounds, seconds, connections: [connections = 64] }: Options): Promise<Told> {
  const world = await createWorld({ customers, nodeFlags: [], beside: "nothing" });
  try {
    const costs = new Map<Step, number[]>(stepNames.map((step) => [step, []]));
    await world.load.run({ target: "read", connections, seconds: warmUpSeconds });
    for (let round = 0; round < rounds; round++) {
      await world.settle();
      const stop = await world.gateway.profile();
      const { rps } = await world.load.run({ target: "read", connections, seconds });
      const spent = stepsOf(await stop());
      for (const [step, seen] of costs) seen.push((spent.get(step) ?? 0) / (rps * seconds));
    }
    const medians = [...costs].map(([step, seen]) => ({ step, us: median(seen) }));
    const whole = medians.reduce((sum, { us }) => sum + us, 0);
    const rows = medians.map(({ step, us }) => ({ step, us: rounded(us, 1), percent: rounded((100 * us) / whole, 1) }));
    return { rows: [...rows, { step: "all", us: rounded(whole, 1), percent: 100 }], versions: world.versions };
  } finally {
    await world.close();
  }
}
