/** What a caller shows of who they are, as it came: nothing of it is believed here. */

/** The Authorization header's value; with the DPoP scheme (RFC 9449), also what its proof must be about. Or, without that header, a session. */
export type Presented = string | PresentedWithProof | PresentedSession;

/** Of a cookie: 256 bits in base64url. */
export interface PresentedSession {
  readonly session: string;
}

/** One object for one request: its proof counts once, however often the request is asked who sends it. */
export interface PresentedWithProof {
  readonly authorization: string;
  /** The DPoP header's value. `null` = not sent. */
  readonly proof: string | null;
  readonly method: string;
  /** Of the request's URL, without its query. */
  readonly path: string;
}

/** What a proof may be signed with. */
export const proofAlgorithms = ["ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"] as const;

export function isProven(credential: Presented | null): credential is PresentedWithProof {
  return credential !== null && typeof credential === "object" && "proof" in credential;
}

export function isSession(credential: Presented | null): credential is PresentedSession {
  return credential !== null && typeof credential === "object" && "session" in credential;
}
