/**
 * A witness on Cloudflare Workers: one Durable Object holds the heads that it has cosigned, and every request goes to it. Needs no database.
 * Trusted with the witness's key: whoever holds this script cosigns what they like in its name. Deploy it from an account that is not the gateway's.
 */
import type { DurableObjectState } from "@cloudflare/workers-types";
import { addCheckpointBytesMax, createWitness, type NoteKey, parseVkey, type Witness, type WitnessStore } from "./audit/index.ts";
import { createSigner, fromBase64, fromUtf8, toBase64, verifySignature } from "./crypto/index.ts";

interface Environment {
  /** A URL without its scheme. */
  readonly WITNESS_NAME: string;
  /** 32 bytes in base64. */
  readonly WITNESS_KEY: string;
  /** Verifier keys of the logs that it watches, one a line. */
  readonly WITNESS_LOGS: string;
  readonly HEADS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } };
}

export default {
  fetch(request: Request, { HEADS: heads }: Environment): Promise<Response> {
    return heads.get(heads.idFromName("heads")).fetch(request);
  },
};

export class WitnessHeads {
  readonly #state: DurableObjectState;
  readonly #environment: Environment;
  #witness: Promise<Witness> | null = null;

  constructor(state: DurableObjectState, environment: Environment) {
    this.#state = state;
    this.#environment = environment;
  }

  async fetch(request: Request): Promise<Response> {
    if (!new URL(request.url).pathname.endsWith("/add-checkpoint")) return new Response("not found\n", { status: 404 });
    if (request.method !== "POST") return new Response("POST\n", { status: 405, headers: { allow: "POST" } });
    // Cloudflare itself bounds a request's body; what is longer than any that counts is read and refused.
    const body = new Uint8Array(await request.arrayBuffer());
    if (body.length > addCheckpointBytesMax) return new Response("too long\n", { status: 413 });
    const text = textOf(body);
    if (text === null) return new Response("not UTF-8\n", { status: 400 });
    this.#witness ??= openWitness(this.#environment, createObjectStore(this.#state));
    const answer = await (await this.#witness).addCheckpoint(text);
    return new Response(answer.body, { status: answer.status, headers: { "content-type": answer.media } });
  }
}

/** Throws where the script is not set up: it then answers nothing. */
async function openWitness(environment: Environment, store: WitnessStore): Promise<Witness> {
  const signer = await createSigner(fromBase64(environment.WITNESS_KEY));
  return createWitness({
    name: environment.WITNESS_NAME,
    signer,
    logs: logsOf(environment.WITNESS_LOGS),
    store,
    now: Date.now,
    verifySignature,
  });
}

function logsOf(text: string): NoteKey[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const key = parseVkey(line);
      if (key === null) throw new Error("WITNESS_LOGS: a line is not the verifier key of a log");
      return key;
    });
}

interface StoredHead {
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/** A transaction of the object sees no other's writes between its reading and its writing; `sync` resolves once they are on disk. */
function createObjectStore({ storage }: DurableObjectState): WitnessStore {
  return {
    async read(origin) {
      const head = await storage.get<StoredHead>(origin);
      return head ? { size: head.size, root: fromBase64(head.root) } : null;
    },
    async replace(origin, seen, { size, root }) {
      const replaced = await storage.transaction(async (stored) => {
        const head = await stored.get<StoredHead>(origin);
        if ((head?.size ?? 0) !== seen) return false;
        await stored.put<StoredHead>(origin, { size, root: toBase64(root) });
        return true;
      });
      await storage.sync();
      return replaced;
    },
  };
}

function textOf(body: Uint8Array): string | null {
  try {
    return fromUtf8(body);
  } catch {
    return null;
  }
}
