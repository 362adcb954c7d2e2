/**
 * A GGUF file as named tensors: the header is read once, a tensor only when it is asked for, in slices, dequantised as
 * it comes. Specification: ggml/docs/gguf.md.
 * May not know: model families, tokenizers.
 */
import { UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import { type ByteSource, elementCount, openWith, readBytes } from "./byte-source.js";
import { BLOCK_TYPES, type BlockType, OTHER_TYPES } from "./gguf-blocks.js";
import {
  type GgufArray,
  type GgufHeader,
  type GgufTensorInfo,
  type GgufValue,
  NeedMoreBytes,
  parseGgufHeader,
} from "./gguf-header.js";
import type { WeightInfo, WeightStore } from "./weight-store.js";

/** The vocabulary of Gemma, 262,144 entries, takes 6 MB. */
const MAX_HEADER = 512 * 2 ** 20;
const FIRST_READ = 2 ** 20;
/** Bytes read and dequantised at a time, roughly. */
const SLICE = 4 * 2 ** 20;

export interface GgufFile extends WeightStore {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
}

interface Located {
  readonly block: BlockType;
  /** From the start of the file. */
  readonly offset: number;
  readonly count: number;
  readonly bytes: number;
}

/** Opens and checks a GGUF file. Its tensors keep the names of the file. */
export const openGguf = (path: string): Promise<GgufFile> => openWith(path, readGguf);

/** @throws UserError  the bytes are no GGUF, are cut off, or tensors overlap or leave the file */
export async function readGguf(source: ByteSource): Promise<GgufFile> {
  const header = await readHeader(source);
  refusePart(header, source.name);
  const located = locate(header, source);
  const tensors = new Map<string, WeightInfo>();
  for (const info of header.tensors) {
    const dtype = located.get(info.name)?.block.name ?? "";
    tensors.set(info.name, { name: info.name, dtype, shape: info.shape });
  }
  return {
    version: header.version,
    name: source.name,
    metadata: header.metadata,
    tensors,
    async read(name) {
      const place = located.get(name);
      if (place === undefined) throw new UserError(`${source.name} has no tensor "${excerpt(name)}"`);
      return dequantise(source, place);
    },
    close: () => source.close(),
  };
}

/** A split model's tensors lie in several files, each with a header of its own. */
function refusePart({ metadata }: GgufHeader, file: string): void {
  const [count, index] = [metadata.get("split.count"), metadata.get("split.no")];
  if (typeof count !== "number" || !(count > 1)) return;
  const part = typeof index === "number" ? `part ${index + 1} of ${count}` : `one of ${count} parts`;
  throw new UserError(`${file} is ${part} of a split model`, {
    remedy: "put the parts together: `llama-gguf-split --merge FIRST-PART WHOLE.gguf`, and take that file",
  });
}

/** Reads twice as much each time until the header is whole; it never needs more than the file has. */
async function readHeader(source: ByteSource): Promise<GgufHeader> {
  for (let length = FIRST_READ; ; length *= 2) {
    const bytes = await readBytes(source, 0, Math.min(length, source.size));
    try {
      return parseGgufHeader(bytes, source.size, source.name);
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error;
      if (length >= MAX_HEADER) {
        throw new UserError(`${source.name}: the header is larger than ${MAX_HEADER} bytes`, {
          remedy: "this is not a model file",
        });
      }
    }
  }
}

/** Where each tensor lies. Checks types, alignment, ends and overlaps. */
function locate(header: GgufHeader, source: ByteSource): ReadonlyMap<string, Located> {
  const alignment = header.metadata.get("general.alignment") ?? 32;
  if (
    typeof alignment !== "number" ||
    alignment < 1 ||
    alignment > 2 ** 20 ||
    !Number.isInteger(Math.log2(alignment))
  ) {
    throw new UserError(`${source.name}: general.alignment is ${String(alignment)}, not a power of two`);
  }
  const begin = Math.ceil(header.end / alignment) * alignment;
  const located = new Map<string, Located>();
  for (const info of header.tensors) located.set(info.name, locateOne(info, begin, alignment, source));
  const inOrder = [...located].sort(([, a], [, b]) => a.offset - b.offset);
  for (let i = 1; i < inOrder.length; i++) {
    const [before, after] = [inOrder[i - 1], inOrder[i]];
    if (before === undefined || after === undefined) continue;
    if (before[1].offset + before[1].bytes > after[1].offset) {
      throw new UserError(`${source.name} is damaged: tensors "${before[0]}" and "${after[0]}" overlap`);
    }
  }
  return located;
}

function locateOne(info: GgufTensorInfo, begin: number, alignment: number, source: ByteSource): Located {
  const what = `${source.name}: tensor "${info.name}"`;
  const block = BLOCK_TYPES.get(info.type);
  if (block === undefined) {
    const name = OTHER_TYPES.get(info.type) ?? `number ${info.type}`;
    const known = [...BLOCK_TYPES.values()].map((type) => type.name).join(", ");
    throw new UserError(`${what} has type ${name}, which is not supported`, { remedy: `use a file of ${known}` });
  }
  const count = elementCount(info.shape, what);
  if ((info.shape.at(-1) ?? 1) % block.values !== 0) {
    throw new UserError(`${what}: rows of ${info.shape.at(-1)} values are not whole ${block.name} blocks`);
  }
  const bytes = (count / block.values) * block.bytes;
  if (info.offset % alignment !== 0)
    throw new UserError(`${what}: offset ${info.offset} is not a multiple of ${alignment}`);
  const offset = begin + info.offset;
  if (offset + bytes > source.size) {
    throw new UserError(`${what} ends at byte ${offset + bytes}, the file at ${source.size}`, {
      remedy: "fetch the file again",
    });
  }
  return { block, offset, count, bytes };
}

async function dequantise(source: ByteSource, place: Located): Promise<Float32Array> {
  const { block } = place;
  const out = new Float32Array(place.count);
  const step = Math.max(1, Math.floor(SLICE / block.bytes));
  const blocks = place.count / block.values;
  const slice = new Uint8Array(Math.min(step, blocks) * block.bytes);
  for (let first = 0; first < blocks; first += step) {
    const here = Math.min(step, blocks - first);
    const bytes = slice.subarray(0, here * block.bytes);
    await source.fill(bytes, place.offset + first * block.bytes);
    block.dequantise(bytes, out.subarray(first * block.values, (first + here) * block.values));
  }
  return out;
}

/** Typed reads of metadata, each with a message that names the key. */
export interface GgufMetadata {
  has(key: string): boolean;
  number(key: string): number;
  number(key: string, otherwise: number): number;
  string(key: string): string;
  /** undefined where absent. */
  optionalString(key: string): string | undefined;
  optionalNumber(key: string): number | undefined;
  boolean(key: string, otherwise: boolean): boolean;
  strings(key: string): readonly string[];
  numbers(key: string): Float64Array;
}

export function ggufMetadata(file: string, metadata: ReadonlyMap<string, GgufValue>): GgufMetadata {
  const wrong = (key: string, kind: string): UserError =>
    new UserError(`${file}: metadata "${excerpt(key)}" is ${metadata.has(key) ? `not a ${kind}` : "missing"}`, {
      remedy: "convert the model again with a current llama.cpp",
    });
  const typed = <T>(key: string, kind: string, is: (value: GgufValue) => value is GgufValue & T): T => {
    const value = metadata.get(key);
    if (value === undefined || !is(value)) throw wrong(key, kind);
    return value;
  };
  const isNumber = (value: GgufValue): value is number => typeof value === "number" && Number.isFinite(value);
  const isString = (value: GgufValue): value is string => typeof value === "string";
  const isArray = (value: GgufValue): value is GgufArray => typeof value === "object";
  return {
    has: (key) => metadata.has(key),
    number: (key, otherwise?: number) =>
      otherwise !== undefined && !metadata.has(key) ? otherwise : typed(key, "number", isNumber),
    string: (key) => typed(key, "string", isString),
    optionalString: (key) => (metadata.has(key) ? typed(key, "string", isString) : undefined),
    optionalNumber: (key) => (metadata.has(key) ? typed(key, "number", isNumber) : undefined),
    boolean: (key, otherwise) => {
      const value = metadata.get(key) ?? otherwise;
      if (typeof value !== "boolean") throw wrong(key, "truth value");
      return value;
    },
    strings: (key) => {
      const array = typed(key, "array of strings", isArray);
      if (array.of !== "string") throw wrong(key, "array of strings");
      return array.values;
    },
    numbers: (key) => {
      const array = typed(key, "array of numbers", isArray);
      if (array.of !== "number") throw wrong(key, "array of numbers");
      return array.values;
    },
  };
}
