/**
 * A wire that a test can damage: a TCP proxy on the loopback, between a gateway and its Postgres or a client and a gateway.
 * What was lost on a connection stays lost: after `pass` the damaged connections stay as they are, and new ones are whole.
 */
import { connect, createServer, type Socket } from "node:net";
import { pause } from "./until.ts";

export interface TcpProxy {
  readonly port: number;
  /** From now on new connections are whole, and nothing is held up. */
  pass(): void;
  /** Everything arrives later by so much, and by up to `jitterMs` more, in its order, in both directions, on present and new connections. */
  delay(ms: number, jitterMs?: number): void;
  /** A wire without an end: present and new connections stay open and nothing arrives any more, in either direction. Both ends still believe in them. */
  blackHole(): void;
  /** The far end is gone and nobody said so: the server's sides are closed, the clients' stay open and silent. New connections as well. */
  halfOpen(): void;
  /** RST to every client, and to each that comes until `pass`; the server's sides are closed. */
  reset(): void;
  /** RST to every client of now, as when a router restarts; new connections are whole. */
  cut(): void;
  /** The same, and nobody listens any more until `pass`. */
  refuse(): Promise<void>;
  /** Where new connections lead from now on, as when a name comes to mean another server. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

type Mode = "pass" | "blackHole" | "halfOpen" | "reset";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  dead: boolean;
}

/** Listens on a free port and passes on to `port` of the loopback. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let far = port;
  let mode: Mode = "pass";
  let [delayMs, jitterMs] = [0, 0];

  const relay = (pair: Pair, from: Socket, to: Socket) => {
    let [arrived, onTheWay] = [Promise.resolve(), 0];
    const arrive = (chunk: Buffer) => {
      if (!pair.dead && !to.destroyed) to.write(chunk);
    };
    from.on("data", (chunk: Buffer) => {
      if (delayMs === 0 && onTheWay === 0) {
        arrive(chunk);
        return;
      }
      onTheWay++;
      const late = pause(delayMs + Math.random() * jitterMs);
      arrived = Promise.all([late, arrived]).then(() => {
        onTheWay--;
        arrive(chunk);
      });
    });
    from.on("error", () => from.destroy());
    from.on("close", () => {
      // A half-open or swallowed connection does not tell its other end.
      if (pair.dead && to === pair.client) return;
      if (delayMs === 0) to.destroy();
      else setTimeout(() => to.destroy(), delayMs);
      if (to === pair.server) pairs.delete(pair);
    });
  };

  const damage: Record<Mode, (pair: Pair) => void> = {
    pass: () => {},
    blackHole: (pair) => {
      pair.dead = true;
    },
    halfOpen: (pair) => {
      pair.dead = true;
      pair.server.destroy();
    },
    reset: (pair) => {
      pair.dead = true;
      pair.server.destroy();
      pair.client.resetAndDestroy();
    },
  };

  const listener = createServer({ noDelay: true }, (client) => {
    const pair: Pair = { client, server: connect({ port: far, host: "127.0.0.1", noDelay: true }), dead: false };
    pairs.add(pair);
    relay(pair, client, pair.server);
    relay(pair, pair.server, client);
    damage[mode](pair);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  const enter = (next: Mode) => {
    mode = next;
    [delayMs, jitterMs] = [0, 0];
    for (const pair of pairs) damage[mode](pair);
  };
  const cut = () => {
    enter("reset");
    mode = "pass";
  };
  return {
    port: address.port,
    pass() {
      if (!listener.listening) listener.listen(address.port, "127.0.0.1");
      enter("pass");
    },
    delay(ms, more = 0) {
      enter("pass");
      [delayMs, jitterMs] = [ms, more];
    },
    blackHole: () => enter("blackHole"),
    halfOpen: () => enter("halfOpen"),
    reset: () => enter("reset"),
    cut,
    async refuse() {
      const closed = new Promise((resolve) => listener.close(resolve));
      cut();
      await closed;
    },
    leadTo(other) {
      far = other;
    },
    async close() {
      // Of one that does not listen it says so, and that is all.
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      await closed;
    },
  };
}
