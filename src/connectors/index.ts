export { bodyOf, type ErrorKind, errorIn, type RecordInBody, recordsIn, textAt } from "./body.ts";
export {
  type ApiConnector,
  type Authentication,
  type Carriage,
  type Connector,
  type ConnectorRoute,
  type ConnectorWrite,
  type DatabaseConnector,
  idIn,
  isPathOf,
  parseConnectorText,
  type Query,
  type Relation,
  routeOf,
  tokenHeaders,
  type WriteMethod,
  writeOf,
  writesOf,
} from "./connector.ts";
export { type Condition, takesValue } from "./criterion.ts";
export { type Draft, draftConnector, type Sample } from "./draft.ts";
export { type ConnectorDocument, fieldsOf, settle } from "./language.ts";
export { linksIn, type PageLink, withCursors } from "./pages.ts";
export { type Question, readQuestion } from "./question.ts";
export { parseConnector } from "./read.ts";
export { type IsReadable, statementFor } from "./statement.ts";
export { readWrite, type WrittenBody, type WrittenField } from "./write.ts";
