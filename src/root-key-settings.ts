/** `POSTERN_ROOT_KEY` where a service holds the key, and the variables, named as the services' own tools name them, that say how it is asked. */
import * as z from "zod";
import { isLoopback } from "./sink-settings.ts";

export type KeyServiceSetting =
  | { readonly kind: "aws-kms"; readonly keyArn: string; readonly region: string; readonly domain: string }
  | { readonly kind: "vault-transit"; readonly address: URL; readonly mount: string; readonly key: string };

const arn = /^aws-kms:(arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):[0-9]{12}:key\/[A-Za-z0-9-]+)$/;
const transitPath = /^\/([A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*)\/([A-Za-z0-9._-]+)$/;

export function isKeyService(text: string): boolean {
  return /^(aws-kms|vault-transit):/.test(text);
}

/** `null` = malformed: `keyServiceForms` says what it must be. */
export function parseKeyService(text: string): KeyServiceSetting | null {
  const [, keyArn, partition, region] = arn.exec(text) ?? [];
  if (keyArn && partition && region)
    return { kind: "aws-kms", keyArn, region, domain: partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com" };
  if (!text.startsWith("vault-transit:")) return null;
  const url = URL.parse(text.slice("vault-transit:".length));
  const [, mount, key] = transitPath.exec(url?.pathname ?? "") ?? [];
  if (!url || !mount || !key || url.username || url.search || url.hash || !isPrivate(url)) return null;
  return { kind: "vault-transit", address: new URL(url.origin), mount, key };
}

export const keyServiceForms =
  "aws-kms:ARN of a key (not of an alias), or vault-transit:https://HOST/MOUNT/KEY (plain http:// on this host alone)";

/** `https:`, or plain on this host. Without credentials. */
export function isPrivateUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && !url.username && !url.hash && isPrivate(url);
}

/** What is sent there opens what is stored here. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** Shapes for both runtimes' settings. */
export const keyServiceVariables = {
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_ENDPOINT_URL_KMS: z.string().refine(isPrivateUrl, "must be an https:// URL").optional(),
  VAULT_TOKEN: z.string().optional(),
  VAULT_NAMESPACE: z.string().optional(),
} as const;

export type KeyServiceVariables = { readonly [Name in keyof typeof keyServiceVariables]?: string | undefined };
