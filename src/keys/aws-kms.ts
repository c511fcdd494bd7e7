/**
 * The root key in AWS KMS (TrentService 2014-11-01: Encrypt, Decrypt, DescribeKey), by JSON over HTTPS, signed here.
 * The place is the EncryptionContext: KMS authenticates it, writes it into CloudTrail, and grants go by it (`kms:EncryptionContext:contract`).
 */
import * as z from "zod";
import { canonicalBase64, fromBase64, toBase64 } from "../crypto/index.ts";
import type { KeyPlace } from "./key-place.ts";
import { KeysUnavailable } from "./ports.ts";
import { answerReader, createServiceCall, type ServiceAnswer, type ServiceCall } from "./service-call.ts";
import type { KeyService } from "./service-root-key.ts";
import { type AwsCredentials, signAwsRequest } from "./sigv4.ts";

export interface AwsKmsOptions {
  /** The key's ARN, not an alias', which somebody may point elsewhere. */
  readonly keyArn: string;
  readonly region: string;
  readonly endpoint: URL;
  /** Asked before each call: temporary ones change. Throws KeysUnavailable where there are none. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly now?: (() => number) | undefined;
  readonly parallelMax?: number | undefined;
}

const answered = answerReader("AWS KMS");
const encrypted = z.object({ CiphertextBlob: canonicalBase64, KeyId: z.string() });
const decrypted = z.object({ Plaintext: canonicalBase64, KeyId: z.string() });
const described = z.object({
  KeyMetadata: z.object({ Arn: z.string(), KeyState: z.string(), KeyUsage: z.string(), KeySpec: z.string() }),
});
const failed = z.object({ __type: z.string() });

/** The ciphertext is not this key's, or not this place's. */
const foreign = ["InvalidCiphertextException", "IncorrectKeyException"];
const busy = ["ThrottlingException", "Throttling", "LimitExceededException", "RequestLimitExceeded", "TooManyRequestsException"];

export function createAwsKms(options: AwsKmsOptions): KeyService {
  const { keyArn, now, parallelMax } = options;
  const isBusy = (answer: ServiceAnswer) => answer.status === 429 || busy.includes(errorOf(answer));
  const call = createServiceCall({ name: "AWS KMS", isBusy, now, parallelMax });
  const ask = (action: string, body: object) => askKms(options, call, action, body);
  const ofOurKey = (keyId: string): void => {
    if (keyId !== keyArn) throw new KeysUnavailable("AWS KMS answers for another key than the one that was named");
  };
  return {
    // A multi-region key is one key in every region.
    id: `aws-kms:${keyArn.split(":").slice(4).join(":")}`,
    async encrypt(place, plaintext) {
      const answer = await ask("Encrypt", { KeyId: keyArn, Plaintext: toBase64(plaintext), EncryptionContext: contextOf(place) });
      if (answer.status !== 200) throw refusedBy("Encrypt", answer);
      const { CiphertextBlob, KeyId } = answered(encrypted, answer.body);
      ofOurKey(KeyId);
      return fromBase64(CiphertextBlob);
    },
    async decrypt(place, ciphertext) {
      const answer = await ask("Decrypt", { KeyId: keyArn, CiphertextBlob: toBase64(ciphertext), EncryptionContext: contextOf(place) });
      if (foreign.includes(errorOf(answer))) return null;
      if (answer.status !== 200) throw refusedBy("Decrypt", answer);
      const { Plaintext, KeyId } = answered(decrypted, answer.body);
      ofOurKey(KeyId);
      return fromBase64(Plaintext);
    },
    async check() {
      const answer = await ask("DescribeKey", { KeyId: keyArn });
      if (answer.status !== 200) throw refusedBy("DescribeKey", answer);
      const { Arn, KeyState, KeyUsage, KeySpec } = answered(described, answer.body).KeyMetadata;
      ofOurKey(Arn);
      if (KeyState !== "Enabled") throw new KeysUnavailable("the key in AWS KMS is not enabled; enable it, or cancel its deletion");
      if (KeyUsage !== "ENCRYPT_DECRYPT" || KeySpec !== "SYMMETRIC_DEFAULT")
        throw new KeysUnavailable("the key in AWS KMS is not a symmetric key for encryption; name one that is");
    },
  };
}

/** Names and values that a condition of a policy can compare; KMS shows them in its log. */
function contextOf({ contract, purpose, name }: KeyPlace) {
  return { contract, purpose, name };
}

function askKms({ region, endpoint, credentials, now = Date.now }: AwsKmsOptions, call: ServiceCall, action: string, content: object) {
  const body = JSON.stringify(content);
  return call(async () => {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `TrentService.${action}` };
    const request = { host: endpoint.host, headers, body, region, service: "kms", at: new Date(now()) };
    return { url: endpoint, method: "POST", headers: signAwsRequest(request, await credentials()), body };
  });
}

/** The exception's name alone; `""` = none. Its message may quote the request. */
function errorOf({ status, body }: ServiceAnswer): string {
  const parsed = failed.safeParse(body);
  if (status === 200 || !parsed.success) return "";
  const [, name = ""] = /(?:^|#)([A-Za-z]{1,60})$/.exec(parsed.data.__type) ?? [];
  return name;
}

function refusedBy(action: string, answer: ServiceAnswer): KeysUnavailable {
  const why = errorOf(answer) || String(answer.status);
  return new KeysUnavailable(`AWS KMS refuses ${action} (${why}); grant kms:${action} on the key, or name one that is there`);
}
