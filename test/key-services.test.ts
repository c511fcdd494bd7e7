/** The root key in a key service that fails: refused within the deadline, nothing of a secret said, and it recovers by itself. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomBytes, toBase64 } from "../src/crypto/index.ts";
import {
  createAwsKms,
  createServiceRootKey,
  createVaultTransit,
  type KeyService,
  KeysUnavailable,
  type RootKey,
} from "../src/keys/index.ts";
import { signAwsRequest } from "../src/keys/sigv4.ts";
import { bringIntoForce, expectStatus, importLines } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { type Failure, type KeyStandIn, startKeyStandIn } from "./support/key-stand-in.ts";
import { isLong } from "./support/long.ts";
import { pause } from "./support/until.ts";

/** The deadline is three seconds; a slow answer takes ten. */
const answeredWithinMs = 7_000;
const secret = "s3cretAccessKeyOrToken";
const context = "share-a/c-test/1";
const failures: readonly Exclude<Failure, null | "slow">[] = [
  "forbidden",
  "throttled",
  "html",
  "huge",
  "cut",
  "broken",
  "redirect",
  "other place's key",
  "short key",
];

const drivers: readonly (readonly [string, (standIn: KeyStandIn, now?: () => number) => KeyService])[] = [
  [
    "AWS KMS",
    ({ url, keyArn }, now) =>
      createAwsKms({
        ...{ keyArn, region: "eu-central-1", endpoint: url, now },
        credentials: async () => ({ accessKeyId: "AKID", secretAccessKey: secret }),
      }),
  ],
  ["Transit", ({ url }, now) => createVaultTransit({ address: url, mount: "transit", key: "postern", token: async () => secret, now })],
];

let standIn: KeyStandIn;
beforeAll(async () => {
  standIn = await startKeyStandIn();
});
afterAll(() => standIn.stop());

describe("a request to AWS is signed", () => {
  const published = { host: "example.amazonaws.com", region: "us-east-1", service: "service", at: new Date("2015-08-30T12:36:00Z") };
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

  it.each([
    ["post-vanilla", {}, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
    [
      "post-x-www-form-urlencoded",
      { "content-type": "application/x-www-form-urlencoded" },
      "Param1=value1",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
  ])("as AWS' published vector %s", (_name, headers, body, signature) => {
    expect(signAwsRequest({ ...published, headers, body }, credentials).authorization).toContain(`Signature=${signature}`);
  });
});

describe.each(drivers)("a root key in %s", (_name, open) => {
  it("opens what it wrapped, at its place and at no other", async () => {
    standIn.fail(null);
    const root = createServiceRootKey(open(standIn));
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    expect(await root.unwrap(context, wrapped)).toEqual(key);
    for (const other of ["share-a/c-test/2", "share-a/c-other/1", "audit/c-test/1"]) expect(await root.unwrap(other, wrapped)).toBeNull();
  });

  it.each(failures)("is refused where the service is %s, says nothing of a secret, and opens again afterwards", async (failure) => {
    standIn.fail(null);
    const root = createServiceRootKey(open(standIn));
    const key = randomBytes(32);
    await root.wrap("share-a/c-other/1", randomBytes(32));
    const wrapped = await root.wrap(context, key);
    standIn.fail(failure);
    const { error, tookMs } = await refusalOf(() => root.unwrap(context, wrapped));
    expect(tookMs).toBeLessThan(answeredWithinMs);
    const said = `${error.message} ${String(error.cause ?? "")} ${error.stack}`;
    for (const hidden of [secret, toBase64(key), "quoted", "welcome"]) expect(said).not.toContain(hidden);
    standIn.fail(null);
    expect(await root.unwrap(context, wrapped)).toEqual(key);
  });

  it("is refused within the deadline where an answer takes ten seconds; then nobody waits, and it recovers by itself", async () => {
    standIn.fail(null);
    let skippedMs = 0;
    const root = createServiceRootKey(open(standIn, () => Date.now() + skippedMs));
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    standIn.fail("slow");
    const refused = await Promise.all(Array.from({ length: 5 }, () => refusalOf(() => root.unwrap(context, wrapped))));
    for (const { tookMs } of refused) expect(tookMs).toBeLessThan(answeredWithinMs);
    const before = standIn.asked();
    const { tookMs } = await refusalOf(() => root.unwrap(context, wrapped));
    expect(tookMs).toBeLessThan(1_000);
    expect(standIn.asked()).toBe(before);
    standIn.fail(null);
    await refusalOf(() => root.unwrap(context, wrapped));
    expect(standIn.asked()).toBe(before);
    skippedMs = 5_001;
    expect(await root.unwrap(context, wrapped)).toEqual(key);
    expect(await root.unwrap(context, wrapped)).toEqual(key);
  });

  it("is asked again where it is only throttled for a moment", async () => {
    standIn.fail(null);
    const root = createServiceRootKey(open(standIn));
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    standIn.fail("throttled");
    const before = standIn.asked();
    const opened = root.unwrap(context, wrapped);
    while (standIn.asked() === before) await pause(1);
    standIn.fail(null);
    expect(await opened).toEqual(key);
  });

  it("asks for at most sixteen keys at a time, however many contracts open at once", async () => {
    standIn.fail(null);
    const root = createServiceRootKey(open(standIn));
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    const opened = await Promise.all(Array.from({ length: 200 }, () => root.unwrap(context, wrapped)));
    expect(opened).toHaveLength(200);
    expect(standIn.askedAtOnce()).toBeLessThanOrEqual(16);
  });
});

describe("an agent asks while the key service is away", () => {
  const customer = { id: "U1", name: "欧阳娜娜", phone: "13800138000" };
  let root: RootKey;
  let gateway: Gateway;
  beforeAll(async () => {
    standIn.fail(null);
    root = createServiceRootKey(createVaultTransit({ address: standIn.url, mount: "transit", key: "postern", token: async () => secret }));
    gateway = await createGateway({ common: { root } });
    await bringIntoForce(gateway);
    await importLines(gateway, [customer]);
  });
  afterAll(() => gateway.close());

  const search = () =>
    gateway.call("POST", "/v1/contracts/c-test/records/customer/search", { as: "agent-1", body: { by: { phone: customer.phone } } });

  it("asks the service once for all that a minute brings", async () => {
    await expectStatus(search(), 200);
    const before = standIn.asked();
    for (let i = 0; i < 5; i++) await expectStatus(search(), 200);
    expect(standIn.asked()).toBe(before);
  });

  it.each<Exclude<Failure, null>>(isLong ? ["slow", ...failures] : ["slow", "cut"])(
    "is refused with 503 keys_unavailable in time where it is %s, and served again",
    async (failure) => {
      standIn.fail(null);
      gateway.keeper.purge.keyring.forget("c-test" as never);
      standIn.fail(failure);
      const began = performance.now();
      const answer = await search();
      expect(performance.now() - began).toBeLessThan(answeredWithinMs);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "keys_unavailable"]);
      standIn.fail(null);
      if (failure === "slow") await pause(1_000);
      await expectStatus(search(), 200);
      expect(gateway.faults).toEqual([]);
    },
  );
});

async function refusalOf(work: () => Promise<unknown>): Promise<{ readonly error: KeysUnavailable; readonly tookMs: number }> {
  const began = performance.now();
  try {
    await work();
  } catch (error) {
    if (error instanceof KeysUnavailable) return { error, tookMs: performance.now() - began };
    throw error;
  }
  throw new Error("was not refused");
}
