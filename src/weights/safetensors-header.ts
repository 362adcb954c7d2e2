/**
 * The header of a safetensors file: 8 bytes of length, JSON of `{name: {dtype, shape, data_offsets}}`, then the data
 * without holes. Specification: huggingface/safetensors README, "Format".
 * May not know: files, model families.
 */
import { UserError } from "../util/errors.js";
import { closingQuote, isObject, tryJson } from "../util/json.js";
import { excerpt } from "../util/terminal.js";
import { elementCount } from "./byte-source.js";

/** Limit of the reference implementation. */
export const MAX_HEADER = 100_000_000;

export interface SafetensorsInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the start of the data section. */
  readonly begin: number;
  readonly end: number;
}

/** Bytes per value of every dtype whose size is known; only some of them are read. */
const DTYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ["BOOL", 1],
  ["U8", 1],
  ["I8", 1],
  ["F8_E4M3", 1],
  ["F8_E5M2", 1],
  ["I16", 2],
  ["U16", 2],
  ["F16", 2],
  ["BF16", 2],
  ["I32", 4],
  ["U32", 4],
  ["F32", 4],
  ["F64", 8],
  ["I64", 8],
  ["U64", 8],
]);

/**
 * @param bytes     the header's JSON
 * @param dataSize  bytes after the header
 * @returns tensors in the order of their data
 * @throws UserError  not JSON, a name twice, a shape that does not fit its bytes, holes, overlaps, or data beyond the end
 */
export function parseSafetensorsHeader(bytes: Uint8Array, dataSize: number, file: string): readonly SafetensorsInfo[] {
  const entries = headerEntries(bytes, file);
  const infos: SafetensorsInfo[] = [];
  for (const [name, value] of entries) {
    if (name !== "__metadata__") infos.push(readInfo(name, value, file));
  }
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const info of infos) {
    if (info.begin !== at) {
      const how = info.begin < at ? "overlaps the tensor before it" : `leaves a hole of ${info.begin - at} bytes`;
      throw damaged(file, `tensor "${excerpt(info.name)}" ${how}`);
    }
    at = info.end;
  }
  if (at !== dataSize) throw damaged(file, `tensors end at byte ${at} of the data, the file at ${dataSize}`);
  return infos;
}

/** Name and value of every entry, no name twice. */
function headerEntries(bytes: Uint8Array, file: string): [string, unknown][] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged(file, "the header is not UTF-8");
  }
  const result = tryJson(text);
  if ("problem" in result) throw damaged(file, `the header at character ${result.offset + 1}: ${result.problem}`);
  const parsed = result.value;
  if (!isObject(parsed)) throw damaged(file, "the header is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) throw damaged(file, `tensor "${excerpt(twice)}" comes twice`);
  return Object.entries(parsed);
}

/** The first key that comes twice in the outermost object of valid JSON; `JSON.parse` would keep the last in silence. */
function duplicateKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let keyNext = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = closingQuote(text, at) + 1;
      if (keyNext && depth === 1) {
        const key = JSON.parse(text.slice(at, end)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
      }
      keyNext = false;
      at = end - 1;
    } else if (char === "{" || char === "[") {
      depth++;
      keyNext = true;
    } else if (char === "}" || char === "]") depth--;
    else if (char === ",") keyNext = true;
  }
  return undefined;
}

function readInfo(name: string, value: unknown, file: string): SafetensorsInfo {
  const what = `tensor "${excerpt(name)}"`;
  if (!isObject(value)) throw damaged(file, `${what} is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") throw damaged(file, `${what} has no dtype`);
  const size = DTYPE_BYTES.get(dtype);
  if (size === undefined) throw new UserError(`${file}: ${what} has the unknown dtype "${excerpt(dtype)}"`);
  if (!isNumbers(shape)) throw damaged(file, `${what} has no shape`);
  if (!isNumbers(offsets)) throw damaged(file, `${what} has no data_offsets`);
  const [begin, end] = offsets;
  const whole = Number.isSafeInteger(begin) && Number.isSafeInteger(end);
  if (offsets.length !== 2 || begin === undefined || end === undefined || !whole || begin < 0 || end < begin) {
    throw damaged(file, `${what} has the data_offsets [${excerpt(offsets.join(", "))}]`);
  }
  const bytes = elementCount(shape, `${file}: ${what}`) * size;
  if (bytes !== end - begin) {
    throw damaged(
      file,
      `${what} of shape [${excerpt(shape.join(", "))}] and dtype ${dtype} has ${end - begin} bytes, not ${bytes}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function damaged(file: string, what: string): UserError {
  return new UserError(`${file} is damaged: ${what}`, { remedy: "fetch or write the file again" });
}
