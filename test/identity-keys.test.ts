import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createIdentity, type Identity, type IdentityOptions } from "../src/identity/index.ts";
import { audience, createSmith, noon, type Smith } from "./support/tokens.ts";

let server: Server;
let url: URL;
let answer: RequestListener;
let asked: string[];
let now: number;
let smith: Smith;
let next: Smith;

beforeAll(async () => {
  smith = await createSmith();
  next = await createSmith("linxi", smith.profile.issuer, "k2");
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  asked = [];
  now = noon;
  answer = keys(smith);
});
afterEach(() => void vi.useRealTimers());

function keys(...smiths: Smith[]): RequestListener {
  return (_, response) => response.end(JSON.stringify({ keys: smiths.map(({ jwk }) => jwk) }));
}

function remote(options: Partial<IdentityOptions> = {}): Identity {
  return createIdentity({ issuers: [{ ...smith.profile, keys: { jwks: url } }], audience, now: () => now, ...options });
}

async function verdict(identity: Identity, token: string): Promise<string> {
  const result = await identity.identify(`Bearer ${token}`);
  return result.ok ? "ok" : result.refusal;
}

/** jose keeps the cooldown by the process's own clock: it stands still but for what is skipped. */
function stopClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ["Date"] });
  return (ms) => void vi.setSystemTime(Date.now() + ms);
}

