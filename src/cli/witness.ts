/** `postern witness`: cosigns the checkpoints of logs whose operator is somebody else. */
import { command, repeated } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { note, print } from "./output.ts";
import { stopSignal } from "./stop-signal.ts";

export const witness = command({
  meta: { description: "Run a witness: cosign checkpoints that extend what it saw before, and no others" },
  examples: [
    "npx postern witness --name witness.linxi.example --log gw.example/postern/gateway+1a2b3c4d+AY…",
    "npx postern witness --name witness.linxi.example --logs logs.txt --data /var/lib/witness",
  ],
  args: {
    name: { type: "string", required: true, valueHint: "NAME", description: "Under which it is known: a URL without https://" },
    log: { type: "string", valueHint: "VKEY", description: "Verifier key of a log to watch, as the trust file names it; may be repeated" },
    logs: { type: "string", valueHint: "FILE", description: "A file with such keys, one a line" },
    data: { type: "string", default: "./witness", valueHint: "DIR", description: "Its key and what it has cosigned; never set it back" },
    host: { type: "string", default: "127.0.0.1", description: "Address to listen on; put a TLS proxy in front" },
    port: { type: "string", default: "8788", description: "Port to listen on" },
  },
  repeatable: ["log"],
  async run({ args, rawArgs }) {
    const lines = args.logs === undefined ? [] : (await readText(args.logs)).split("\n").map((line) => line.trim());
    const texts = [...repeated(rawArgs, "log"), ...lines.filter((line) => line !== "" && !line.startsWith("#"))];
    if (texts.length === 0) throw new Failure("a witness watches at least one log; say --log VKEY or --logs FILE", exitCodes.usage);
    if (!/^[0-9]{1,5}$/.test(args.port) || Number(args.port) > 65_535) throw new Failure("--port must be a port number", exitCodes.usage);
    const [{ parseVkey }, { startWitness }] = await Promise.all([import("../audit/index.ts"), import("../node-witness.ts")]);
    const logs = texts.map((text) => {
      const key = parseVkey(text);
      if (key === null) throw new Failure(`${JSON.stringify(text)} is not the verifier key of a log`, exitCodes.usage);
      return key;
    });
    const { name, data: directory, host } = args;
    const running = await startWitness({ name, directory, logs, host, port: Number(args.port) });
    const stopped = stopSignal();
    print(`witness ${name} answers at http://${host}:${running.port}/add-checkpoint and watches ${logs.map((key) => key.name).join(", ")}`);
    note(`In the gateway's operator file:\n  witnesses: [{ key: "${running.vkey}", url: "http://${host}:${running.port}" }]`);
    note(`In a trust file's policy:\n  witness ${name} ${running.vkey}\n  quorum ${name}`);
    await stopped;
    await running.stop();
    process.exit(exitCodes.ok);
  },
});
