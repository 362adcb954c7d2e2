/**
 * The front of a GGUF file, bytes to values: magic, counts, metadata, tensor infos. Specification: ggml/docs/gguf.md.
 * Every count and length is held against the bytes that are there before anything of that size is made.
 * May not know: files, blocks, model families.
 */
import { UserError } from "../util/errors.js";

/** A metadata value. 64-bit integers are numbers where a double holds them. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

export type GgufArray =
  | { readonly of: "string"; readonly values: readonly string[] }
  | { readonly of: "number"; readonly values: Float64Array }
  | { readonly of: "array"; readonly values: readonly GgufArray[] };

export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major, slowest first, as the rest of the program writes shapes (the file has the fastest first). */
  readonly shape: readonly number[];
  /** `enum ggml_type`. */
  readonly type: number;
  /** From the start of the data section. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensorInfo[];
  /** Where the infos end; the data section begins at the next multiple of the alignment. */
  readonly end: number;
}

/** Thrown inside where `bytes` is only a first part of the file and more of it is needed. */
export class NeedMoreBytes extends Error {}

const MAX_DIMENSIONS = 4; // GGML_MAX_DIMS
const MAX_NAME = 65_535; // bytes of a key; gguf.md
const MAX_DEPTH = 4; // arrays of arrays; nobody writes even two
const SMALLEST_INFO = 8 + 4 + 4 + 8; // bytes of a tensor info with an empty name and no dimension
const SMALLEST_PAIR = 8 + 4 + 1;

/** Bytes per element of each scalar value type (`enum gguf_metadata_value_type`); strings and arrays have none. */
const SCALAR_BYTES: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const STRING = 8;
const ARRAY = 9;

/**
 * @param bytes  the file's first bytes
 * @param size   bytes of the whole file
 * @throws NeedMoreBytes  `bytes` is not all of the file and the header goes on
 * @throws UserError      the file is not GGUF, is cut off, or claims what it cannot hold
 */
export function parseGgufHeader(bytes: Uint8Array, size: number, file: string): GgufHeader {
  const cursor = new Cursor(bytes, size, file);
  if (cursor.u32("magic") !== 0x46554747) {
    throw new UserError(`${file} is not a GGUF file: it does not begin with "GGUF"`, { remedy: "name one that is" });
  }
  const version = cursor.u32("version");
  if (version !== 2 && version !== 3) {
    throw new UserError(`${file} is GGUF version ${version}; versions 2 and 3 are supported`, {
      remedy: version === 1 ? "convert the model again" : "big-endian files are not supported",
    });
  }
  const tensorCount = cursor.count("the number of tensors", SMALLEST_INFO);
  const pairCount = cursor.count("the number of metadata entries", SMALLEST_PAIR);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.name(`metadata key ${i}`);
    if (metadata.has(key)) throw cursor.bad(`metadata key "${key}" comes twice`);
    metadata.set(key, readValue(cursor, cursor.u32(key), key, 0));
  }
  const tensors: GgufTensorInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const info = readTensorInfo(cursor, i);
    if (names.has(info.name)) throw cursor.bad(`tensor "${info.name}" comes twice`);
    names.add(info.name);
    tensors.push(info);
  }
  return { version, metadata, tensors, end: cursor.at };
}

