/** A start with keys that cannot be ends at once, with one line that names the cure and nothing of a key; the doctor says the same. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createCommandLine, operatorFile } from "./support/command-line.ts";
import { type OpenBao, openBaoProgram, startOpenBao } from "./support/key-services.ts";
import { type KeyStandIn, startKeyStandIn } from "./support/key-stand-in.ts";
import { isLong } from "./support/long.ts";

const { home, postern, put, serve, remove } = await createCommandLine({ migrated: true });
const arn = "arn:aws:kms:eu-central-1:000000000000:key/stand-in";
const credentials = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s3cret-t0ken" };
let standIn: KeyStandIn;

put("postern.yaml", operatorFile);
beforeAll(async () => {
  standIn = await startKeyStandIn();
});
afterAll(async () => {
  await standIn.stop();
  remove();
});

async function refusedStart(variables: Readonly<Record<string, string>>, line: RegExp): Promise<string> {
  const { code, stdout, stderr } = await postern("serve", "", variables);
  expect({ code, stdout, lines: stderr.split("\n").length }).toEqual({ code: 78, stdout: "", lines: 2 });
  expect(stderr).toMatch(line);
  return stderr;
}

/** Each case starts whole processes, some of them several, beside the suite's other files. */
vi.setConfig({ testTimeout: 60_000 });

describe("a start whose root key lies in a key service", () => {
  it.each([
    ["an alias' ARN", "aws-kms:arn:aws:kms:eu-central-1:000000000000:alias/postern"],
    ["plain HTTP to another host", "vault-transit:http://vault.example:8200/transit/postern"],
    ["a credential in the URL", "vault-transit:https://token@vault.example/transit/postern"],
    ["no mount", "vault-transit:https://vault.example/postern"],
  ])("refuses %s, and says what it must be", async (_case, text) => {
    await refusedStart({ POSTERN_ROOT_KEY: text }, /^postern: POSTERN_ROOT_KEY: must be file:PATH, aws-kms:ARN of a key/);
  });

  it.each([
    ["no credentials", { POSTERN_ROOT_KEY: `aws-kms:${arn}` }, /there are no credentials for AWS KMS; set AWS_ACCESS_KEY_ID/],
    ["no service that answers", transit("http://127.0.0.1:9"), /POSTERN_ROOT_KEY: Transit cannot be reached/],
    [
      "a file of credentials that is not there",
      { ...transit("http://127.0.0.1:9"), POSTERN_ROOT_KEY_CREDENTIALS: "file:absent" },
      /the file of POSTERN_ROOT_KEY_CREDENTIALS cannot be read/,
    ],
  ])("ends with one line: %s", async (_case, variables, line) => {
    const said = await refusedStart(variables, line);
    expect(said).not.toContain("t0ken");
  });

  it("ends with one line where the service refuses, and the doctor names the cure", async () => {
    standIn.fail("forbidden");
    const variables = { POSTERN_ROOT_KEY: `aws-kms:${arn}`, AWS_ENDPOINT_URL_KMS: standIn.url.href, ...credentials };
    await refusedStart(variables, /AWS KMS refuses DescribeKey \(AccessDeniedException\); grant kms:DescribeKey on the key/);
    const { stdout } = await postern("doctor", "", variables);
    expect(stdout).toMatch(/key service.*AWS KMS refuses DescribeKey/s);
    expect(stdout).not.toContain(credentials.AWS_SECRET_ACCESS_KEY);
    standIn.fail(null);
    expect((await postern("doctor", "", variables)).stdout).toMatch(/key service.*fit to be the root key/s);
  });
});

describe.skipIf(openBaoProgram === null)("a gateway whose root key lies in OpenBao", () => {
  let bao: OpenBao;
  beforeAll(async () => {
    bao = await startOpenBao(openBaoProgram ?? "");
  });
  afterAll(() => bao?.stop());

  it.runIf(isLong)("serves, makes no root key of its own, and does not start again with another key", async () => {
    put("token", `${bao.rootToken}\n`);
    const data = join(home, "bao");
    const variables = {
      POSTERN_DATA: data,
      POSTERN_ROOT_KEY: `vault-transit:${bao.address}/transit/postern`,
      POSTERN_ROOT_KEY_CREDENTIALS: "file:token",
    };
    const running = await serve(variables);
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGTERM");
    await ended;
    await bao.call("POST", "transit/keys/second", { type: "aes256-gcm96", derived: true });
    await refusedStart(
      { ...variables, POSTERN_ROOT_KEY: `vault-transit:${bao.address}/transit/second` },
      /POSTERN_ROOT_KEY is not the key that this database began with/,
    );
    await refusedStart(
      { ...variables, POSTERN_ROOT_KEY: "file:made.key" },
      /POSTERN_ROOT_KEY is not the key that this database began with/,
    );
  });
});

describe("a start with keys of its own that cannot be", () => {
  it("refuses one key under two names", async () => {
    const key = Buffer.alloc(32, "0123456789abcdef").toString("base64");
    mkdirSync(join(home, "twins"), { recursive: true });
    put("twins/log.key", `${key}\n`);
    put("twins/certificate.key", `${key}\n`);
    const variables = {
      POSTERN_DATA: join(home, "twin-data"),
      POSTERN_LOG_KEY: "file:twins/log.key",
      POSTERN_CERTIFICATE_KEY: "file:twins/certificate.key",
    };
    const said = await refusedStart(variables, /twins\/certificate\.key is the same key as twins\/log\.key; each has one of its own/);
    expect(said).not.toContain(key.slice(0, 8));
  });

  it.each([
    ["cut short", Buffer.from("a share of 23 bytes, no")],
    ["of zeros", Buffer.alloc(32)],
  ])("refuses a share %s", async (_case, share) => {
    mkdirSync(join(home, "shares"), { recursive: true });
    put("shares/c-test.1.share", share);
    const said = await refusedStart(
      { POSTERN_DATA: join(home, "share-data"), POSTERN_SHARE_STORE: "file:shares" },
      /shares\/c-test\.1\.share is not a share/,
    );
    expect(said).not.toContain("a share of");
  });
});

function transit(address: string) {
  return { POSTERN_ROOT_KEY: `vault-transit:${address}/transit/postern`, VAULT_TOKEN: "t0ken" };
}
