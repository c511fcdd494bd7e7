/** deploy/compose.yaml as far as we rely on it: a key that is not here is a misspelling, or wants a line here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { root } from "./repository.ts";

const words = z.array(z.string());
const service = z.strictObject({
  image: z.string().regex(/^[a-z]+:[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?$/, "is pinned by its version"),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  command: words.optional(),
  environment: z.record(z.string(), z.string()).optional(),
  secrets: words.optional(),
  volumes: words.optional(),
  networks: words.optional(),
  network_mode: z.templateLiteral(["service:", z.string()]).optional(),
  ports: words.optional(),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(["service_started", "service_healthy", "service_completed_successfully"]) }))
    .optional(),
  healthcheck: z.strictObject({ test: words, interval: z.string(), timeout: z.string(), retries: z.int() }).optional(),
  read_only: z.boolean().optional(),
  tmpfs: words.optional(),
  cap_drop: words.optional(),
  security_opt: words.optional(),
  ulimits: z.strictObject({ core: z.literal(0) }).optional(),
  stop_grace_period: z.string().optional(),
  restart: z.enum(["no", "unless-stopped"]),
});

const compose = z.strictObject({
  name: z.literal("postern"),
  services: z.strictObject({ postgres: service, migrate: service, gateway: service, tls: service }),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.strictObject({})),
  secrets: z.record(z.string().regex(/^[a-zA-Z0-9._-]+$/), z.strictObject({ file: z.string() })),
});

export type Compose = z.infer<typeof compose>;
export type Service = z.infer<typeof service>;

/** `variables`: what stands for `${NAME:?…}`. */
export function readCompose(variables: Readonly<Record<string, string>>): Compose {
  const text = readFileSync(join(root, "deploy/compose.yaml"), "utf8");
  const filled = text.replaceAll(/\$\{([A-Z_]+):\?[^}]*\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`compose.yaml asks for ${name}`);
    return value;
  });
  return compose.parse(parse(filled, { uniqueKeys: true }));
}
