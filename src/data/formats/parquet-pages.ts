/**
 * Every page of a row group, looked at before hyparquet decodes it: hyparquet (1.31.5) allocates what a page's header claims and
 * writes runs as long as they claim to be, so that a kilobyte could ask for gigabytes. Both are held against bounds here.
 * Not looked into: the inside of the DELTA encodings, whose values are as many as the header says.
 * May not know: rows, data sets.
 * Source: apache/parquet-format, README.md (pages, levels) and Encodings.md (the hybrid of runs and bit packing)
 */
import type { AsyncBuffer, Compressors, FileMetaData, parquetSchema, RowGroup, SchemaTree } from "hyparquet";
import { type PageHeader, type Reader, readPageHeader, readVarInt } from "./parquet-header.js";

/** The largest page after decompression, and the most values of a column in one row group. */
export const MAX_PAGE_BYTES = 256 * 1024 * 1024;
const MAX_VALUES = 10_000_000;
/** Values by which the last run of bits may be longer than what is left: writers fill up a block. */
const PADDING = 512;
/** Encodings of parquet.thrift whose values are runs: of indices into a dictionary (PLAIN_DICTIONARY, RLE_DICTIONARY), and RLE. */
const [INDICES, RLE] = [[2, 8], 3];

export interface PageSource {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly compressors: Compressors;
  readonly parquetSchema: typeof parquetSchema;
}

type Column = NonNullable<RowGroup["columns"][number]["meta_data"]>;
const readerOf = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Reader => ({
  view: new DataView(buffer, byteOffset, byteLength),
  offset: 0,
});

/** @throws Error  a page claims more than it may */
export async function checkPages(source: PageSource, group: RowGroup): Promise<void> {
  const tree = source.parquetSchema(source.metadata);
  for (const { meta_data: column } of group.columns) {
    if (column !== undefined) await checkColumn(source, column, mostLevels(tree, column.path_in_schema));
  }
}

/** The deepest level of definition and of repetition that a value can have. */
interface Levels {
  readonly definition: number;
  readonly repetition: number;
}

function mostLevels(root: SchemaTree, path: readonly string[]): Levels {
  if (path.length === 0) throw new Error("a column without a name");
  let [at, definition, repetition] = [root, 0, root.element.repetition_type === "REPEATED" ? 1 : 0]; // as hyparquet counts
  for (const part of path) {
    const child = at.children.find(({ element }) => element.name === part);
    if (child === undefined) throw new Error(`no column is called ${path.join(".")}`);
    at = child;
    if (at.element.repetition_type !== "REQUIRED") definition += 1;
    if (at.element.repetition_type === "REPEATED") repetition += 1;
  }
  return { definition, repetition };
}

async function checkColumn({ file, compressors }: PageSource, column: Column, levels: Levels): Promise<void> {
  const start = Number(column.dictionary_page_offset || column.data_page_offset); // 0 stands for none, as hyparquet has it
  const bytes = new Uint8Array(await file.slice(start, start + Number(column.total_compressed_size)));
  const reader = readerOf(bytes);
  let left = MAX_VALUES;
  while (reader.offset < bytes.length - 1) {
    const header = readPageHeader(reader);
    const { packed, size } = header;
    if (!(packed >= 0 && packed <= bytes.length - reader.offset)) throw new Error(`a page claims ${packed} bytes`);
    if (!(size >= 0 && size <= MAX_PAGE_BYTES)) throw new Error(`a page claims ${size} bytes`);
    const body = bytes.subarray(reader.offset, reader.offset + packed);
    reader.offset += packed;
    left -= checkPage(header, body, { column, levels, compressors, left });
  }
}

interface PageTerms {
  readonly column: Column;
  readonly levels: Levels;
  readonly compressors: Compressors;
  /** Values that the column may still have. */
  readonly left: number;
}

/** Gives the number of its values, a dictionary's not counted. */
function checkPage(header: PageHeader, body: Uint8Array<ArrayBuffer>, terms: PageTerms): number {
  if (header.kind === "other") return 0; // hyparquet refuses it
  if (header.kind === "dictionary") {
    checkCount(header.values, Math.min(MAX_VALUES, 8 * header.size)); // a value has a bit at least
    return 0;
  }
  checkCount(header.values, terms.left);
  if (header.kind === "data") checkFirst(header, unpacked(body, header.size, terms), terms);
  else checkSecond(header, body, terms);
  return header.values;
}

