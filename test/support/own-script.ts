/** A script of the tests' own in workerd, that takes JSON and answers JSON. */
import { createTestHarness, unstable_readConfig } from "wrangler";
import { root } from "./repository.ts";

export interface OwnScript {
  ask(asked: object): Promise<unknown>;
  close(): Promise<void>;
}

/** `main`: its file, from the repository's root. */
export async function openScript(main: string): Promise<OwnScript> {
  Object.assign(process.env, { WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false", WRANGLER_HIDE_BANNER: "true" });
  const { compatibility_date, compatibility_flags } = unstable_readConfig({ config: `${root}/wrangler.toml` });
  const config = { name: "own", main, compatibility_flags, ...(compatibility_date ? { compatibility_date } : {}) };
  const harness = createTestHarness({ root, workers: [{ config }] });
  await harness.listen();
  return {
    ask: async (asked) => (await harness.fetch("/", { method: "POST", body: JSON.stringify(asked) })).json(),
    close: () => harness.close(),
  };
}
