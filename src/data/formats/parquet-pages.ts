/**
 * Every page of a row group, looked at before hyparquet decodes it: hyparquet (1.31.5) allocates what a page's header claims and
 * writes runs as long as they claim to be, so that a kilobyte could ask for gigabytes. Both are held against bounds here.
 * Not looked into: the inside of the DELTA encodings, whose values are as many as the header says.
 * May not know: rows, data sets.
 * Source: apache/parquet-format, README.md (pages, levels) and Encodings.md (the hybrid of runs and bit packing)
 */
import type { AsyncBuffer, Compressors, FileMetaData, PageHeader, RowGroup, SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from "hyparquet/src/schema.js";
import { readVarInt } from "hyparquet/src/thrift.js";

/** The largest page after decompression, and the most values of a column in one row group. */
export const MAX_PAGE_BYTES = 256 * 1024 * 1024;
const MAX_VALUES = 10_000_000;
/** Values by which the last run of bits may be longer than what is left: writers fill up a block. */
const PADDING = 512;

export interface PageSource {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly compressors: Compressors;
}

type Column = NonNullable<RowGroup["columns"][number]["meta_data"]>;
interface Reader {
  readonly view: DataView<ArrayBuffer>;
  offset: number;
}
const readerOf = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Reader => ({
  view: new DataView(buffer, byteOffset, byteLength),
  offset: 0,
});

/** @throws Error  a page claims more than it may */
export async function checkPages(source: PageSource, group: RowGroup): Promise<void> {
  for (const { meta_data: column } of group.columns) if (column !== undefined) await checkColumn(source, column);
}

async function checkColumn({ file, metadata, compressors }: PageSource, column: Column): Promise<void> {
  const start = Number(column.dictionary_page_offset || column.data_page_offset); // 0 stands for none, as hyparquet has it
  const bytes = new Uint8Array(await file.slice(start, start + Number(column.total_compressed_size)));
  const reader = readerOf(bytes);
  const schema = getSchemaPath(metadata.schema, column.path_in_schema);
  let left = MAX_VALUES;
  while (reader.offset < bytes.length - 1) {
    const header = parquetHeader(reader);
    const [packed, size] = [header.compressed_page_size, Number(header.uncompressed_page_size)];
    if (!(packed >= 0 && packed <= bytes.length - reader.offset)) throw new Error(`a page claims ${packed} bytes`);
    if (!(size >= 0 && size <= MAX_PAGE_BYTES)) throw new Error(`a page claims ${size} bytes`);
    const body = bytes.subarray(reader.offset, reader.offset + packed);
    reader.offset += packed;
    left -= checkPage(header, body, { column, schema, compressors, left });
  }
}

interface PageTerms {
  readonly column: Column;
  readonly schema: SchemaTree[];
  readonly compressors: Compressors;
  /** Values that the column may still have. */
  readonly left: number;
}

/** Gives the number of its values, a dictionary's not counted. */
function checkPage(header: PageHeader, body: Uint8Array<ArrayBuffer>, terms: PageTerms): number {
  const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: dictionary } = header;
  if (header.type === "DICTIONARY_PAGE" && dictionary !== undefined) {
    checkCount(dictionary.num_values, Math.min(MAX_VALUES, 8 * header.uncompressed_page_size)); // a value has a bit at least
    return 0;
  }
  if (header.type === "DATA_PAGE" && first !== undefined) {
    checkCount(first.num_values, terms.left);
    checkFirst(first, unpacked(body, header.uncompressed_page_size, terms), terms);
    return first.num_values;
  }
  if (header.type === "DATA_PAGE_V2" && second !== undefined) {
    checkCount(second.num_values, terms.left);
    checkSecond(second, header.uncompressed_page_size, body, terms);
    return second.num_values;
  }
  return 0; // hyparquet refuses it
}

function checkCount(count: number, most: number): void {
  if (!(Number.isInteger(count) && count >= 0 && count <= most)) throw new Error(`a page claims ${count} values`);
}

const unpacked = (bytes: Uint8Array<ArrayBuffer>, size: number, { column, compressors }: PageTerms): Reader =>
  readerOf(decompressPage(bytes, size, column.codec, compressors) as Uint8Array<ArrayBuffer>);

/** Version 1: the levels lie in the page, each behind its length. */
function checkFirst(header: NonNullable<PageHeader["data_page_header"]>, page: Reader, terms: PageTerms): void {
  const { schema } = terms;
  const repetition = schema.length > 1 ? getMaxRepetitionLevel(schema) : 0;
  if (repetition > 0) levels(page, repetition, header.num_values, undefined);
  const nulls = nullsIn(page, schema, header.num_values, undefined);
  checkValues(page, header.encoding, header.num_values - nulls, terms);
}

/** Version 2: the levels lie before the page, uncompressed, their lengths in the header. */
function checkSecond(
  header: NonNullable<PageHeader["data_page_header_v2"]>,
  size: number,
  body: Uint8Array<ArrayBuffer>,
  terms: PageTerms,
): void {
  const { repetition_levels_byte_length: first, definition_levels_byte_length: second, num_values } = header;
  if (!(first >= 0 && second >= 0 && first + second <= body.length)) throw new Error("a page's levels lie outside it");
  const repetition = getMaxRepetitionLevel(terms.schema);
  const reader = readerOf(body);
  if (repetition > 0) levels(reader, repetition, num_values, first);
  reader.offset = first;
  nullsIn(reader, terms.schema, num_values, second);
  checkCount(header.num_nulls, num_values);
  const packed = body.subarray(first + second);
  const rest = size - first - second;
  const page = header.is_compressed === false ? readerOf(packed) : unpacked(packed, rest, terms);
  checkValues(page, header.encoding, num_values - header.num_nulls, terms);
}

function nullsIn(reader: Reader, schema: SchemaTree[], count: number, length: number | undefined): number {
  const most = getMaxDefinitionLevel(schema);
  return most === 0 ? 0 : levels(reader, most, count, length).filter((level) => level !== most).length;
}

/** Reads levels from 0 to `most`, their runs checked before. */
function levels(reader: Reader, most: number, count: number, length: number | undefined): number[] {
  const width = 32 - Math.clz32(most);
  const found = new Array<number>(count);
  checkRuns({ ...reader, offset: reader.offset + (length === undefined ? 4 : 0) }, width, count);
  readRleBitPackedHybrid(reader, width, found, length);
  return found;
}

function checkValues(page: Reader, encoding: string, count: number, { column }: PageTerms): void {
  if (encoding !== "PLAIN_DICTIONARY" && encoding !== "RLE_DICTIONARY" && encoding !== "RLE") return;
  if (column.type === "BOOLEAN") {
    checkRuns({ ...page, offset: page.offset + 4 }, 1, count);
    return;
  }
  const width = page.view.getUint8(page.offset);
  if (width === 0 && page.offset + 1 === page.view.byteLength) return; // a dictionary of one value needs no runs
  checkRuns({ ...page, offset: page.offset + 1 }, width, count);
}

/** Walks the runs of `count` values as hyparquet does. */
function checkRuns(reader: Reader, width: number, count: number): void {
  if (width > 32) throw new Error(`values of ${width} bits`);
  for (let seen = 0; seen < count; ) {
    const header = readVarInt(reader);
    const groups = header >>> 1;
    const isPacked = (header & 1) === 1;
    const length = isPacked ? groups * 8 : groups;
    if (length > count - seen + (isPacked ? PADDING : 0)) {
      throw new Error(`a run claims ${length} values where ${count - seen} are left`);
    }
    reader.offset += isPacked ? groups * width : Math.ceil(width / 8);
    seen += length;
  }
}
