/**
 * Connectors as they are registered at contracts. Each question's load says which row it is; that row is read, its credential opened and its text parsed once,
 * and kept with the contract's keys: what those opened is gone with them.
 */
import { type Connector, parseConnectorText } from "../connectors/index.ts";
import type { Aead } from "../crypto/index.ts";
import type { ContractKeys } from "../keys/index.ts";
import type { Queryable } from "../storage/index.ts";
import { openCredential } from "./credential.ts";
import type { GatePlace } from "./gates.ts";
import { selectConnector } from "./postgres.ts";

export interface Registered {
  readonly connector: Connector;
  readonly credential: string;
  readonly place: GatePlace;
}

export interface Connectors {
  /** `version`: as the question's load has it. `null` = none of that name, or somebody changed it where it lies. */
  connectorOf(deps: ConnectorDeps, keys: ContractKeys, name: string, version: string): Promise<Registered | null>;
}

export interface ConnectorDeps {
  readonly database: Queryable;
  readonly aead: Aead;
}

interface Known {
  readonly version: string;
  readonly registered: Registered;
}

export function createConnectors(): Connectors {
  const known = new WeakMap<ContractKeys, Map<string, Known>>();
  return {
    async connectorOf(deps, keys, name, version) {
      const own = known.get(keys) ?? new Map<string, Known>();
      const standing = own.get(name);
      if (standing?.version === version) return standing.registered;
      const read = await readRegistered(deps, keys, name);
      if (read) known.set(keys, own.set(name, read));
      return read?.registered ?? null;
    },
  };
}

async function readRegistered({ database, aead }: ConnectorDeps, { contract, locator }: ContractKeys, name: string): Promise<Known | null> {
  const stored = await selectConnector(database, contract, name);
  if (!stored) return null;
  const { version, compiled } = stored;
  const credential = openCredential(aead, locator, { contract, name, compiled }, stored.credential);
  if (credential === null) return null;
  return {
    version,
    registered: { connector: parseConnectorText(compiled), credential, place: { contract, name, credential: stored.credential } },
  };
}
