/** Tokens of the built-in issuer, signed here with the key that lies under POSTERN_DATA. Development and demo only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config.ts";
import { ConfigRefused } from "../operator-settings.ts";

/** Throws ConfigRefused in production, and where no gateway has made the key yet: a key made here would open nothing. */
export async function signBuiltIn(settings: Environment, subject: string, ttlSeconds: number): Promise<string> {
  if (settings.NODE_ENV === "production") throw new ConfigRefused("the built-in issuer is refused in production; set POSTERN_TOKEN");
  const directory = join(settings.POSTERN_DATA, "issuer");
  if (!existsSync(directory)) {
    throw new ConfigRefused(
      `${directory} has no built-in issuer: a gateway with \`{ id: demo, built_in: true }\` makes it; POSTERN_DATA says where`,
    );
  }
  const { readBuiltInIssuer } = await import("../node-keys.ts");
  const issuer = await readBuiltInIssuer(settings.POSTERN_DATA);
  return issuer.sign({ subject, audience: settings.POSTERN_ORIGIN, ttlSeconds, now: Date.now() });
}
