export { bodyOf, type RecordInBody, recordsIn, saysError, textAt } from "./body.ts";
export {
  type ApiConnector,
  type Carriage,
  type Connector,
  type ConnectorRoute,
  type DatabaseConnector,
  fieldOf,
  idIn,
  isPathOf,
  type Parameter,
  parseConnectorText,
  type Relation,
  routeOf,
  takesValue,
  tokenHeaders,
} from "./connector.ts";
export { type ConnectorDocument, settle } from "./language.ts";
export { parseConnector } from "./read.ts";
export { type IsReadable, type Statement, statementFor } from "./statement.ts";
