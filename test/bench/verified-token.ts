/**
 * What it costs to know who asks: with a token that was seen before, next to its digest alone, and with a new one, next to jose's own verification
 * of the same token. An RS256 key of 2,048 bits, as most providers have. In the same process and in alternating rounds; the ratio is the cost.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from "jose";
import { createIdentity, type Identity } from "../../src/identity/index.ts";
import { nodeDigest } from "../../src/identity/node-digest.ts";
import type { Effort, Scenario } from "./rounds.ts";
import { Times } from "./times.ts";

const audience = "https://gw.example";
const issuer = "https://id.example";
const agents = 256;
/** Of cached ones, to one reading of the clock. */
const cachedAtOnce = 100;

interface Work {
  readonly name: string;
  readonly baseline: string;
  readonly atOnce: number;
  readonly ours: (index: number) => Promise<unknown>;
  readonly theirs: (index: number) => unknown;
}

export async function measureVerifiedToken({ rounds, seconds }: Pick<Effort, "rounds" | "seconds">): Promise<Scenario[]> {
  const measured: Scenario[] = [];
  for (const work of await createWorks()) measured.push(await measureWork(work, rounds, seconds));
  return measured;
}

async function createWorks(): Promise<Work[]> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { modulusLength: 2048 });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const verifier = await importJWK(jwk, "RS256");
  const issuedAt = Math.floor(Date.now() / 1000);
  const sign = (agent: number) =>
    new SignJWT({ scope: "records.read", client_id: "console" })
      .setProtectedHeader({ alg: "RS256", typ: "at+jwt", kid })
      .setIssuer(issuer)
      .setSubject(`agent-${agent}`)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 3600)
      .setJti(`token-${agent}`)
      .sign(privateKey);
  const tokens = await Promise.all(Array.from({ length: agents }, (_, agent) => sign(agent)));
  const tokenOf = (index: number) => tokens[index % agents] ?? "";
  const headers = tokens.map((token) => `Bearer ${token}`);
  const identityOf = (verifiedTokensMax: number): Identity => {
    const profile = { id: "bench", issuer, keys: { local: { keys: [{ ...jwk, kid, alg: "RS256", use: "sig", kty: "RSA" }] } } };
    return createIdentity({ issuers: [profile], audience, now: Date.now, digest: nodeDigest, verifiedTokensMax });
  };
  const [seen, forgetful] = [identityOf(agents), identityOf(0)];
  const asks = (identity: Identity) => async (index: number) => {
    const who = await identity.identify(headers[index % agents] ?? "");
    if (!who.ok) throw new Error(who.refusal);
  };
  for (const index of headers.keys()) await asks(seen)(index);
  return [
    {
      ...{ name: "verified-token-cached", baseline: "sha256", atOnce: cachedAtOnce, ours: asks(seen) },
      theirs: (index) => nodeDigest(tokenOf(index)),
    },
    {
      ...{ name: "verified-token-first", baseline: "jwt-verify", atOnce: 1, ours: asks(forgetful) },
      theirs: (index) => jwtVerify(tokenOf(index), verifier, { issuer, audience, typ: "at+jwt" }),
    },
  ];
}

async function measureWork({ name, baseline, atOnce, ours, theirs }: Work, rounds: number, seconds: number): Promise<Scenario> {
  const measured = { ours: new Times(), theirs: new Times() };
  for (const work of [theirs, ours]) await run(work, atOnce, 0.3, new Times());
  let cpuUs = 0;
  for (let round = 0; round < rounds; round++) {
    await run(theirs, atOnce, seconds / 2, measured.theirs);
    const before = process.cpuUsage();
    await run(ours, atOnce, seconds / 2, measured.ours);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
  }
  return {
    name,
    connections: 1,
    ...measured.ours.summary(),
    rss_mb: Number((process.memoryUsage().rss / 2 ** 20).toFixed(1)),
    cpu_us: Number((cpuUs / (measured.ours.count() * atOnce)).toFixed(1)),
    baseline: { name: baseline, ...measured.theirs.summary() },
    ratio: Number((measured.ours.p50Ms() / measured.theirs.p50Ms()).toFixed(3)),
  };
}

async function run(work: (index: number) => unknown, atOnce: number, seconds: number, times: Times): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (let index = 0, now = performance.now(); now < end; ) {
    for (const last = index + atOnce; index < last; index++) await work(index);
    const after = performance.now();
    times.add((after - now) / atOnce);
    now = after;
  }
}
