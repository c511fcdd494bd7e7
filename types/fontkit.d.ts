/** The one function that is used of a package without types: pdf-lib is handed it, and says what it must be. */
declare module "fontkit" {
  type Fontkit = Parameters<import("@cantoo/pdf-lib").PDFDocument["registerFontkit"]>[0];
  export const create: Fontkit["create"];
}
