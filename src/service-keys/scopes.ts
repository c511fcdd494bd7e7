/** What a service key may be for: a closed list, and the routes of each. Which of them admit services at all is the matrix's to say (offices/matrix.ts). */
const contract = "/v1/contracts/{contract}";

export const scopeRoutes = {
  "records:import": [`POST ${contract}/records/{type}/import`],
  "retention:read": [`GET ${contract}/retention`],
  "erasures:write": [`POST ${contract}/erasures`, `GET ${contract}/erasures/{erasure}`],
  "subject-requests:read": [
    `GET ${contract}/subject-requests`,
    `GET ${contract}/subject-requests/{request}`,
    `GET ${contract}/subject-requests/{request}/report`,
  ],
  "subject-requests:write": [`POST ${contract}/subject-requests`, `POST ${contract}/subject-requests/{request}/close`],
} as const satisfies Record<string, readonly string[]>;

export type Scope = keyof typeof scopeRoutes;

export const scopes = Object.keys(scopeRoutes) as readonly Scope[];

/** `granted`: as the table has them, a space between. */
export function isGranted(granted: string, route: string): boolean {
  return scopes.some((scope) => granted.split(" ").includes(scope) && (scopeRoutes[scope] as readonly string[]).includes(route));
}
