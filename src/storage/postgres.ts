/**
 * Postgres by URL, on Node and in workerd. The only file that knows postgres.js, and it carries the cures for what it does when a server dies:
 * - Each connection is a client of its own (`max: 1`) that is never used again once its socket broke. postgres.js would reconnect it with the
 *   unsent bytes of the old session in front, or write to a socket that is gone and end the process (measured: 3.4.9, 3 of 3 under load).
 * - It waits for ever: a statement has a deadline, after which its socket is destroyed (`connection.ts`).
 * - Its queue only shrinks when it runs empty: ours is in front, bounded, first in, first out (`pool.ts`).
 * - It guesses parameter types from JavaScript's: every parameter goes as text of the type that the server inferred (`wire.ts`).
 * The only state it leaves in a session are its named statements, which Hyperdrive and PgBouncer from 1.21 on carry from one server connection to the
 * next. Behind an older pooler in transaction mode the URL says `?prepare=false`, and there are none.
 */
import postgres from "postgres";
import { type Connect, type Connection, NoAnswer, runByDeadline } from "./connection.ts";
import { type Database, DatabaseError, DatabaseUnavailable, type Param, type Queryable, type Row } from "./database.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { guardTransaction } from "./transaction.ts";
import { byteaType, bytesFromWire, textTypes, wireText } from "./wire.ts";

export interface PostgresOptions extends PoolOptions {
  readonly url: string;
  readonly applicationName?: string;
  /** Settings that a session begins with, by name. */
  readonly session?: Readonly<Record<string, string>>;
  /** Whose certificates are taken: of `ca` (PEM), or of those that everybody knows; with it the URL's `sslmode` says nothing. */
  readonly tls?: { readonly ca?: string } | null;
  /** On Node: the address to go to for a host, whose name the certificate has all the same. */
  readonly addressOf?: (host: string) => Promise<string>;
  /** On Node: whoever sends more than this before an answer is whole is no longer listened to. The driver would keep it all. */
  readonly answerBytesMax?: number;
}

/** Opens no connection yet: the first statement does. */
export function openPostgres(options: PostgresOptions): Database {
  const pool = new Pool(connector(options), options);
  return {
    query: (text, params = []) => pool.run(text, params),
    script: async (text) => {
      await pool.run(text, [], true);
    },
    async transaction(work) {
      const lane = await pool.hold();
      try {
        return await transact(lane.connection, options.deadlineMs, work);
      } finally {
        pool.release(lane);
      }
    },
    close: () => pool.close(),
  };
}

async function transact<Value>(connection: Connection, deadlineMs: number, work: (tx: Queryable) => Promise<Value>): Promise<Value> {
  const run = (text: string, params: readonly Param[] = []) => runByDeadline(connection, deadlineMs, text, params);
  await run("begin");
  let value: Value;
  try {
    value = await guardTransaction(run).run(work);
  } catch (error) {
    // A connection that cannot roll back is dropped: the server then rolls back by itself.
    await run("rollback").catch(() => connection.drop());
    throw error;
  }
  await run("commit");
  return value;
}

/** In workerd a broken client may have opened a connection that nobody uses. */
const idleInWorkerdSeconds = 20;

const asText = (text: string) => text;
const types = {
  text: { to: 25, from: [...textTypes], serialize: asText, parse: asText },
  bool: { to: 16, from: [16], serialize: asText, parse: (text: string) => text === "t" },
  bytea: { to: byteaType, from: [byteaType], serialize: asText, parse: bytesFromWire },
};

/** Named statements, unless the URL wants none; `simple: false` also for those without parameters. */
const prepared = { prepare: true, simple: false };

function connector(options: PostgresOptions): Connect {
  return async (lost) => {
    const socket = ownSocket(options.addressOf);
    let broken = false;
    const sql = postgres(options.url, {
      max: 1,
      fetch_types: false,
      prepare: URL.parse(options.url)?.searchParams.get("prepare") !== "false",
      max_lifetime: null,
      ...(socket ? {} : { idle_timeout: idleInWorkerdSeconds }),
      connect_timeout: options.deadlineMs / 1000,
      types,
      connection: { application_name: options.applicationName ?? "postern", ...options.session },
      ...(options.tls && { ssl: { ...options.tls, rejectUnauthorized: true } }),
      onnotice: () => {},
      onclose: () => {
        drop();
        lost();
      },
      ...socket?.option,
    });
    const drop = () => {
      broken = true;
      // Also rejects what the client holds back and would send over a new connection. It says goodbye, over TLS on a socket of its own on top of ours: were
      // ours gone by then, that would fail where nobody listens any more, and end the process.
      sql.end({ timeout: 0 }).then(socket?.destroy, socket?.destroy);
    };
    const refuse = (error: unknown): never => {
      const known = translated(error, options);
      const isSuperseded = error instanceof postgres.PostgresError && error.code === readOnlyState;
      if (known instanceof DatabaseUnavailable && (known.uncertain || isSuperseded)) drop();
      throw known;
    };
    const connection: Connection = {
      run(text, params, simple = false) {
        if (broken) return Promise.reject(new DatabaseUnavailable("the connection was lost", false));
        const answer: Promise<Row[]> = simple
          ? sql.unsafe(text).then(() => [], refuse)
          : sql.unsafe<Row[]>(text, params.map(wireText), prepared).values().then(undefined, refuse);
        const most = options.answerBytesMax;
        return socket && most !== undefined ? bounded(answer, socket, most, drop) : answer;
      },
      isLost: () => broken,
      drop,
      end: () => sql.end({ timeout: options.deadlineMs / 1000 }),
    };
    await greet(connection, options.deadlineMs);
    return connection;
  };
}

