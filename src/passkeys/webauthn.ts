/**
 * What a browser asks of an authenticator, and whether what it signed is that (Web Authentication Level 3 §7). User verification is asked for and must have
 * happened. Attestation is not asked for: what counts is that the same key signs again.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { fromBase64Url, sha256, toBase64Url, utf8 } from "../crypto/index.ts";
import type { Passkey } from "./postgres.ts";

/** Loaded at its first use: a gateway starts without it, and most requests never need it. */
const library = () => import("@simplewebauthn/server");

/** Ed25519, ES256, RS256 (RFC 9053 §2, RFC 8812 §2). */
const algorithms = [-8, -7, -257];

/** For the browser's `navigator.credentials`, as its `parse…OptionsFromJSON` reads it. */
interface Asked {
  readonly options: object;
  /** SHA-256 of what is to be signed. */
  readonly challenge: Uint8Array;
}

export interface Ceremony {
  askNew(who: string, known: readonly Passkey[]): Promise<Asked>;
  /** `null` = not what was asked of it. `challenge`: what it signed for; whether that was asked for is the caller's to see. */
  readNew(response: RegistrationResponseJSON): Promise<(Pick<Passkey, "id" | "publicKey" | "counter"> & { challenge: Uint8Array }) | null>;
  askKnown(known: readonly Passkey[]): Promise<Asked>;
  readKnown(response: AuthenticationResponseJSON, passkey: Passkey): Promise<{ counter: number; challenge: Uint8Array } | null>;
}

/** `origin`: the gateway's own, whose host's passkeys these are. */
export function createCeremony(origin: string): Ceremony {
  const rpID = new URL(origin).hostname;
  const expected = (note: (challenge: string) => void) => ({
    ...{ expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: true },
    expectedChallenge: (challenge: string) => {
      note(challenge);
      return true;
    },
  });
  return {
    async askNew(who, known) {
      const options = await (await library()).generateRegistrationOptions({
        ...{ rpName: "Postern", rpID, userName: who, attestationType: "none", supportedAlgorithmIDs: algorithms },
        excludeCredentials: known.map(({ id }) => ({ id: toBase64Url(id) })),
        authenticatorSelection: { residentKey: "discouraged", userVerification: "required" },
      });
      return { options, challenge: digestOf(options.challenge) };
    },
    async readNew(response) {
      let signed = "";
      const checks = expected((challenge) => {
        signed = challenge;
      });
      const { verifyRegistrationResponse } = await library();
      const read = await orNull(() => verifyRegistrationResponse({ response, ...checks, supportedAlgorithmIDs: algorithms }));
      if (!read?.verified) return null;
      const { id, publicKey, counter } = read.registrationInfo.credential;
      return { id: fromBase64Url(id), publicKey, counter, challenge: digestOf(signed) };
    },
    async askKnown(known) {
      const options = await (await library()).generateAuthenticationOptions({
        ...{ rpID, userVerification: "required", allowCredentials: known.map(({ id }) => ({ id: toBase64Url(id) })) },
      });
      return { options, challenge: digestOf(options.challenge) };
    },
    async readKnown(response, { id, publicKey, counter }) {
      let signed = "";
      const checks = expected((challenge) => {
        signed = challenge;
      });
      const { verifyAuthenticationResponse } = await library();
      const credential = { id: toBase64Url(id), publicKey: new Uint8Array(publicKey), counter };
      const read = await orNull(() => verifyAuthenticationResponse({ response, ...checks, credential }));
      return read?.verified ? { counter: read.authenticationInfo.newCounter, challenge: digestOf(signed) } : null;
    },
  };
}

function digestOf(challenge: string): Uint8Array {
  return sha256(utf8(challenge));
}

/** The library throws for whatever is wrong with what a browser sent. */
async function orNull<Value>(read: () => Promise<Value>): Promise<Value | null> {
  try {
    return await read();
  } catch {
    return null;
  }
}
