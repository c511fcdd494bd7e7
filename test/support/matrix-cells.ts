/** The cells of the authorization matrix: who comes to which route of which contract, with a request that would do something, and what the answer must be. */
import { type Admitted, matrix } from "../../src/offices/matrix.ts";
import { isLong } from "./long.ts";

/** Own: in force. Gateway: no contract, but the log of that name. */
const standings = ["own", "ended", "purged", "gateway"] as const;
export type Standing = (typeof standings)[number];
export const contractOf: Readonly<Record<Standing, string>> = { own: "c-test", ended: "c-ended", purged: "c-purged", gateway: "gateway" };

interface Person {
  /** `null` = no token. */
  readonly as: string | null;
  /** At the merchant of these contracts or their vendor, or in their seats. */
  readonly inside: Admitted | null;
  /** Holds this somewhere, if not there. */
  readonly anywhere: Admitted | null;
}

const people: Readonly<Record<string, Person>> = {
  "own agent": { as: "agent-1", inside: "agent", anywhere: "agent" },
  "own owner": { as: "owner-1", inside: "merchant_owner", anywhere: "merchant_owner" },
  "own vendor's admin": { as: "admin-1", inside: "vendor_admin", anywhere: "vendor_admin" },
  "own officer": { as: "officer", inside: "officer", anywhere: "officer" },
  "sibling vendor's agent": { as: "agent-7", inside: null, anywhere: "agent" },
  "sibling vendor's admin": { as: "admin-7", inside: null, anywhere: "vendor_admin_asked" },
  "other merchant's vendor's admin": { as: "admin-9", inside: null, anywhere: "vendor_admin" },
  "other merchant's agent": { as: "agent-9", inside: null, anywhere: "agent" },
  "other merchant's owner": { as: "owner-b1", inside: null, anywhere: "merchant_owner" },
  "other merchant's officer": { as: "officer-b", inside: null, anywhere: "officer" },
  operator: { as: "operator", inside: null, anywhere: "operator" },
  "seat nowhere": { as: "agent-20", inside: null, anywhere: null },
  nobody: { as: null, inside: null, anywhere: null },
};

/** At other contracts than one in force they are asked about in the long form alone: what keeps them out looks at no standing. */
const longOnly: readonly string[] = [
  "other merchant's agent",
  "other merchant's vendor's admin",
  "other merchant's officer",
  "seat nowhere",
];

export interface Cell {
  readonly who: string;
  readonly as: string | null;
  readonly route: string;
  readonly standing: Standing;
  readonly expected: "open" | "401 token_missing" | "401 scim" | "403 not_permitted" | "404 not_found";
}

export function cellsOf(rows: Readonly<Record<string, readonly Admitted[]>> = matrix): Cell[] {
  return Object.entries(rows).flatMap(([route, row]) =>
    standings
      .filter((standing) => isThere(route, standing))
      .flatMap((standing) =>
        Object.entries(people)
          .filter(([who]) => isLong || standing === "own" || !longOnly.includes(who))
          .map(([who, person]) => ({
            who,
            as: person.as,
            route,
            standing,
            expected: expectedOf(route, row, person, standing),
          })),
      ),
  );
}

function isOfContract(route: string): boolean {
  return /\{(contract|log)\}/.test(route);
}

function isThere(route: string, standing: Standing): boolean {
  if (route === "POST /v1/demo/tamper") return false;
  return standing === "own" || (standing === "gateway" ? route.includes("{log}") : isOfContract(route));
}

function expectedOf(route: string, row: readonly Admitted[], { as, inside, anywhere }: Person, standing: Standing): Cell["expected"] {
  if (row.includes("anyone") || (standing === "gateway" && row.includes("anyone_for_gateway_log"))) return "open";
  // A directory's token is none of these people's.
  if (row.includes("scim")) return "401 scim";
  if (as === null) return "401 token_missing";
  if (route === "GET /v1/me") return "open";
  if (route.includes("{approval}") && inside === null && anywhere === "merchant_owner") return "404 not_found";
  // Its contract has it approve something, and this is another's request.
  if (route.includes("{approval}") && anywhere === "vendor_admin_asked") return "403 not_permitted";
  if (row.includes("operator") || !isOfContract(route)) return anywhere !== null && row.includes(anywhere) ? "open" : "403 not_permitted";
  // The seats of a contract go with it.
  const held = standing === "gateway" || (standing === "purged" && inside === "agent") ? null : inside;
  if (held === null) return "404 not_found";
  return row.includes(held) ? "open" : "403 not_permitted";
}

const ofContract = "/v1/contracts/{contract}";
const purges = `${ofContract}/purges/{job}`;
const never = ["409 wrong_state", "409 wrong_state", "409 wrong_state"];
const noSession = "401 token_missing";
const notThere = "404 not_found";
const nothingThere = [notThere, notThere, notThere];

