/** `postern token`: prints the bare token, for `$(…)`. */
import { readSettings } from "../config.ts";
import { signBuiltIn } from "./built-in-token.ts";
import { command } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { print } from "./output.ts";

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const lifeSecondsMax = 3600;

export const token = command({
  meta: { description: "Sign a short-lived token of the built-in issuer (never in production)" },
  examples: [
    'curl -H "Authorization: Bearer $(npx postern token agent-1)" http://127.0.0.1:8787/v1/me',
    "npx postern token owner-1 --ttl 5m",
  ],
  args: {
    principal: { type: "positional", required: true, valueHint: "PRINCIPAL", description: "As agent-1, officer, owner-1" },
    ttl: { type: "string", default: "15m", valueHint: "LENGTH", description: "As 30s, 15m, 1h (default 15m, at most 1h)" },
  },
  async run({ args }) {
    print(await signBuiltIn(readSettings(process.env), args.principal, ttlSeconds(args.ttl)));
  },
});

function ttlSeconds(text: string): number {
  const [, count = "", unit = ""] = /^([1-9][0-9]{0,4})([smh])$/.exec(text) ?? [];
  const seconds = Number(count) * (secondsOf[unit] ?? 0);
  if (seconds < 1 || seconds > lifeSecondsMax) throw new Failure("--ttl is a length as 30s, 15m or 1h, at most 1h", exitCodes.usage);
  return seconds;
}
