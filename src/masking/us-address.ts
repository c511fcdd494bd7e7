/**
 * How far a US address written as one text may be shown: city, state, ZIP3. The state has to be certain, and nothing that reads like a street passes for a city.
 */

/** Names as lists of at most one. */
export interface WesternPlace {
  readonly city: readonly string[];
  readonly state: readonly string[];
  readonly zip3: string | undefined;
  readonly country: readonly string[];
}

export const usNames = new Set(["usa", "us", "u.s.", "u.s.a.", "united states", "united states of america"]);

const stateNames =
  "Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Georgia Hawaii Idaho Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota Mississippi Missouri Montana Nebraska Nevada New_Hampshire New_Jersey New_Mexico New_York North_Carolina North_Dakota Ohio Oklahoma Oregon Pennsylvania Rhode_Island South_Carolina South_Dakota Tennessee Texas Utah Vermont Virginia Washington West_Virginia Wisconsin Wyoming";
const stateCodes =
  "AL AK AZ AR CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UT VA VT WA WI WV WY";
const states = new Set(`${stateNames} ${stateCodes}`.toLowerCase().split(" "));
/** Four digits are a ZIP that lost its 0. */
const zipEnding = /[\s,;](?:([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?|[0-9]{4})$/;

/** `null` = neither a state and a comma nor a ZIP stand at its end. */
export function placeInUsText(text: string): WesternPlace | null {
  const pieces = text.split(/[,;]/).map((piece) => piece.trim());
  if (usNames.has((pieces.at(-1) ?? "").toLowerCase())) pieces.pop();
  const address = pieces.join(",");
  const zip = zipEnding.exec(address);
  const beforeZip = zip === null ? address : address.slice(0, zip.index + 1);
  const state = stateAtEnd(trimEnd(beforeZip));
  if (state === null && zip === null) return null;
  const before = state?.before ?? beforeZip;
  const piece = trimEnd(before).split(",").at(-1) ?? "";
  // What commas separate may be a city as a whole; of the rest only what a street's or a unit's word ends.
  const whole = before.endsWith(",") ? place(piece) : [];
  if (state === null ? whole.length === 0 : zip === null && !before.endsWith(",")) return null;
  const city = whole.length > 0 || state === null ? whole : place(cityBehindStreet(piece));
  return { city, state: state === null ? [] : [state.name], zip3: zip?.[1], country: [] };
}

function trimEnd(text: string): string {
  return text.replace(/[\s,]$/, "").trimEnd();
}

/** The longest state's name at the end, and what stands before it with its comma. */
function stateAtEnd(text: string): { readonly before: string; readonly name: string } | null {
  const words = text.slice(text.lastIndexOf(",") + 1).split(" ");
  for (const count of [2, 1]) {
    const name = words.slice(-count).join(" ");
    const before = text.slice(0, text.length - name.length);
    if (words.length >= count && states.has(name.toLowerCase().replace(" ", "_"))) return { before, name };
  }
  return null;
}

const placePattern = /^\p{L}[\p{L}\p{M} .'’-]{1,39}$/u;
const streetTypes =
  "street stree road avenue drive lane boulevard court place square circle trail plaza highway parkway terrace way loop pike route center centre broadway st rd ave av ln dr blvd ct pl sq cir trl plz hwy pkwy ter rte";
const units = "suite ste apartment apt floor flr fl house unit building bldg box room rm pob lot #";
const directions = "n s e w ne nw se sw north south east west northeast northwest southeast southwest";
const streetWord = words(`${streetTypes} ${units}`.replace(" center centre broadway", "").replace(" #", ""));
const behindWhich = new Set(`${streetTypes} ${units}`.split(" "));
const unitWords = new Set(units.split(" "));
const directionWords = new Set(directions.split(" "));

function words(list: string): RegExp {
  return new RegExp(`\\b(?:${list.replaceAll(" ", "|")})\\b`, "i");
}

/** The name of a city, state or country, as a list of one; empty where it reads like something else. */
export function place(text: string | undefined): string[] {
  if (text === undefined || !placePattern.test(text)) return [];
  // FL is a floor, and a state.
  if (text.length === 2) return [text];
  return streetWord.test(text.replace(/^(?:St|Ft|Mt)\.? /, "")) ? [] : [text];
}

/** `14424 Wentworth Avenue Riverdale` → `Riverdale`: what follows the last word of a street or a unit. `Main Oak Park` has none, so nothing is certain. */
function cityBehindStreet(piece: string): string | undefined {
  const tokens = piece.split(" ");
  const plain = tokens.map((token) => token.toLowerCase().replaceAll(".", ""));
  let cut = plain.findLastIndex((token, index) => index > 0 && behindWhich.has(token));
  if (cut === -1) return undefined;
  const isUnit = unitWords.has(plain[cut] ?? "");
  if (isUnit || directionWords.has(plain[cut + 1] ?? "")) cut++;
  const city = tokens.slice(cut + 1);
  return city.length > 0 && city.length < 4 && city.every((word) => word.length > 2) ? city.join(" ") : undefined;
}
