/**
 * AWS Signature Version 4 for the one form that a key service is asked in: POST to `/`, no query, headers, a body.
 * Held against AWS' published vectors and an independent signer.
 */
import { hmacSha256, sha256, toHex, utf8 } from "../crypto/index.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface AwsRequest {
  /** With the port where it is not the scheme's own. */
  readonly host: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  readonly service: string;
  readonly at: Date;
}

/** The request's headers with `x-amz-date` and `authorization`, and `x-amz-security-token` where there is one. */
export function signAwsRequest(
  { host, headers, body, region, service, at }: AwsRequest,
  credentials: AwsCredentials,
): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const time = at.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const sent = { ...headers, "x-amz-date": time, ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }) };
  const signed = Object.entries<string>({ ...sent, host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = ["POST", "/", "", lines, names, digestOf(body)].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, digestOf(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce((under, part) => hmacSha256(under, utf8(part)), utf8(`AWS4${secretAccessKey}`));
  const signature = toHex(hmacSha256(key, utf8(toSign)));
  return { ...sent, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}` };
}

function digestOf(text: string): string {
  return toHex(sha256(utf8(text)));
}
