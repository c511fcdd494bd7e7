/** Asks workerd: a script that holds our functions and nothing else. */
import { portableAead } from "../../src/crypto/index.ts";
import { answersBy, type Primitive, type Vectors } from "./wycheproof.ts";

const askAll = answersBy(portableAead);

export default {
  async fetch(request: Request): Promise<Response> {
    const { primitive, vectors } = (await request.json()) as { primitive: Primitive; vectors: Vectors[Primitive][] };
    return Response.json(await askAll(primitive, vectors));
  },
};
