/**
 * The root key in real servers: OpenBao's Transit, and moto in AWS KMS' place, which checks each signature with botocore. Skipped where they are not.
 * With a key service a stolen edge unwraps only what its credentials were granted.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase64, randomBytes, toBase64, utf8 } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import {
  createAwsKms,
  createRootKey,
  createServiceRootKey,
  createVaultTransit,
  joinRootKeys,
  KeysUnavailable,
  type RootKey,
} from "../src/keys/index.ts";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { edgePolicy, keeperPolicy } from "./support/documented-grants.ts";
import { createGateway } from "./support/gateway.ts";
import { type Moto, motoProgram, type OpenBao, openBaoProgram, startMoto, startOpenBao } from "./support/key-services.ts";
import { createWorld, openGateway, populate, type World } from "./support/purge-world.ts";

const context = "share-a/c-test/1";
/** What Transit itself gave: behind the name of the root key. */
const ciphertextIn = (wrapped: Uint8Array) => new TextDecoder().decode(wrapped.subarray(8));
type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

describe.skipIf(openBaoProgram === null)("a root key in OpenBao's Transit", () => {
  let bao: OpenBao;
  let keeperToken: string;
  beforeAll(async () => {
    bao = await startOpenBao(openBaoProgram ?? "");
    keeperToken = await bao.tokenWith(keeperPolicy());
  });
  afterAll(() => bao?.stop());

  const rootFor = (token: string, key = "postern", mount = "transit"): RootKey => createServiceRootKey(serviceFor(token, key, mount));
  const serviceFor = (token: string, key = "postern", mount = "transit") =>
    createVaultTransit({ address: new URL(bao.address), mount, key, token: async () => token });

  it("carries a contract from activation to disclosure, with the documented policies", async () => {
    const gateway = await createGateway({ common: { root: rootFor(keeperToken) } });
    await bringIntoForce(gateway);
    await importLines(gateway, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
    const search = { as: "agent-1", body: { by: { phone: "13800138000" } } };
    await expectStatus(gateway.call("POST", "/v1/contracts/c-test/records/customer/search", search), 200);
    await gateway.close();
  });

  it("opens what it wrapped, at its place and at no other", async () => {
    const root = rootFor(keeperToken);
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    expect(await root.unwrap(context, wrapped)).toEqual(key);
    for (const other of ["share-a/c-test/2", "share-a/c-other/1", "audit/c-test/1"]) expect(await root.unwrap(other, wrapped)).toBeNull();
  });

  it("opens after the key was rotated there", async () => {
    const root = rootFor(keeperToken);
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    await bao.call("POST", "transit/keys/postern/rotate");
    expect(await root.unwrap(context, wrapped)).toEqual(key);
  });

  it.each([
    ["with a policy that would let Transit make it", "missing-1", () => bao.rootToken],
    ["with the documented policy", "missing-2", () => bao.tokenWith(keeperPolicy("missing-2"))],
  ])("is not made by accident where it is missing, %s", async (_case, name, tokenOf) => {
    await expect(rootFor(await tokenOf(), name).wrap(context, randomBytes(32))).rejects.toThrow(KeysUnavailable);
    expect((await bao.call("GET", `transit/keys/${name}`)).status).toBe(404);
  });

  it("is not made even where it went away after it was looked at", async () => {
    const token = await bao.tokenWith(keeperPolicy("brief"));
    await bao.call("POST", "transit/keys/brief", { type: "aes256-gcm96", derived: true });
    const root = rootFor(token, "brief");
    await root.wrap(context, randomBytes(32));
    await bao.call("POST", "transit/keys/brief/config", { deletion_allowed: true });
    await bao.call("DELETE", "transit/keys/brief");
    await expect(root.wrap(context, randomBytes(32))).rejects.toThrow(KeysUnavailable);
    expect((await bao.call("GET", "transit/keys/brief")).status).toBe(404);
  });

  it.each([
    ["is not derived", { type: "aes256-gcm96" }, /not derived/],
    ["does not authenticate", { type: "rsa-2048" }, /not derived, or not of an AEAD type/],
    ["can be exported", { type: "aes256-gcm96", derived: true, exportable: true }, /can be exported/],
  ])("is refused where the key %s", async (_case, made, line) => {
    const name = `unfit-${toBase64(randomBytes(3)).replace(/[^a-zA-Z0-9]/g, "x")}`;
    await bao.call("POST", `transit/keys/${name}`, made);
    await expect(serviceFor(bao.rootToken, name).check()).rejects.toThrow(line);
  });

  it.each([
    ["a token that is none", () => "nobody", "postern", "transit", /refuses keys \(403\)/],
    ["a key that is not there", () => keeperToken, "postern-2", "transit", /refuses keys \(403\)/],
    ["a mount that is not there", () => bao.rootToken, "postern", "elsewhere", /there is no key/],
  ])("says in one line what is wrong: %s", async (_case, tokenOf, key, mount, line) => {
    const refusal = serviceFor(tokenOf(), key, mount).check();
    await expect(refusal).rejects.toThrow(line);
    await refusal.catch((error: Error) => expect(error.message).not.toMatch(/\n|nobody|root-token/));
  });

  describe("a stolen edge, granted two contracts", () => {
    let token: string;
    let own: Uint8Array;
    let foreign: Uint8Array;
    beforeAll(async () => {
      token = await bao.tokenWith(edgePolicy(["c-test", "gateway"]));
      const keeper = rootFor(keeperToken);
      own = await keeper.wrap("share-a/c-test/1", randomBytes(32));
      foreign = await keeper.wrap("share-a/c-other/1", randomBytes(32));
    });

    it("unwraps for its own", async () => {
      expect(await rootFor(token).unwrap("share-a/c-test/1", own)).toHaveLength(32);
    });

    it("is refused for another's, and does not open it in its own name", async () => {
      await expect(rootFor(token).unwrap("share-a/c-other/1", foreign)).rejects.toThrow(/refuses decrypt \(403\)/);
      expect(await rootFor(token).unwrap("share-a/c-test/1", foreign)).toBeNull();
    });

    it("cannot get at it by any other way that Transit has", async () => {
      const ciphertext = ciphertextIn(foreign);
      const [context64, ours64] = [toBase64(utf8("c-other")), toBase64(utf8("c-test"))];
      const associated_data = toBase64(utf8('["share-a","c-other","1"]'));
      const asked = { ciphertext, context: context64, associated_data };
      // The question itself is well put: whoever may, is answered.
      expect((await bao.call("POST", "transit/decrypt/postern", asked)).status).toBe(200);
      const batch = { batch_input: [asked] };
      const tries: [string, string, object?][] = [
        ["POST", "transit/decrypt/postern", asked],
        ["PUT", "transit/decrypt/postern", asked],
        ["POST", `transit/decrypt/postern?context=${encodeURIComponent(context64)}`, { ciphertext, associated_data }],
        ["POST", "transit/decrypt/postern", { ciphertext, associated_data }],
        ["POST", "transit/decrypt/postern", batch],
        ["POST", "transit/decrypt/postern", { ...batch, context: ours64 }],
        ["POST", "transit/decrypt/postern", { ...asked, context: [ours64, context64] }],
        ["POST", "transit/rewrap/postern", asked],
        ["POST", "transit/datakey/plaintext/postern", { context: context64 }],
        ["GET", "transit/export/encryption-key/postern"],
        ["GET", "transit/backup/postern"],
        ["POST", "transit/keys/postern/config", { exportable: true }],
        ["POST", "transit/encrypt/postern", { plaintext: "YQ==", context: ours64 }],
        ["POST", "sys/policies/acl/policy-1", { policy: 'path "*" { capabilities = ["root"] }' }],
        ["POST", "auth/token/create", {}],
      ];
      for (const [method, path, body] of tries) {
        const { status } = await bao.call(method, path, body, token);
        expect([method, path, status]).toEqual([method, path, expect.toSatisfy((code: number) => code >= 400 && code < 500)]);
      }
    });

    it("control: without the condition on the context, the same token unwraps everybody's", async () => {
      const unconditional = await bao.tokenWith('path "transit/decrypt/postern" { capabilities = ["update"] }');
      expect(await rootFor(unconditional).unwrap("share-a/c-other/1", foreign)).toHaveLength(32);
    });

    it("control: a condition that also allows other parameters is gone around by a batch", async () => {
      const condition = `"context" = ["${toBase64(utf8("c-test"))}"], "*" = []`;
      const loose = await bao.tokenWith(
        `path "transit/decrypt/postern" { capabilities = ["update"] allowed_parameters = { ${condition} } }`,
      );
      const item = { context: toBase64(utf8("c-other")), associated_data: toBase64(utf8('["share-a","c-other","1"]')) };
      const asked = { batch_input: [{ ciphertext: ciphertextIn(foreign), ...item }] };
      expect((await bao.call("POST", "transit/decrypt/postern", asked, loose)).status).toBe(200);
    });
  });
});

describe.skipIf(motoProgram === null)("a root key in AWS KMS, as moto plays it", () => {
  let moto: Moto;
  let keeper: Credentials;
  beforeAll(async () => {
    moto = await startMoto(motoProgram ?? "");
    keeper = await moto.credentialsFor("kms:Encrypt", "kms:Decrypt", "kms:DescribeKey");
  });
  afterAll(() => moto?.stop());

  const serviceFor = (credentials: Credentials, keyArn = moto.keyArn, now = Date.now) =>
    createAwsKms({ keyArn, region: moto.region, endpoint: new URL(moto.endpoint), credentials: async () => credentials, now });

  it("opens what it wrapped, at its place and at no other; each request's signature holds", async () => {
    await serviceFor(keeper).check();
    const root = createServiceRootKey(serviceFor(keeper));
    const key = randomBytes(32);
    const wrapped = await root.wrap(context, key);
    expect(await root.unwrap(context, wrapped)).toEqual(key);
    for (const other of ["share-a/c-test/2", "share-a/c-other/1", "audit/c-test/1"]) expect(await root.unwrap(other, wrapped)).toBeNull();
  });

  it("does not open under another key, and does not make one that is missing", async () => {
    const wrapped = await createServiceRootKey(serviceFor(keeper)).wrap(context, randomBytes(32));
    const other = createServiceRootKey(serviceFor(keeper, await moto.newKey()));
    await expect(other.unwrap(context, wrapped).then((key) => key ?? Promise.reject(new KeysUnavailable("null")))).rejects.toThrow(
      KeysUnavailable,
    );
    const missing = moto.keyArn.replace(/[0-9a-f-]+$/, "00000000-0000-4000-8000-000000000000");
    await expect(createServiceRootKey(serviceFor(keeper, missing)).wrap(context, randomBytes(32))).rejects.toThrow(/NotFoundException/);
  });

  it.each([
    ["a secret that is not the key's", async () => ({ ...keeper, secretAccessKey: "x".repeat(40) })],
    ["an access key that nobody has", async () => ({ ...keeper, accessKeyId: "AKIAIOSFODNN7NOBODY0" })],
    ["a user who may only decrypt", () => moto.credentialsFor("kms:Decrypt")],
  ])("says in one line what is wrong: %s", async (_case, credentialsOf) => {
    const credentials = await credentialsOf();
    const refusal = serviceFor(credentials).check();
    await expect(refusal).rejects.toThrow(/^AWS KMS refuses DescribeKey/);
    await refusal.catch((error: Error) => expect(error.message).not.toContain(credentials.secretAccessKey));
  });

  it("an edge that may only decrypt does decrypt, and wraps nothing", async () => {
    const wrapped = await createServiceRootKey(serviceFor(keeper)).wrap(context, randomBytes(32));
    const edge = createServiceRootKey(serviceFor(await moto.credentialsFor("kms:Decrypt", "kms:DescribeKey")));
    expect(await edge.unwrap(context, wrapped)).toHaveLength(32);
    await expect(edge.wrap(context, randomBytes(32))).rejects.toThrow(/refuses Encrypt/);
  });
});

describe.skipIf(openBaoProgram === null || motoProgram === null)("keys that move from a file to AWS KMS, and from there to Transit", () => {
  let moto: Moto;
  let bao: OpenBao;
  let world: World;
  beforeAll(async () => {
    [moto, bao, world] = await Promise.all([startMoto(motoProgram ?? ""), startOpenBao(openBaoProgram ?? ""), createWorld()]);
    await populate(world.gateway);
  }, 60_000);
  afterAll(async () => {
    await world?.close();
    await Promise.all([moto?.stop(), bao?.stop()]);
  });

  /** The order of the operator's, over the settings of step 2; then a restart without the one beside. */
  async function move(to: RootKey, from: RootKey): Promise<void> {
    const moving = await openGateway(world, {}, { root: joinRootKeys(to, from) });
    const body = { confirm: to.names[0] };
    const moved = await (await expectStatus(moving.call("POST", "/v1/root-key/rewrap", { as: "operator", body }), 200)).json();
    expect(moved).toMatchObject({ stuck: [], left: 0, foreign: 0, wrapped: [{ root_key: to.names[0] }] });
    await moving.close();
    const after = await openGateway(world, {}, { root: to });
    expect((await search(after, { phone: "13810000003" })).records).toHaveLength(1);
    await after.close();
  }

  it("are read after each, by the new one alone", { timeout: 60_000 }, async () => {
    const file = createRootKey(nodeAead, fromBase64(world.secrets.root));
    const { keyArn, region, endpoint } = moto;
    const allowed = await moto.credentialsFor("kms:Encrypt", "kms:Decrypt", "kms:DescribeKey");
    const kms = createServiceRootKey(
      createAwsKms({ keyArn, region, endpoint: new URL(endpoint), credentials: async () => allowed, now: Date.now }),
    );
    const token = await bao.tokenWith(keeperPolicy());
    const address = new URL(bao.address);
    const transit = createServiceRootKey(createVaultTransit({ address, mount: "transit", key: "postern", token: async () => token }));
    await world.owner.script("grant update (wrapped) on postern.audit_key to postern_keeper");
    await move(kms, file);
    await expect(openGateway(world, {}, { root: file })).rejects.toThrow("POSTERN_ROOT_KEY is not the key");
    await move(transit, kms);
    await expect(openGateway(world, {}, { root: kms })).rejects.toThrow("POSTERN_ROOT_KEY is not the key");
  });
});
