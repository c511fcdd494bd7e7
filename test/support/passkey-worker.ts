/** Asks workerd what our ceremony asks of a passkey, and reads what it signed: a script that holds that and nothing else. */
import { fromBase64Url, toBase64Url } from "../../src/crypto/index.ts";
import { type Ceremony, createCeremony, type Passkey } from "../../src/passkeys/index.ts";

interface Asked {
  readonly origin: string;
  readonly made?: object;
  readonly signed?: object;
  /** Base64url. */
  readonly known?: { readonly id: string; readonly publicKey: string; readonly counter: number };
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { origin, made, signed, known } = (await request.json()) as Asked;
    const ceremony = createCeremony(origin);
    const passkey = known && { id: fromBase64Url(known.id), publicKey: fromBase64Url(known.publicKey), counter: known.counter };
    if (made) {
      const read = await ceremony.readNew(made as Parameters<Ceremony["readNew"]>[0]);
      return Response.json(read && { id: toBase64Url(read.id), publicKey: toBase64Url(read.publicKey), counter: read.counter });
    }
    if (signed && passkey) {
      const read = await ceremony.readKnown(signed as Parameters<Ceremony["readKnown"]>[0], passkey as Passkey);
      return Response.json(read && { counter: read.counter });
    }
    return Response.json((passkey ? await ceremony.askKnown([passkey as Passkey]) : await ceremony.askNew("olga", [])).options);
  },
};
