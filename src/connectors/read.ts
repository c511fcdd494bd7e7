/** A connector's file, of either kind. */
import type { Result } from "../kernel/index.ts";
import { type Problem, readYaml } from "../policy/index.ts";
import { readDatabaseConnector } from "./database-language.ts";
import { type ConnectorDocument, readApiConnector } from "./language.ts";

export function parseConnector(textOfFile: string, file: string): Result<ConnectorDocument, Problem[]> {
  const read = readYaml(textOfFile, file);
  if (!read.ok) return read;
  const { value } = read.value;
  const isDatabase = typeof value === "object" && value !== null && "postgres" in value;
  return isDatabase ? readDatabaseConnector(read.value) : readApiConnector(read.value);
}