/** What the use cases answer by standing, where it is not 200 each time. `null` = not called: it would be done. */
const answers: Readonly<Record<string, readonly (string | null)[]>> = {
  "GET /log/{log}/tile/{tile}": [...nothingThere, notThere],
  [`POST ${ofContract}/records/{type}/search`]: ["200", "403 contract_ended"],
  [`GET ${ofContract}/records/{type}/{locator}`]: ["200", "403 contract_ended"],
  [`POST ${ofContract}/records/{type}/{locator}/requests`]: ["201", "403 contract_ended"],
  [`GET ${ofContract}/upstream/{connector}/{path}`]: [notThere, "403 contract_ended"],
  [`POST ${ofContract}/upstream/{connector}/{path}`]: [notThere, "403 contract_ended"],
  [`PUT ${ofContract}/upstream/{connector}/{path}`]: [notThere, "403 contract_ended"],
  [`PATCH ${ofContract}/upstream/{connector}/{path}`]: [notThere, "403 contract_ended"],
  [`PUT ${ofContract}/connectors/{connector}`]: ["422 unacceptable", "409 wrong_state", "409 wrong_state"],
  [`GET ${ofContract}/connectors/{connector}`]: nothingThere,
  [`DELETE ${ofContract}/connectors/{connector}`]: nothingThere,
  "GET /log/{log}/receipt/{entry}": ["200", notThere, notThere],
  "POST /v1/clock/accept": ["422 unacceptable"],
  "POST /v1/contracts": ["422 unacceptable"],
  [`POST ${ofContract}/records/{type}/import`]: ["200", "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/audit/subjects`]: ["200", "200", "409 wrong_state"],
  [`GET ${purges}`]: [notThere, notThere, "200"],
  [`GET ${purges}/certificate`]: [notThere, notThere, "200"],
  [`POST ${ofContract}/activate`]: never,
  [`GET ${ofContract}/audit/export/manifest`]: ["400 bad_query", "400 bad_query", "400 bad_query"],
  "POST /log/{log}/epochs": [...never, "409 wrong_state"],
  [`GET ${purges}/events`]: [notThere, notThere, "200"],
  [`GET ${purges}/return/parts/{part}`]: nothingThere,
  [`GET ${purges}/attestations/{attestation}/evidence`]: nothingThere,
  [`GET ${ofContract}/erasures/{erasure}`]: nothingThere,
  [`GET ${ofContract}/partial-purges/{job}`]: nothingThere,
  [`POST ${ofContract}/suspend`]: [null, "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/resume`]: never,
  [`POST ${purges}/return/acknowledge`]: [notThere, notThere, "409 wrong_state"],
  [`POST ${purges}/attestations`]: [notThere, notThere, "422 unacceptable"],
  [`POST ${ofContract}/erasures`]: ["200", "200", "409 wrong_state"],
  [`POST ${ofContract}/partial-purges`]: ["200", "200", "409 wrong_state"],
  [`PUT ${ofContract}/policy`]: ["422 unacceptable", "422 unacceptable", "422 unacceptable"],
  [`POST ${ofContract}/holds`]: ["422 unacceptable", "422 unacceptable", "409 wrong_state"],
  [`POST ${ofContract}/holds/{hold}/release`]: nothingThere,
  [`POST ${ofContract}/role-grants`]: ["409 wrong_state", "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/break-glass`]: ["422 reason_required", "422 reason_required", "422 reason_required"],
  [`POST ${ofContract}/break-glass/{glass}/close`]: nothingThere,
  [`POST ${ofContract}/break-glass/{glass}/review`]: nothingThere,
  "GET /log/{log}/tile/entries/{bundle}": nothingThere,
  [`POST ${purges}/approve`]: [notThere, notThere, "409 approval_closed"],
  [`GET ${ofContract}/subject-requests`]: ["200", "200", "409 wrong_state"],
  [`POST ${ofContract}/amend`]: ["422 unacceptable", "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/terminate`]: ["422 unacceptable", "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/subject-requests`]: [notThere, notThere, "409 wrong_state"],
  [`GET ${ofContract}/subject-requests/{request}`]: [notThere, notThere, "409 wrong_state"],
  [`GET ${ofContract}/subject-requests/{request}/report`]: [notThere, notThere, "409 wrong_state"],
  [`POST ${ofContract}/subject-requests/{request}/close`]: [notThere, notThere, "409 wrong_state"],
  [`GET ${purges}/attestations`]: [notThere, notThere, "200"],
  [`GET ${purges}/return`]: [notThere, notThere, "200"],
  [`POST ${ofContract}/agents`]: ["422 unacceptable", "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/service-keys`]: ["200", "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/service-keys/{key}/rotate`]: [notThere, "409 wrong_state", "409 wrong_state"],
  [`POST ${ofContract}/service-keys/{key}/revoke`]: nothingThere,
  "GET /v1/session/login": ["404 not_found"],
  "GET /v1/session/callback": ["403 login_refused"],
  "POST /v1/session/backchannel-logout": ["400 logout_refused"],
  "GET /v1/session/passkeys": [noSession],
  "POST /v1/session/passkeys/options": [noSession],
  "POST /v1/session/passkeys": [noSession],
  "POST /v1/session/passkeys/{passkey}/revoke": [noSession],
  "POST /v1/session/step-up/options": [noSession],
  "POST /v1/session/step-up": [noSession],
  "POST /v1/revocations": ["422 unacceptable"],
  "POST /v1/revocations/{revocation}/lift": [notThere],
  "POST /v1/scim/{vendor}/tokens": ["422 unacceptable"],
  "POST /v1/scim/{vendor}/tokens/{token}/revoke": [notThere],
  "POST /v1/approvals/{approval}/approve": ["403 own_request"],
  "POST /v1/approvals/{approval}/reject": ["403 own_request"],
  "POST /v1/approvals/{approval}/withdraw": [null],
  [`POST ${ofContract}/agents/revoke`]: ["422 unacceptable", "422 unacceptable", "422 unacceptable"],
  [`POST ${ofContract}/agents/restore`]: ["422 unacceptable", "422 unacceptable", "422 unacceptable"],
};

export function opens({ route, standing }: Cell): string | null {
  const told = answers[route]?.[standings.indexOf(standing)];
  return told === undefined ? "200" : told;
}
