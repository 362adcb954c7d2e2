/**
 * The header of a Parquet page: a struct in Thrift's compact protocol, of which only the fields are kept that say how much there is.
 * Read as hyparquet (1.31.5) reads it, so that no file says one thing to it and another here; a test compares the two.
 * May not know: what is in a page.
 * Source: apache/parquet-format, parquet.thrift (PageHeader); apache/thrift, doc/specs/thrift-compact-protocol.md
 */

export interface Reader {
  readonly view: DataView<ArrayBuffer>;
  offset: number;
}

/** Numbers are what the file says, unchecked; NaN where it says none. */
export interface PageHeader {
  readonly kind: "data" | "data-2" | "dictionary" | "other";
  /** Bytes in the file, and after decompression. */
  readonly packed: number;
  readonly size: number;
  readonly values: number;
  /** parquet.thrift's number of it. */
  readonly encoding: number;
  /** Version 2 alone: nulls among the values, bytes of both levels, and whether what follows them is compressed. */
  readonly nulls: number;
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
}

/** PageType of parquet.thrift, and the field that says more of such a page. */
const KINDS = { 0: ["data", 5], 2: ["dictionary", 7], 3: ["data-2", 8] } as const;
/** Structs in structs: statistics lie three deep. */
const DEEPEST = 8;

/** @throws Error  it ends early, is no header, or says how much there is in something else than a number */
export function readPageHeader(reader: Reader): PageHeader {
  const fields = readStruct(reader, 0);
  const type = numberOf(fields, 1);
  const [kind, place] = type in KINDS ? KINDS[type as keyof typeof KINDS] : (["other", undefined] as const);
  const inner = place === undefined ? NOTHING : fields.get(place);
  if (!(inner instanceof Map)) throw new Error("a page's header says nothing of its values");
  const isSecond = kind === "data-2";
  return {
    kind,
    packed: numberOf(fields, 3),
    size: numberOf(fields, 2),
    values: numberOf(inner, 1),
    encoding: numberOf(inner, isSecond ? 4 : 2),
    nulls: isSecond ? numberOf(inner, 2) : Number.NaN,
    definitionBytes: isSecond ? numberOf(inner, 5) : Number.NaN,
    repetitionBytes: isSecond ? numberOf(inner, 6) : Number.NaN,
    isCompressed: !(isSecond && inner.get(7) === false),
  };
}

function numberOf(fields: Fields, field: number): number {
  const value = fields.get(field) ?? Number.NaN;
  if (typeof value === "number") return value;
  throw new Error(`field ${field} of a page's header is not a number`);
}

/** Unsigned LEB128, wrapped to 32 bits. */
export function readVarInt(reader: Reader): number {
  let result = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.view.getUint8(reader.offset++);
    result |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return result;
  }
}

function readZigZag(reader: Reader): number {
  const value = readVarInt(reader);
  return (value >>> 1) ^ -(value & 1);
}

/** What is not a number, and not asked for, is `true`. */
type Fields = ReadonlyMap<number, unknown>;
const NOTHING: Fields = new Map();

function readStruct(reader: Reader, depth: number): Fields {
  if (depth > DEEPEST) throw new Error("a page's header is nested too deep");
  const fields = new Map<number, unknown>();
  for (let id = 0; ; ) {
    const byte = reader.view.getUint8(reader.offset++);
    const type = byte & 0x0f;
    if (type === 0) return fields;
    id = byte >> 4 === 0 ? readZigZag(reader) : id + (byte >> 4);
    fields.set(id, readElement(reader, type, depth));
  }
}

/** Texts and lists are passed over. */
function readElement(reader: Reader, type: number, depth: number): unknown {
  switch (type) {
    case 1:
    case 2:
      return type === 1;
    case 3:
      return reader.view.getInt8(reader.offset++);
    case 4:
    case 5:
      return readZigZag(reader);
    case 6:
      readVarInt(reader); // of 64 bits: counts of statistics
      return true;
    case 7:
      reader.offset += 8;
      return reader.view.getFloat64(reader.offset - 8, true);
    case 8: {
      const length = readVarInt(reader);
      if (!(length >= 0 && length <= reader.view.byteLength - reader.offset))
        throw new Error("a text outside its page");
      reader.offset += length;
      return true;
    }
    case 9: {
      const byte = reader.view.getUint8(reader.offset++);
      const count = byte >> 4 === 15 ? readVarInt(reader) : byte >> 4;
      const element = byte & 0x0f;
      for (let i = 0; i < count; i++) readElement(reader, element === 1 || element === 2 ? 3 : element, depth + 1);
      return true;
    }
    case 12:
      return readStruct(reader, depth + 1);
    default:
      throw new Error(`a page's header has a field of type ${type}`);
  }
}