/** Whatever fails before the first answer, no statement of a caller was sent. Asks for the clock, so that the server answers and no cache before it. */
async function greet(connection: Connection, deadlineMs: number): Promise<void> {
  try {
    await runByDeadline(connection, deadlineMs, "select now()", [], true);
  } catch (error) {
    connection.drop();
    if (error instanceof NoAnswer) throw new NoAnswer(false);
    if (!(error instanceof DatabaseError)) throw new DatabaseUnavailable("the database cannot be reached", false);
    const reason = connectionRefusals[error.sqlState] ?? "the database refused the connection";
    throw new DatabaseUnavailable(`${reason} (SQLSTATE ${error.sqlState})`, false);
  }
}

const connectionRefusals: Readonly<Record<string, string>> = {
  "28000": "the database server does not let this role in",
  "28P01": "the database server does not take this role's password",
  "3D000": "the database server has no database of this name",
};

const lookEveryMs = 10;

/** What came before, for statements in front of this one, counts as well. */
function bounded<Value>(answer: Promise<Value>, socket: OwnSocket, bytesMax: number, drop: () => void): Promise<Value> {
  const from = socket.bytesRead();
  const look = setInterval(() => {
    if (socket.bytesRead() - from > bytesMax) drop();
  }, lookEveryMs);
  return answer.finally(() => clearInterval(look));
}

interface OwnSocket {
  readonly option: {
    socket(options: { readonly host: readonly string[]; readonly port: readonly number[]; readonly path?: string | false }): unknown;
  };
  /** Off the wire. */
  bytesRead(): number;
  destroy(): void;
}

/**
 * On Node the socket is made here, so that it can be destroyed: postgres.js only ever says goodbye, which a stopped server never answers.
 * One socket a client: a second attempt of the driver's own to connect finds none. In workerd (`null`) sockets end with their request.
 */
function ownSocket(addressOf: PostgresOptions["addressOf"]): OwnSocket | null {
  if (navigator.userAgent === "Cloudflare-Workers") return null;
  const net = process.getBuiltinModule("node:net");
  const socket = new net.Socket();
  let used = false;
  // The driver listens once it is given the socket: what fails at once, as where no descriptor is left, would be heard by nobody and end the process.
  const begun = (connect: () => void) =>
    new Promise<typeof socket>((resolve, reject) => {
      socket.once("error", reject);
      connect();
      setImmediate(() => resolve(socket));
    });
  return {
    option: {
      async socket({ host: [host = "localhost"], port: [port = 5432], path }) {
        if (used) throw new DatabaseUnavailable("the connection was lost", false);
        used = true;
        socket.setNoDelay(true);
        if (path) return begun(() => socket.connect(path));
        const address = addressOf ? await addressOf(host) : host;
        // Given up meanwhile: a destroyed socket would connect all the same.
        if (socket.destroyed) throw new DatabaseUnavailable("the connection was lost", false);
        // The driver takes the name for the server's certificate from the socket.
        return Object.assign(await begun(() => socket.connect(port, address)), { host, port });
      },
    },
    bytesRead: () => socket.bytesRead,
    destroy: () => {
      socket.destroy();
    },
  };
}

/** Server errors after which it is unknown whether the statement was carried out: the session was ended from outside. */
const uncertainStates = new Set(["57P01", "57P02", "57P05", "25P03"]);
/** The server had no resources, ran into its own timeout, is not ready, takes no writes, or let another transaction go first: nothing was carried out. */
const unavailableStates = /^(53|57014|57P03|58|25006|40001|40P01)/;
/** A server that takes no writes, as after a failover: its successor is found by connecting anew. */
const readOnlyState = "25006";

/** By its own wish: what it is refused for is then no fault of the server's. */
function readsOnly({ session }: PostgresOptions): boolean {
  return session?.default_transaction_read_only === "on";
}

/** postgres.js' errors carry the statement and its parameters; ours do not. */
function translated(error: unknown, options: PostgresOptions): DatabaseError | DatabaseUnavailable {
  if (error instanceof DatabaseUnavailable) return error;
  if (error instanceof postgres.PostgresError) {
    if (error.code === readOnlyState && readsOnly(options)) return new DatabaseError(error.code, null);
    if (uncertainStates.has(error.code)) return new DatabaseUnavailable("the connection was ended by the server", true);
    if (unavailableStates.test(error.code)) return new DatabaseUnavailable(`the database is not able now, SQLSTATE ${error.code}`, false);
    return new DatabaseError(error.code, error.constraint_name ?? null);
  }
  return new DatabaseUnavailable("the connection was lost", true);
}
