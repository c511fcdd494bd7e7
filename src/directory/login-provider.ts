/**
 * Somebody logs in at their organisation's provider: authorization code with PKCE, state and nonce (RFC 9700 §2.1, OpenID Connect Core §3.1).
 * The addresses are the operator's, none is discovered. What comes back is believed once state, code, nonce, audience and signature hold.
 */
import * as oauth from "oauth4webapi";
import { readBounded } from "../http/index.ts";
import { defaultAlgorithms, type IssuerProfile, meetsDemands } from "../identity/index.ts";
import { type JsonObject, ok, type Result, refuse } from "../kernel/index.ts";

const answerBytesMax = 262_144;
const answerWithinMs = 5_000;

/** What has to come back with whoever was sent away. */
export interface Pending {
  readonly issuer: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface LoggedIn {
  readonly subject: string;
  /** `sub`, whatever claim names them here. */
  readonly providerSubject: string;
  readonly providerSession: string | null;
}

/** `refused`: what came back is not what was asked for. `unavailable`: the provider does not answer as one. */
export type LoginFault = "refused" | "unavailable";

export interface LoginProvider {
  /** Where the browser is sent. */
  begin(redirectUri: string): Promise<{ readonly url: URL; readonly pending: Pending }>;
  /** `callback`: the address that the browser came back to. Never throws for what a browser or a provider sends. */
  finish(redirectUri: string, callback: URL, pending: Pending): Promise<Result<LoggedIn, LoginFault>>;
}

/** By the issuer's id: of those by which people may log in. */
export function createLoginProviders(profiles: readonly IssuerProfile[]): ReadonlyMap<string, LoginProvider> {
  return new Map(profiles.flatMap((profile) => (profile.login ? [[profile.id, createLoginProvider(profile, profile.login)]] : [])));
}

function createLoginProvider(profile: IssuerProfile, login: NonNullable<IssuerProfile["login"]>): LoginProvider {
  const server: oauth.AuthorizationServer = {
    issuer: profile.issuer,
    authorization_endpoint: login.authorization.href,
    token_endpoint: login.token.href,
    ...("jwks" in profile.keys && { jwks_uri: profile.keys.jwks.href }),
    id_token_signing_alg_values_supported: [...(profile.algorithms ?? defaultAlgorithms)],
  };
  const client: oauth.Client = { client_id: login.clientId };
  const authentication = oauth.None();
  return {
    async begin(redirectUri) {
      const [state, nonce, verifier] = [oauth.generateRandomState(), oauth.generateRandomNonce(), oauth.generateRandomCodeVerifier()];
      const url = new URL(login.authorization);
      const asked = {
        ...{ response_type: "code", client_id: login.clientId, redirect_uri: redirectUri, scope: "openid", state, nonce },
        ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" },
      };
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
      return { url, pending: { issuer: profile.id, state, nonce, verifier } };
    },
    async finish(redirectUri, callback, { state, nonce, verifier }) {
      const options = {
        [oauth.allowInsecureRequests]: login.token.protocol === "http:",
        [oauth.customFetch]: boundedFetch,
        signal: () => AbortSignal.timeout(answerWithinMs),
      };
      try {
        const parameters = oauth.validateAuthResponse(server, client, callback, state);
        const sent = oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectUri, verifier, options);
        const answer = await sent;
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
        await oauth.validateApplicationLevelSignature(server, answer, options);
        return readIdToken(profile, oauth.getValidatedIdTokenClaims(tokens));
      } catch (error) {
        const isTheirs = error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError;
        return refuse(isTheirs || isUnacceptable(error) ? "refused" : "unavailable");
      }
    },
  };
}

/** Who it is, by the claim that the issuer's access tokens name them by; and what the profile demands of those, it demands here. */
function readIdToken(
  { subjectClaim = "sub", required = {} }: IssuerProfile,
  claims: oauth.IDToken | undefined,
): Result<LoggedIn, LoginFault> {
  if (!claims) return refuse("refused");
  const subject = Object.hasOwn(claims, subjectClaim) ? claims[subjectClaim] : undefined;
  if (typeof subject !== "string" || !/^\P{Cc}{1,255}$/u.test(subject)) return refuse("refused");
  if (!meetsDemands(claims as unknown as JsonObject, required)) return refuse("refused");
  const { sub, sid } = claims;
  return ok({ subject, providerSubject: sub, providerSession: typeof sid === "string" && sid.length <= 255 ? sid : null });
}

/** A claim, a time, a nonce or a signature that does not hold; anything else is an answer that could not be had. */
function isUnacceptable(error: unknown): boolean {
  if (!(error instanceof oauth.OperationProcessingError)) return false;
  const codes: readonly (string | undefined)[] = [
    ...[oauth.JWT_TIMESTAMP_CHECK, oauth.JWT_CLAIM_COMPARISON, oauth.INVALID_RESPONSE],
    ...[oauth.KEY_SELECTION, oauth.UNSUPPORTED_OPERATION],
  ];
  return codes.includes(error.code);
}

const boundedFetch = async (url: string, init: oauth.CustomFetchOptions<string, URLSearchParams | undefined>): Promise<Response> => {
  const response = await fetch(url, { ...init, redirect: "manual" } as RequestInit);
  const bytes = await readBounded(response.body, answerBytesMax);
  if (bytes === null) throw new Error("the provider's answer is too large");
  return new Response(new Uint8Array(bytes), { status: response.status, headers: response.headers });
};
