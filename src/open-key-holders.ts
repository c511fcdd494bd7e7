/**
 * Opens what lies with others: the service that holds the root key, and the merchants' shares. A service's credentials: on Node from a file that is
 * read before each call, so that a token may be renewed, or from variables; on Workers from secrets of those names.
 */
import * as z from "zod";
import type { Signer } from "./crypto/index.ts";
import {
  createAwsKms,
  createHttpShareHolder,
  createVaultTransit,
  type KeyService,
  KeysUnavailable,
  type ShareHolder,
  type ShareHolders,
} from "./keys/index.ts";
import type { OperatorFile } from "./operator-settings.ts";
import type { KeyServiceSetting, KeyServiceVariables } from "./root-key-settings.ts";

export interface OpenKeyServiceOptions {
  /** The text of the credentials' file; `undefined` = there is none, and the variables hold them. */
  readonly readCredentials?: (() => Promise<string>) | undefined;
  readonly parallelMax?: number | undefined;
}

/** Asks nothing yet. */
export function openKeyService(setting: KeyServiceSetting, variables: KeyServiceVariables, options: OpenKeyServiceOptions): KeyService {
  const { readCredentials, parallelMax } = options;
  if (setting.kind === "aws-kms") {
    const { keyArn, region, domain } = setting;
    const endpoint = new URL(variables.AWS_ENDPOINT_URL_KMS ?? `https://kms.${region}.${domain}`);
    const credentials = async () => awsCredentials(readCredentials ? processOutput(await readCredentials()) : variables);
    return createAwsKms({ keyArn, region, endpoint, credentials, parallelMax });
  }
  const token = async () => tokenOf(readCredentials ? (await readCredentials()).trim() : variables.VAULT_TOKEN);
  return createVaultTransit({ ...setting, namespace: variables.VAULT_NAMESPACE, token, parallelMax });
}

/** The merchants' own endpoints, by the operator's file. `signer`: this process's writer key. */
export function openShareHolders(merchants: OperatorFile["merchants"], signer: Signer | undefined, parallelMax?: number): ShareHolders {
  const holders = new Map<string, ShareHolder>();
  for (const [merchant, { share_holder: url }] of Object.entries(merchants)) {
    if (url !== undefined && signer) holders.set(merchant, createHttpShareHolder({ url: new URL(url), signer, parallelMax }));
  }
  return (merchant) => holders.get(merchant) ?? null;
}

function awsCredentials({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
}: KeyServiceVariables) {
  if (!accessKeyId || !secretAccessKey)
    throw new KeysUnavailable("there are no credentials for AWS KMS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or their file");
  return { accessKeyId, secretAccessKey, sessionToken };
}

const credentialProcess = z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string(), SessionToken: z.string().optional() });

/** What an AWS `credential_process` prints. */
function processOutput(text: string): KeyServiceVariables {
  try {
    const { AccessKeyId, SecretAccessKey, SessionToken } = credentialProcess.parse(JSON.parse(text));
    return { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_SESSION_TOKEN: SessionToken };
  } catch {
    throw new KeysUnavailable("the credentials' file is not what a credential_process prints");
  }
}

function tokenOf(text: string | undefined): string {
  if (!text || !/^[\x21-\x7e]+$/.test(text)) throw new KeysUnavailable("there is no token for Transit; set VAULT_TOKEN, or its file");
  return text;
}