function checkCount(count: number, most: number): void {
  if (!(Number.isInteger(count) && count >= 0 && count <= most)) throw new Error(`a page claims ${count} values`);
}

function unpacked(bytes: Uint8Array<ArrayBuffer>, size: number, { column, compressors }: PageTerms): Reader {
  const page = column.codec === "UNCOMPRESSED" ? bytes : compressors[column.codec]?.(bytes, size);
  if (page === undefined) throw new Error(`${column.codec} is not supported`);
  if (page.length !== size) throw new Error(`a page has ${page.length} bytes where it claims ${size}`);
  return readerOf(page as Uint8Array<ArrayBuffer>);
}

/** Version 1: the levels lie in the page, each behind its length. */
function checkFirst({ values, encoding }: PageHeader, page: Reader, terms: PageTerms): void {
  const { definition, repetition } = terms.levels;
  if (repetition > 0) levelsIn(page, repetition, values);
  const nulls = definition === 0 ? 0 : values - levelsIn(page, definition, values);
  if (encoding !== RLE && !INDICES.includes(encoding)) return;
  if (terms.column.type === "BOOLEAN") checkBits(page, values - nulls);
  else if (page.view.getUint8(page.offset) > 0) checkIndices(page, values - nulls); // no bits: a dictionary of one value
}

/** Version 2: the levels lie before the page, uncompressed, their lengths in the header. */
function checkSecond(header: PageHeader, body: Uint8Array<ArrayBuffer>, terms: PageTerms): void {
  const { repetitionBytes: first, definitionBytes: second, values, nulls, size } = header;
  if (!(first >= 0 && second >= 0 && first + second <= body.length)) throw new Error("a page's levels lie outside it");
  const { definition, repetition } = terms.levels;
  if (repetition > 0) checkRuns(readerOf(body), widthOf(repetition), values);
  if (definition > 0) checkRuns(readerOf(body.subarray(first)), widthOf(definition), values);
  checkCount(nulls, values);
  const packed = body.subarray(first + second);
  const page = header.isCompressed ? unpacked(packed, size - first - second, terms) : readerOf(packed);
  if (header.encoding === RLE) checkBits(page, values - nulls);
  else if (INDICES.includes(header.encoding)) checkIndices(page, values - nulls);
}

/** Bits of numbers from 0 to `most`. */
const widthOf = (most: number): number => 32 - Math.clz32(most);

/** How many of the levels that begin here, behind their length, are the deepest one; goes on behind them. */
function levelsIn(page: Reader, most: number, count: number): number {
  const length = page.view.getUint32(page.offset, true);
  const start = page.offset + 4;
  const found = checkRuns({ ...page, offset: start }, widthOf(most), count, most);
  page.offset = start + length;
  return found;
}

/** Booleans, behind their length. */
const checkBits = (page: Reader, count: number) => checkRuns({ ...page, offset: page.offset + 4 }, 1, count);

/** Indices, behind a byte with their width. */
const checkIndices = (page: Reader, count: number) =>
  checkRuns({ ...page, offset: page.offset + 1 }, page.view.getUint8(page.offset), count);

/** Walks the runs of `count` values as hyparquet does; gives how many of them are `wanted`. */
function checkRuns(reader: Reader, width: number, count: number, wanted?: number): number {
  if (width > 32) throw new Error(`values of ${width} bits`);
  let found = 0;
  for (let seen = 0; seen < count; ) {
    const header = readVarInt(reader);
    const groups = header >>> 1;
    const isPacked = (header & 1) === 1;
    const [length, left] = [isPacked ? groups * 8 : groups, count - seen];
    if (length > left + (isPacked ? PADDING : 0))
      throw new Error(`a run claims ${length} values where ${left} are left`);
    const bits = { ...reader };
    if (wanted !== undefined && isPacked) {
      for (let i = 0; i < Math.min(length, left); i++) if (valueAt(bits, width, i) === wanted) found += 1;
    } else if (wanted !== undefined && valueAt(bits, 8 * Math.ceil(width / 8), 0) === wanted) found += length;
    reader.offset += isPacked ? groups * width : Math.ceil(width / 8);
    seen += length;
  }
  return found;
}

/** One of the values that lie side by side here, `width` bits each, the lowest bit first. */
function valueAt({ view, offset }: Reader, width: number, index: number): number {
  let value = 0;
  for (let bit = 0; bit < width; bit++) {
    const at = index * width + bit;
    value |= ((view.getUint8(offset + (at >>> 3)) >>> (at & 7)) & 1) << bit;
  }
  return value;
}
