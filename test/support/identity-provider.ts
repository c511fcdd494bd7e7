/** An organisation's identity provider: oidc-provider as it is, on a port of its own, which logs in whoever the test names; and a client of it. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Provider } from "oidc-provider";
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  fetchProtectedResource,
  getDPoPHandle,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";

const client = "console";
const callback = "http://127.0.0.1:1/callback";
const scope = "records.read";

export interface Tokens {
  readonly access: string;
  readonly id: string;
}

export interface IdentityProvider {
  readonly issuer: string;
  readonly jwks: URL;
  /** How often the key set was asked for. */
  keysAsked(): number;
  /** Code, PKCE, state and nonce. `bound`: the key that the access token is to be bound to. */
  logIn(account: string, bound?: CryptoKeyPair): Promise<Tokens>;
  /** A browser that was sent here as `account`: where it is sent to in the end. */
  sendBack(account: string, from: URL): Promise<URL>;
  /** Whoever comes from now on is this one. */
  answerAs(account: string): void;
  /** A logout token of its, with these claims instead. */
  logoutToken(account: string | null, claims?: Record<string, unknown>): Promise<string>;
  /** Logs `account` out, and tells its client so through `send`. */
  logOut(account: string, send: typeof fetch): Promise<void>;
  /** GETs with the token and a proof by `bound`, through `send`. */
  get(url: URL, token: string, bound: CryptoKeyPair, send: Send): Promise<Response>;
  /** Signs with another key from now on, and publishes no other. */
  rotate(): Promise<void>;
  /** Answers the key set so; `null` = as it is. */
  breakKeys(answer: RequestListener | null): void;
  close(): void;
}

export type Send = (url: string, headers: Record<string, string>) => Promise<Response>;

/** `audience`: of its access tokens. */
export async function startIdentityProvider(audience: string): Promise<IdentityProvider> {
  let handle: RequestListener = () => undefined;
  let broken: RequestListener | null = null;
  let asked = 0;
  let account = "";
  const server: Server = createServer((request, response) => {
    const isKeys = request.url === "/jwks";
    if (isKeys) asked += 1;
    (isKeys && broken ? broken : handle)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let keyNumber = 0;
  let current: { provider: Provider; key: CryptoKey };
  let send: typeof fetch = fetch;
  const rotate = async (): Promise<void> => {
    keyNumber += 1;
    current = await createProvider(issuer, audience, { kid: `k${keyNumber}`, send: (...of) => send(...of) });
    const { provider } = current;
    const answer = provider.callback();
    handle = (request, response) => {
      if (request.url?.startsWith("/interaction/")) void consent(provider, audience, account)(request, response);
      else answer(request, response);
    };
  };
  await rotate();
  const config = await discovery(new URL(issuer), client, undefined, None(), { execute: [allowInsecureRequests] });
  return {
    issuer,
    jwks: new URL("/jwks", issuer),
    keysAsked: () => asked,
    async logIn(who, bound) {
      account = who;
      const [verifier, state, nonce] = [randomPKCECodeVerifier(), randomState(), randomNonce()];
      const challenge = { code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
      const url = buildAuthorizationUrl(config, {
        ...{ redirect_uri: callback, scope: `openid ${scope}`, resource: audience, state, nonce, ...challenge },
      });
      const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
      const options = bound ? { DPoP: getDPoPHandle(config, bound) } : undefined;
      const answer = await authorizationCodeGrant(
        config,
        await browse(url, (at) => at.href.startsWith(callback)),
        checks,
        { resource: audience },
        options,
      );
      return { access: answer.access_token, id: answer.id_token ?? "" };
    },
    async sendBack(who, from) {
      account = who;
      return browse(from, (url) => url.origin !== issuer);
    },
    async logoutToken(who, claims = {}) {
      const seconds = Math.floor(Date.now() / 1_000);
      const usual = {
        ...{ iss: issuer, aud: client, iat: seconds, exp: seconds + 120, jti: randomState() },
        events: { "http://schemas.openid.net/event/backchannel-logout": {} },
        ...(who === null ? {} : { sub: who }),
      };
      const header = { alg: "ES256", kid: `k${keyNumber}`, typ: "logout+jwt" };
      return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(current.key);
    },
    async logOut(who, through) {
      send = through;
      const { Client } = current.provider as unknown as ProvidersClients;
      await (await Client.find(client)).backchannelLogout(who);
      send = fetch;
    },
    answerAs(who) {
      account = who;
    },
    async get(url, token, bound, send) {
      const own = await discovery(new URL(issuer), client, undefined, None(), { execute: [allowInsecureRequests] });
      own[customFetch] = (to, { headers }) => send(to, headers);
      return fetchProtectedResource(own, token, url, "GET", null, new Headers(), { DPoP: getDPoPHandle(own, bound) });
    },
    rotate,
    breakKeys: (answer) => {
      broken = answer;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What the package's types leave out. */
interface ProvidersClients {
  readonly Client: { find(id: string): Promise<{ backchannelLogout(account: string): Promise<void> }> };
}

interface Own {
  readonly kid: string;
  /** How it speaks to its client. */
  readonly send: typeof fetch;
}

async function createProvider(issuer: string, audience: string, { kid, send }: Own): Promise<{ provider: Provider; key: CryptoKey }> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const provider = new Provider(issuer, {
    fetch: send,
    clients: [
      {
        ...{
          client_id: client,
          redirect_uris: [callback, "http://127.0.0.1:8787/v1/session/callback", "http://localhost:8787/v1/session/callback"],
          token_endpoint_auth_method: "none",
          application_type: "native",
          backchannel_logout_uri: "http://127.0.0.1:8787/v1/session/backchannel-logout",
        },
        ...{ grant_types: ["authorization_code"], response_types: ["code"], id_token_signed_response_alg: "ES256" },
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: "ES256", use: "sig" }] },
    cookies: { keys: ["a cookie's key of a test"] },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    ttl: { AccessToken: 900, Grant: 900, IdToken: 900, Interaction: 900, Session: 900 },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope, audience, accessTokenFormat: "jwt", accessTokenTTL: 900, jwt: { sign: { alg: "ES256" } } }),
      },
    },
  });
  return { provider, key: privateKey };
}

function consent(provider: Provider, audience: string, accountId: string): (...of: Parameters<RequestListener>) => Promise<void> {
  return async (request, response) => {
    const grant = new provider.Grant({ accountId, clientId: client });
    grant.addOIDCScope("openid");
    grant.addResourceScope(audience, scope);
    await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId: await grant.save() } });
  };
}

/** A browser as far as a login needs one: cookies, and redirects until it has arrived. */
async function browse(from: URL, hasArrived: (url: URL) => boolean): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = from;
  while (!hasArrived(url)) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) throw new Error(`the identity provider answers ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
  }
  return url;
}
