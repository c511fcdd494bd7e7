export { bodyOf, type ErrorKind, errorIn, type RecordInBody, recordsIn, textAt } from "./body.ts";
export {
  type Authentication,
  type Carriage,
  type Connector,
  type ConnectorRoute,
  type ConnectorWrite,
  idIn,
  parseConnectorText,
  type Query,
  routeOf,
  tokenHeaders,
  type WriteMethod,
  writeMethods,
  writeOf,
} from "./connector.ts";
export { type Condition, takesValue } from "./criterion.ts";
export { type Draft, draftConnector, type Sample } from "./draft.ts";
export { type ConnectorDocument, fieldsOf, parseConnector, settle } from "./language.ts";
export { linksIn, type PageLink, withCursors } from "./pages.ts";
export { type Question, readQuestion } from "./question.ts";
export { readWrite, type WrittenBody, type WrittenField } from "./write.ts";
