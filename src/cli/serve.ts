/** `postern serve`: runs until it is told to stop. */
import { readEnvironment } from "../config.ts";
import { loadOperatorFile } from "../operator-file.ts";
import { version } from "../version.ts";
import { command } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { print } from "./output.ts";
import { stopSignal } from "./stop-signal.ts";

export const serve = command({
  meta: { description: "Run the gateway: both sides in one process, or one of them" },
  examples: ["npx postern serve", "npx postern serve --only edge      # needs DATABASE_URL_EDGE"],
  args: { only: { type: "enum", options: ["edge", "keeper"], description: "edge: agents' routes; keeper: the rest, with the log key" } },
  async run({ args }) {
    // Before the gateway's parts are loaded: what an operator can have got wrong ends the start at once.
    const environment = readEnvironment(process.env);
    const operators = await loadOperatorFile(environment);
    const { keyPathsOf, readKeyFiles } = await import("../node-keys.ts");
    const only = args.only === "edge" || args.only === "keeper" ? args.only : undefined;
    await readKeyFiles(environment.POSTERN_DATA, keyPathsOf(environment), only);
    const { start, strayFault } = await import("../node.ts");
    const running = await start({ environment, operators, only }).catch((error: unknown) => {
      throw portTaken(error)
        ? new Failure(`PORT ${environment.PORT} is taken; stop what listens there, or set PORT`, exitCodes.config)
        : error;
    });
    const ending = Promise.race([stopSignal().then(() => exitCodes.ok), strayFault().then(() => exitCodes.fault)]);
    print(`postern ${version} serves http://${environment.HOST}:${running.port}`);
    const code = await ending;
    await running.stop();
    process.exit(code);
  },
});

function portTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