function readTensorInfo(cursor: Cursor, index: number): GgufTensorInfo {
  const name = cursor.name(`name of tensor ${index}`);
  const dimensions = cursor.u32(name);
  if (dimensions > MAX_DIMENSIONS) throw cursor.bad(`tensor "${name}" has ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(cursor.u64(`size of "${name}"`));
  return { name, shape, type: cursor.u32(name), offset: cursor.u64(`offset of "${name}"`) };
}

function readValue(cursor: Cursor, type: number, key: string, depth: number): GgufValue {
  if (type === STRING) return cursor.string(key);
  if (type === ARRAY) return readArray(cursor, key, depth + 1);
  if (type === 7) {
    const value = cursor.scalar(type, key);
    if (value !== 0 && value !== 1) throw cursor.bad(`${key}: ${value} is not true or false`);
    return value === 1;
  }
  return cursor.scalar(type, key);
}

function readArray(cursor: Cursor, key: string, depth: number): GgufArray {
  if (depth > MAX_DEPTH) throw cursor.bad(`${key}: arrays nested deeper than ${MAX_DEPTH}`);
  const type = cursor.u32(key);
  if (type === STRING) {
    const count = cursor.count(`the length of ${key}`, 8);
    const values: string[] = [];
    for (let i = 0; i < count; i++) values.push(cursor.string(key));
    return { of: "string", values };
  }
  if (type === ARRAY) {
    const count = cursor.count(`the length of ${key}`, 12);
    const values: GgufArray[] = [];
    for (let i = 0; i < count; i++) values.push(readArray(cursor, key, depth + 1));
    return { of: "array", values };
  }
  const count = cursor.count(`the length of ${key}`, cursor.scalarBytes(type, key));
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = Number(cursor.scalar(type, key));
  return { of: "number", values };
}

/** A position in the bytes; each read checks that its bytes are there. */
class Cursor {
  at = 0;
  readonly #view: DataView;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #bytes: Uint8Array;
  readonly #size: number;
  readonly #file: string;

  constructor(bytes: Uint8Array, size: number, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#size = size;
    this.#file = file;
  }

  bad(what: string): UserError {
    return new UserError(`${this.#file} is damaged: ${what}`, { remedy: "fetch the file again" });
  }

  /** Moves past `length` bytes and returns where they begin. */
  #take(length: number, what: string): number {
    const begin = this.at;
    if (begin + length > this.#size) throw this.bad(`it ends within ${what}`);
    if (begin + length > this.#bytes.byteLength) throw new NeedMoreBytes(what);
    this.at = begin + length;
    return begin;
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  u64(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8, what), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.bad(`${what} is ${value}`);
    return Number(value);
  }

  /** A number of things of at least `smallest` bytes each, all of which must still fit into the file. */
  count(what: string, smallest: number): number {
    const value = this.u64(what);
    if (value > (this.#size - this.at) / smallest) throw this.bad(`${what} is ${value}, more than the file can hold`);
    return value;
  }

  string(what: string): string {
    const length = this.u64(`the length of ${what}`);
    if (length > this.#size - this.at) throw this.bad(`the length of ${what} is ${length}, more than the file holds`);
    const begin = this.#take(length, what);
    try {
      return this.#text.decode(this.#bytes.subarray(begin, begin + length));
    } catch {
      throw this.bad(`${what} holds bytes that are not UTF-8`);
    }
  }

  name(what: string): string {
    const value = this.string(what);
    if (value.length === 0 || value.length > MAX_NAME) throw this.bad(`${what} has ${value.length} characters`);
    return value;
  }

  scalarBytes(type: number, what: string): number {
    const bytes = SCALAR_BYTES[type];
    if (bytes === undefined) throw this.bad(`${what} has the unknown value type ${type}`);
    return bytes;
  }

  /** One number; truth values as 0 or 1. */
  scalar(type: number, what: string): number | bigint {
    const begin = this.#take(this.scalarBytes(type, what), what);
    const view = this.#view;
    switch (type) {
      case 0:
      case 7:
        return view.getUint8(begin);
      case 1:
        return view.getInt8(begin);
      case 2:
        return view.getUint16(begin, true);
      case 3:
        return view.getInt16(begin, true);
      case 4:
        return view.getUint32(begin, true);
      case 5:
        return view.getInt32(begin, true);
      case 6:
        return view.getFloat32(begin, true);
      case 10:
        return narrow(view.getBigUint64(begin, true));
      case 11:
        return narrow(view.getBigInt64(begin, true));
      default:
        return view.getFloat64(begin, true);
    }
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
