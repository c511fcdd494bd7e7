/**
 * An officer takes a copy of what was found, as a file for another system:  ask → wait until this reading is in the tree → cut there → stream.
 * And what says what the file is:  ask → read the same again, up to the file's length → sign its digest.
 * Nothing is kept between the two. Entries never change, so the same question gives the same bytes, and a file that broke off goes on where it ended.
 * A copy proves nothing by itself; the bundle does.
 */
import { emptyLogRow, type SearchFilter, searchEntries, selectCheckpointFrom, selectLog } from "../audit/index.ts";
import type { CopyFormat, CopyFormats } from "../copies/index.ts";
import { concat, createSha256, type Signer, signJws, toBase64, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson, ok, type Refusal, type Result } from "../kernel/index.ts";
import type { Visit } from "../offices/index.ts";
import { type Asked, askLog, type Filter, refuseQuery } from "./ask.ts";
import { type ExportDesk, hasPlace, logOfExport } from "./export.ts";
import { type ExportManifest, exportManifestForm, exportManifestTyp } from "./manifest.ts";
import { readListed } from "./read.ts";

const pageEntries = 500;

export interface SaveDesk extends ExportDesk {
  readonly formats: CopyFormats;
  readonly manifestSigner: Signer;
}

export interface SaveQuestion {
  readonly format: keyof CopyFormats;
  readonly filter: Filter;
  readonly cursor: string | undefined;
}

export interface Saved {
  readonly format: CopyFormat;
  /** Names this copy: the manifest is asked for by it. */
  readonly cursor: string;
  readonly body: ReadableStream<Uint8Array>;
}

export async function saveEntries(desk: SaveDesk, visit: Visit, id: ContractId, question: SaveQuestion): Promise<Result<Saved, Refusal>> {
  const asked = await askToSave(desk, visit, id, question);
  if (!asked.ok) return asked;
  const { places, log, flush, cursorAt } = asked.value;
  if (places === null && log.log === id) await hasPlace(desk, id, flush);
  const [size = (await rowOf(desk, id)).size, from = 0] = places ?? [];
  const format = desk.formats[question.format];
  const records = recordsOf(desk, asked.value, { format, size, from });
  return ok({ format, cursor: cursorAt(size, from), body: streamOf(records) });
}

/** The manifest as a compact JWS: which entries the first `bytes` of the copy are, their digest, and where to go on if they are not all. */
export async function describeSaved(
  desk: SaveDesk,
  visit: Visit,
  id: ContractId,
  question: SaveQuestion & { readonly bytes: number },
): Promise<Result<string, Refusal>> {
  const asked = await askToSave(desk, visit, id, question, "manifest");
  if (!asked.ok) return asked;
  const { places, cursorAt, search } = asked.value;
  if (places === null) return refuseQuery("cursor");
  const [size = 0, from = 0] = places;
  const records = recordsOf(desk, asked.value, { format: desk.formats[question.format], size, from });
  const held = await measure(records, question.bytes);
  const row = await rowOf(desk, id);
  const checkpoint = await selectCheckpointFrom(desk.database, id, size);
  const manifest: ExportManifest = {
    form: exportManifestForm,
    contract: id,
    origin: row.origin,
    format: question.format,
    filter: definedOf(search),
    tree: { size, checkpoint },
    from,
    first: held.first,
    last: held.last,
    entries: held.entries,
    bytes: held.bytes,
    sha256: toBase64(held.digest),
    complete: held.complete,
    cursor: question.cursor ?? "",
    next: held.complete ? null : cursorAt(size, held.last === null ? from : held.last + 1),
  };
  return ok(await signJws(desk.manifestSigner, exportManifestTyp, canonicalJson(manifest)));
}

function definedOf(search: SearchFilter): ExportManifest["filter"] {
  const entries = Object.entries(search) as [string, string | readonly string[] | undefined][];
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, typeof value === "string" ? value : [...value]]])),
  );
}

function askToSave(desk: SaveDesk, visit: Visit, id: ContractId, question: SaveQuestion, code: string = question.format) {
  const { format, filter, cursor } = question;
  const asked = { kind: `save ${format}`, event: "audit.exported", code, filter, cursor } as const;
  return askLog(desk, visit, id, asked, (entered) => logOfExport(desk, entered));
}

async function rowOf({ database, logs }: SaveDesk, id: ContractId) {
  return (await selectLog(database, id)) ?? emptyLogRow(id, logs.baseOf(id));
}

interface CopyRecord {
  /** `null` = the file's head. */
  readonly index: number | null;
  readonly bytes: Uint8Array;
}

interface Extent {
  readonly format: CopyFormat;
  readonly size: number;
  readonly from: number;
}

/** A page of them at a time. The head belongs to the file's beginning. */
async function* recordsOf(desk: SaveDesk, { contract, search }: Asked, { format, size, from }: Extent): AsyncGenerator<CopyRecord[]> {
  if (from === 0 && format.head !== "") yield [{ index: null, bytes: utf8(format.head) }];
  for (let next = from; next < size; ) {
    const page = { order: "oldest", from: next, to: size, limit: pageEntries } as const;
    const indexes = await searchEntries(desk.database, contract.id, search, page);
    const listed = await readListed(desk, contract.id, indexes);
    yield listed.map((copied) => ({ index: copied.index, bytes: utf8(format.record(copied)) }));
    const last = indexes.at(-1);
    if (last === undefined || indexes.length < pageEntries) return;
    next = last + 1;
  }
}

/** A page is read when the reader has taken the one before. */
function streamOf(pages: AsyncGenerator<CopyRecord[]>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pages.next();
        if (done) return controller.close();
        controller.enqueue(concat(...value.map(({ bytes }) => bytes)));
      },
      cancel: () => void pages.return(undefined),
    },
    { highWaterMark: 0 },
  );
}

/** Whole records within the first `bytesMax` bytes. */
async function measure(pages: AsyncGenerator<CopyRecord[]>, bytesMax: number) {
  const digest = createSha256();
  const held = { entries: 0, bytes: 0, first: null as number | null, last: null as number | null };
  for await (const page of pages) {
    for (const { index, bytes } of page) {
      if (held.bytes + bytes.length > bytesMax) return { ...held, digest: digest.finish(), complete: false };
      digest.update(bytes);
      held.bytes += bytes.length;
      if (index === null) continue;
      held.entries++;
      held.first ??= index;
      held.last = index;
    }
  }
  return { ...held, digest: digest.finish(), complete: true };
}
