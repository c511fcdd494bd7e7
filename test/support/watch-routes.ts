/** A gateway that remembers which of its documented routes have answered. */
import { pathTails } from "../../src/http/route.ts";
import type { CallOptions, Gateway } from "./gateway.ts";

export interface Watched extends Gateway {
  /** Documented routes that never answered without a refusal, as `GET /v1/me`. */
  unserved(): string[];
}

/** Whose answer needs an identity provider, or a session: sessions.test.ts and passkeys.test.ts have them. */
const throughProviders = /^GET \/v1\/session\/(login|callback)$|^POST \/v1\/session\/backchannel-logout$|\/v1\/session\/(passkeys|step-up)/;

export async function watchRoutes(gateway: Gateway): Promise<Watched> {
  const document = await (await gateway.call("GET", "/openapi.json")).json();
  const { paths } = document as { paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      pattern: new RegExp(
        `^${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, (_, name) => (pathTails.has(name) ? "[^?]+" : "[^/?]+"))}(\\?|$)`,
      ),
    })),
  );
  const served = new Set<string>(["GET /openapi.json"]);
  return {
    ...gateway,
    async call(method, path, options?: CallOptions) {
      const answer = await gateway.call(method, path, options);
      const route = routes.find(({ pattern }) => pattern.test(`${method} ${path}`));
      if (route && answer.ok) served.add(route.name);
      return answer;
    },
    unserved: () => routes.map(({ name }) => name).filter((name) => !served.has(name) && !throughProviders.test(name)),
  };
}
