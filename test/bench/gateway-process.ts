/** The gateway as it is served on Node, both sides in one process. Configured by the environment; told to stop, and asked for its memory, by its parent. */
import { readEnvironment } from "../../src/config.ts";
import { start } from "../../src/node.ts";
import { loadOperatorFile } from "../../src/operator-file.ts";
import { serveParent } from "./child.ts";

const environment = readEnvironment(process.env);
const running = await start({ environment, operators: await loadOperatorFile(environment) });
serveParent(running.port, () => running.stop());
