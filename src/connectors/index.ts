export { bodyOf, type RecordInBody, recordsIn, saysError, textAt } from "./body.ts";
export {
  type Carriage,
  type Connector,
  type ConnectorRoute,
  type Parameter,
  parseConnectorText,
  routeOf,
  takesValue,
  tokenHeaders,
} from "./connector.ts";
export { type ConnectorDocument, fieldOf, parseConnector, settle } from "./language.ts";
