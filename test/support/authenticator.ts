/** An authenticator in this process: makes a passkey and signs with it (Web Authentication Level 3 §6), rightly or as it is told. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What is not as it should be. */
export interface Wrong {
  readonly origin?: string;
  readonly rpId?: string;
  /** User present (1), user verified (4). */
  readonly flags?: number;
  readonly counter?: number;
  readonly challenge?: string;
  readonly type?: string;
  readonly key?: KeyObject;
}

interface Options {
  readonly challenge: string;
}

export interface Authenticator {
  readonly id: string;
  readonly key: KeyObject;
  create(options: Options, wrong?: Wrong): object;
  get(options: Options, wrong?: Wrong): object;
}

const presentAndVerified = 5;
const attested = 64;

export function createAuthenticator(origin: string): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const id = randomBytes(32);
  let signed = 0;
  const clientData = (type: string, { challenge }: Options, wrong: Wrong) =>
    Buffer.from(
      JSON.stringify({
        type: wrong.type ?? type,
        challenge: wrong.challenge ?? challenge,
        origin: wrong.origin ?? origin,
        crossOrigin: false,
      }),
    );
  const authenticatorData = (flags: number, wrong: Wrong, more = Buffer.alloc(0)) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(wrong.counter ?? ++signed);
    return Buffer.concat([sha256(Buffer.from(wrong.rpId ?? new URL(origin).hostname)), Buffer.from([flags]), counter, more]);
  };
  const credential = (response: object) => ({
    ...{ id: id.toString("base64url"), rawId: id.toString("base64url"), type: "public-key", clientExtensionResults: {} },
    response,
  });
  return {
    id: id.toString("base64url"),
    key: privateKey,
    create(options, wrong = {}) {
      const coordinates = [Buffer.from(x, "base64url"), Buffer.from(y, "base64url")] as const;
      const cose = cbor(
        new Map<number, Cbor>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, coordinates[0]],
          [-3, coordinates[1]],
        ]),
      );
      const attestedData = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, cose]);
      const authData = authenticatorData((wrong.flags ?? presentAndVerified) | attested, wrong, attestedData);
      const object = new Map<string, Cbor>([
        ["fmt", "none"],
        ["attStmt", new Map<string, Cbor>()],
        ["authData", authData],
      ]);
      return credential({
        clientDataJSON: clientData("webauthn.create", options, wrong).toString("base64url"),
        attestationObject: cbor(object).toString("base64url"),
      });
    },
    get(options, wrong = {}) {
      const clientDataJSON = clientData("webauthn.get", options, wrong);
      const data = authenticatorData(wrong.flags ?? presentAndVerified, wrong);
      return credential({
        clientDataJSON: clientDataJSON.toString("base64url"),
        authenticatorData: data.toString("base64url"),
        signature: sign("sha256", Buffer.concat([data, sha256(clientDataJSON)]), wrong.key ?? privateKey).toString("base64url"),
      });
    },
  };
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

type Cbor = number | string | Buffer | ReadonlyMap<string | number, Cbor>;

/** RFC 8949 §3, as much as an authenticator needs. */
function cbor(value: Cbor): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([name, of]) => [cbor(name), cbor(of)])]);
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  return length < 256 ? Buffer.from([(major << 5) | 24, length]) : Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
}
