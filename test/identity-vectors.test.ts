/** Wycheproof's JOSE vectors at the front door. Theirs are no access tokens; the signature step is asked alone, on every runtime, in wycheproof.test.ts. */
import { describe, expect, it } from "vitest";
import { createIdentity } from "../src/identity/index.ts";
import { hasShared, readShared } from "./support/shared.ts";
import { audience, createSmith, noon } from "./support/tokens.ts";

const folder = "vectors/wycheproof/testvectors_v1/";

interface Group {
  readonly tests: readonly { readonly tcId: number; readonly jws?: unknown; readonly jwe?: unknown }[];
}

describe.skipIf(!hasShared(folder))("Wycheproof's JOSE vectors", () => {
  it.each([
    ["signature", 401],
    ["encryption", 139],
    ["key", 26],
    ["crypto", 83],
  ])("%s: none of the %i is an access token", async (file, count) => {
    const smith = await createSmith();
    const identity = createIdentity({ issuers: [smith.profile], audience, now: () => noon });
    const { testGroups } = JSON.parse(readShared(`${folder}json_web_${file}_test.json`)) as { testGroups: Group[] };
    const all = testGroups.flatMap(({ tests }) => tests);
    expect(all).toHaveLength(count);
    for (const { tcId, jws, jwe } of all) {
      const text = jws ?? jwe ?? "";
      const authorization = `Bearer ${typeof text === "string" ? text : JSON.stringify(text)}`;
      expect(await identity.identify(authorization), `${tcId}`).toMatchObject({ ok: false, refusal: "token_malformed" });
    }
  });
});
