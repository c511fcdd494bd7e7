export { bodyOf, type ErrorKind, errorIn, type RecordInBody, recordsIn, textAt } from "./body.ts";
export {
  type Authentication,
  type Carriage,
  type Connector,
  type ConnectorRoute,
  idIn,
  parseConnectorText,
  type Query,
  routeOf,
  tokenHeaders,
  writeOf,
} from "./connector.ts";
export { type Condition, takesValue } from "./criterion.ts";
export { type Draft, draftConnector, type Sample } from "./draft.ts";
export { type ConnectorDocument, fieldsOf, parseConnector, settle } from "./language.ts";
export { linksIn, type PageLink, withCursors } from "./pages.ts";
export { type Question, readQuestion } from "./question.ts";
export { type ConnectorWrite, readWrite, type WriteMethod, type WrittenBody, type WrittenField, writeMethods } from "./write.ts";
