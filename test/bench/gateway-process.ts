/**
 * The gateway as it is served on Node, both sides in one process. Configured by the environment; told to stop, and asked for its memory, by its parent.
 * With BENCH_UPSTREAM_PORT every merchant's API lies on that port of this machine.
 */
import { readEnvironment } from "../../src/config.ts";
import { start } from "../../src/node.ts";
import { loadOperatorFile } from "../../src/operator-file.ts";
import { createLoopbackReach } from "../support/loopback-reach.ts";
import { serveParent } from "./child.ts";

const { BENCH_UPSTREAM_PORT: upstream, ...variables } = process.env;
const environment = readEnvironment(variables);
const ways = upstream === undefined ? {} : { reach: createLoopbackReach(Number(upstream), { keepAlive: true }) };
const running = await start({ environment, operators: await loadOperatorFile(environment), ...ways });
serveParent(running.port, () => running.stop());
