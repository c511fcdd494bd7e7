/**
 * Merchants' databases by Node's own sockets: a few connections each, over TLS whose certificate is checked against the host's name, to an address that is
 * public and stays the one that was looked at. Sessions read only and end their statements themselves. What nobody asks is closed after a minute.
 */
import type { DatabaseConnector } from "../connectors/index.ts";
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import type { Database } from "../storage/index.ts";
import type { DatabaseReach, MerchantDatabase } from "./database.ts";
import { type Examined, examine } from "./examination.ts";
import { type AddressRules, publicAddressOf } from "./node-address.ts";

/** As `storage/postgres.ts` opens one: that file alone knows the driver. */
export type OpenDatabase = (options: {
  readonly url: string;
  readonly poolSize: number;
  readonly deadlineMs: number;
  readonly queueMax: number;
  readonly answerBytesMax: number;
  readonly session: Readonly<Record<string, string>>;
  readonly tls: { readonly ca?: string } | null;
  readonly addressOf: (host: string) => Promise<string>;
}) => Database;

export interface NodeDatabaseReachOptions extends AddressRules {
  readonly open: OpenDatabase;
  /** In tests: a server that has no certificate. */
  readonly insecureClear?: boolean;
}

const connectionsMax = 8;
const waitingMax = 64;
const idleMs = 60_000;
const examinedMs = 60_000;
/** As many answers as may be under way on one connection, and what the protocol says around them. */
const answersMax = 8;
const aroundBytesMax = 65_536;
/** The server's own deadline comes behind ours: whoever waits is told that it was late. Ours for the connection comes last. */
const graceMs = { server: 250, connection: 1_000 };

interface Kept {
  readonly merchant: MerchantDatabase;
  readonly idle: NodeJS.Timeout;
}

export function createNodeDatabaseReach({ open, insecureClear = false, ...rules }: NodeDatabaseReachOptions): DatabaseReach {
  const kept = new Map<string, Kept>();
  return (connector, credential) => {
    const key = toHex(sha256(utf8(JSON.stringify([connector, credential]))));
    const standing = kept.get(key);
    if (standing) {
      standing.idle.refresh();
      return standing.merchant;
    }
    const { seconds, bytes } = connector.limits;
    const database = open({
      url: urlOf(connector, credential),
      ...{ poolSize: connectionsMax, queueMax: waitingMax, deadlineMs: seconds * 1_000 + graceMs.connection },
      answerBytesMax: answersMax * (bytes + aroundBytesMax),
      session: sessionOf(seconds),
      tls: insecureClear ? null : { ...(connector.ca !== undefined && { ca: connector.ca }) },
      addressOf: async (host) => (await publicAddressOf(host, rules)).address,
    });
    const idle = setTimeout(() => {
      kept.delete(key);
      database.close().catch(() => {});
    }, idleMs).unref();
    const merchant = { query: database.query, examined: freshly(() => examine(database, connector)) };
    kept.set(key, { merchant, idle });
    return merchant;
  };
}

function urlOf({ host, port, database }: DatabaseConnector, credential: string): string {
  const at = credential.indexOf(":");
  const [user, password] = [credential.slice(0, at), credential.slice(at + 1)];
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

/** Names are of the database's own, so that none of the merchant's stands in an operator's or a type's place; times are UTC. */
function sessionOf(seconds: number): Readonly<Record<string, string>> {
  return {
    default_transaction_read_only: "on",
    statement_timeout: String(seconds * 1_000 + graceMs.server),
    search_path: "pg_catalog",
    TimeZone: "UTC",
  };
}

/** One that found powers is not kept: whoever takes them away need not wait. */
function freshly(look: () => Promise<Examined>): () => Promise<Examined> {
  let last: { readonly at: number; readonly found: Promise<Examined> } | null = null;
  return () => {
    if (last && performance.now() - last.at < examinedMs) return last.found;
    const found = look();
    const begun = { at: performance.now(), found };
    last = begun;
    const forget = () => {
      if (last === begun) last = null;
    };
    found.then(({ powers }) => powers.length > 0 && forget(), forget);
    return found;
  };
}