describe("an issuer's key set", () => {
  it("is fetched once for all its tokens", async () => {
    const identity = remote();
    for (let i = 0; i < 20; i++) expect(await verdict(identity, await smith.token({ jti: `t-${i}` }))).toBe("ok");
    expect(asked).toEqual(["/jwks"]);
  });

  it("is not asked about a token that could not count anyway", async () => {
    const identity = remote();
    const hopeless = [
      await smith.token({}, { alg: "HS256" }),
      await smith.token({ aud: "https://other.example" }),
      await smith.token({ exp: 1 }),
    ];
    for (const token of hopeless) expect(await verdict(identity, token)).toBe("token_invalid");
    expect(asked).toEqual([]);
  });

  it("is fetched at most once per cooldown, however many unknown keys are named", async () => {
    const skip = stopClock();
    const identity = remote({ jwksLimits: { cooldownMs: 300 } });
    const flood = await Promise.all(Array.from({ length: 100 }, (_, i) => next.token({}, { kid: `unknown-${i}` })));
    const round = async (): Promise<void> => {
      for (const result of await Promise.all(flood.map((token) => verdict(identity, token)))) expect(result).toBe("token_invalid");
      expect(await verdict(identity, await smith.token())).toBe("ok");
    };
    await round();
    await round();
    expect(asked).toHaveLength(1);
    skip(299);
    await round();
    expect(asked).toHaveLength(1);
    skip(1);
    await round();
    expect(asked).toHaveLength(2);
  });

  it("follows a rotation: the new key counts after the cooldown, the withdrawn one no longer", async () => {
    const skip = stopClock();
    const identity = remote({ jwksLimits: { cooldownMs: 100 } });
    expect(await verdict(identity, await smith.token())).toBe("ok");
    answer = keys(next);
    skip(100);
    expect(await verdict(identity, await next.token())).toBe("ok");
    expect(await verdict(identity, await smith.token({ jti: "t-2" }))).toBe("token_invalid");
  });

  it("that cannot be had refuses the token as undecided, and is asked again after two seconds", async () => {
    const identity = remote();
    const closed = remote({ issuers: [{ ...smith.profile, keys: { jwks: new URL("http://127.0.0.1:1/jwks") } }] });
    expect(await verdict(closed, await smith.token())).toBe("issuer_unavailable");
    answer = (_, response) => response.writeHead(500).end("{}");
    for (let i = 0; i < 50; i++) expect(await verdict(identity, await smith.token())).toBe("issuer_unavailable");
    expect(asked).toHaveLength(1);
    answer = keys(smith);
    now += 1_999;
    expect(await verdict(identity, await smith.token())).toBe("issuer_unavailable");
    now += 1;
    expect(await verdict(identity, await smith.token())).toBe("ok");
  });

  it("that was had goes on counting for an hour while it cannot be had again, then no longer", async () => {
    const identity = remote({ jwksLimits: { ageMaxMs: 0, failureCooldownMs: 0 } });
    const stands = async (jti: string) => verdict(identity, await smith.token({ jti, iat: now / 1000, exp: now / 1000 + 900 }));
    expect(identity.keyAges()).toEqual({ linxi: null });
    expect(await stands("a")).toBe("ok");
    answer = (_, response) => response.writeHead(500).end();
    now += 3_599_000;
    expect(await stands("b")).toBe("ok");
    expect(identity.keyAges()).toEqual({ linxi: 3_599 });
    expect(await verdict(identity, await next.token({ iat: now / 1000, exp: now / 1000 + 900 }))).toBe("issuer_unavailable");
    now += 1_000;
    expect(await stands("c")).toBe("issuer_unavailable");
    answer = keys(smith);
    expect(await stands("d")).toBe("ok");
    expect(identity.keyAges()).toEqual({ linxi: 0 });
  });

  it("that was had is not asked for at every request while it cannot be had again", async () => {
    const identity = remote({ jwksLimits: { ageMaxMs: 0 } });
    expect(await verdict(identity, await smith.token())).toBe("ok");
    answer = (_, response) => response.writeHead(500).end();
    for (let i = 0; i < 50; i++) expect(await verdict(identity, await smith.token({ jti: `t-${i}` }))).toBe("ok");
    expect(asked).toHaveLength(2);
    answer = keys(next);
    now += 2_000;
    expect(await verdict(identity, await smith.token({ jti: "late" }))).toBe("token_invalid");
  });

  const broken: Record<string, RequestListener> = {
    "an HTML page": (_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>log in</title>"),
    "an empty answer": (_, response) => response.end(),
    "another document": (_, response) => response.end('{"issuer":"https://id.linxi.example"}'),
    "a list of strings": (_, response) => response.end('{"keys":["k1"]}'),
    "a redirect": (_, response) => response.writeHead(302, { location: "/elsewhere" }).end(),
    "50 MB of an error page": (_, response) => response.writeHead(500).end(Buffer.alloc(50_000_000, " ")),
    "50 MB of keys": (_, response) =>
      response.end(Buffer.concat([Buffer.from('{"keys":['), Buffer.alloc(50_000_000, " "), Buffer.from("]}")])),
    "no content": (_, response) => response.writeHead(204).end(),
    "bytes that are no text": (_, response) => response.end(Buffer.from([0x7b, 0xff, 0x7d])),
    "a hundred and one keys": (_, response) => response.end(JSON.stringify({ keys: Array(101).fill(smith.jwk) })),
    "a broken connection": (request) => request.socket.destroy(),
  };
  it.each(Object.keys(broken))("that is %s refuses the token as undecided", async (name) => {
    answer = broken[name] ?? answer;
    expect(await verdict(remote(), await smith.token())).toBe("issuer_unavailable");
    expect(asked).toEqual(["/jwks"]);
  });

  it("that never ends is cut off at its bound", async () => {
    let sent = (): number => 0;
    answer = (request, response) => {
      sent = () => request.socket.bytesWritten;
      const more = (): void => {
        while (!response.destroyed && response.write(" ".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    };
    expect(await verdict(remote({ jwksLimits: { timeoutMs: 15_000 } }), await smith.token())).toBe("issuer_unavailable");
    expect(sent()).toBeGreaterThan(0);
    expect(sent()).toBeLessThan(32 * 1024 * 1024);
  });

  it.each(["before its head", "within its body"])("that hangs %s is given up by the deadline", async (where) => {
    answer = (_, response) => {
      if (where === "within its body") response.write('{"keys":[');
    };
    const start = performance.now();
    const identity = remote({ jwksLimits: { timeoutMs: 200 } });
    const results = await Promise.all(Array.from({ length: 20 }, async () => verdict(identity, await smith.token())));
    expect(new Set(results)).toEqual(new Set(["issuer_unavailable"]));
    expect(performance.now() - start).toBeLessThan(4_000);
    expect(asked).toHaveLength(1);
  });

  it("does not stop other issuers' tokens when it is down", async () => {
    const other = await createSmith("yunfu", "https://id.yunfu.example");
    answer = (_, response) => response.writeHead(503).end();
    const identity = remote({ issuers: [{ ...smith.profile, keys: { jwks: url } }, other.profile] });
    expect(await verdict(identity, await smith.token())).toBe("issuer_unavailable");
    expect(await verdict(identity, await other.token())).toBe("ok");
  });

  it("does not count a key that was published whole, or one that has no use for us", async () => {
    answer = (_, response) => response.end(JSON.stringify({ keys: [{ ...smith.jwk, d: smith.jwk.x }] }));
    expect(await verdict(remote(), await smith.token())).toBe("token_invalid");
    answer = (_, response) => response.end(JSON.stringify({ keys: [{ ...smith.jwk, use: "enc" }] }));
    expect(await verdict(remote(), await smith.token())).toBe("token_invalid");
    answer = keys(smith, { ...next, jwk: { ...next.jwk, kid: "k1" } });
    expect(await verdict(remote(), await smith.token())).toBe("token_invalid");
  });
});

describe("an issuer's profile", () => {
  it("fetches its keys by https, or from this machine", () => {
    const at = (text: string) => () => remote({ issuers: [{ ...smith.profile, keys: { jwks: new URL(text) } }] });
    for (const text of [
      "http://id.linxi.example/jwks",
      "ftp://127.0.0.1/",
      "file:///etc/passwd",
      "http://127.0.0.1.evil.example/",
      "http://10.0.0.1/",
    ]) {
      expect(at(text), text).toThrow(RangeError);
    }
    for (const text of ["https://id.linxi.example/jwks", "http://localhost:1/", "http://[::1]:1/", "http://127.1/"])
      expect(at(text), text).not.toThrow();
  });

  it("is unambiguous, and names algorithms that we have", () => {
    const twice = () => remote({ issuers: [smith.profile, { ...smith.profile, id: "other" }] });
    const sameId = () => remote({ issuers: [smith.profile, { ...smith.profile, issuer: "https://other.example" }] });
    const secret = () => remote({ issuers: [{ ...smith.profile, algorithms: JSON.parse('["HS256"]') }] });
    const none = () => remote({ issuers: [{ ...smith.profile, algorithms: [] }] });
    const oddId = () => remote({ issuers: [{ ...smith.profile, id: "a b" }] });
    for (const bad of [twice, sameId, secret, none, oddId]) expect(bad).toThrow(RangeError);
  });
});

describe("a verified token", () => {
  const short = { jwksLimits: { ageMaxMs: 0, failureCooldownMs: 0, staleMaxMs: 0 } };

  it("is not verified again until it expires, not even when its issuer is down", async () => {
    const identity = remote(short);
    const token = await smith.token();
    expect(await verdict(identity, token)).toBe("ok");
    answer = (_, response) => response.writeHead(500).end();
    for (let i = 0; i < 10; i++) expect(await verdict(identity, token)).toBe("ok");
    expect(asked).toHaveLength(1);
    now = noon + 900_000;
    expect(await verdict(identity, token)).toBe("token_expired");
    now = noon;
    expect(await verdict(identity, await smith.token({ jti: "t-2" }))).toBe("issuer_unavailable");
  });

  it("vouches for its own text only", async () => {
    const identity = remote(short);
    const token = await smith.token();
    expect(await verdict(identity, token)).toBe("ok");
    const [head = "", body = "", signature = ""] = token.split(".");
    expect(await verdict(identity, `${head}.${body}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`)).toBe("token_invalid");
  });

  it("makes room for later ones: the least recently used is verified again", async () => {
    const identity = remote({ ...short, verifiedTokensMax: 2 });
    const [first, second, third] = await Promise.all(["a", "b", "c"].map((jti) => smith.token({ jti })));
    for (const token of [first, second, first, third]) expect(await verdict(identity, token ?? "")).toBe("ok");
    answer = (_, response) => response.writeHead(500).end();
    expect(await verdict(identity, first ?? "")).toBe("ok");
    expect(await verdict(identity, third ?? "")).toBe("ok");
    expect(await verdict(identity, second ?? "")).toBe("issuer_unavailable");
  });

  it("is kept, and a refused one is not: it counts as soon as it is good", async () => {
    const identity = remote({ jwksLimits: { cooldownMs: 0 } });
    const token = await next.token();
    expect(await verdict(identity, token)).toBe("token_invalid");
    answer = keys(smith, next);
    expect(await verdict(identity, token)).toBe("ok");
    const early = await smith.token({ nbf: noon / 1000 + 120 });
    expect(await verdict(identity, early)).toBe("token_expired");
    now += 120_000;
    expect(await verdict(identity, early)).toBe("ok");
  });
});
