/** The gateway as it is served, but that every merchant's API lies on one port of this machine, in the clear. */
import { readEnvironment } from "../../src/config.ts";
import { start } from "../../src/node.ts";
import { loadOperatorFile } from "../../src/operator-file.ts";
import { createLoopbackReach } from "./loopback-reach.ts";

const { SHOP_PORT: port, ...variables } = process.env;
const environment = readEnvironment(variables);
await start({ environment, operators: await loadOperatorFile(environment), reach: createLoopbackReach(Number(port)) });
process.stdout.write("serving\n");
