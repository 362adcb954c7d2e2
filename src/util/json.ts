/**
 * The one reader of JSON that comes from outside: its size, its depth and its number of values are bounded before it is parsed, and a
 * complaint says where in the text it is.
 * May not know: what the values mean.
 */

import type { z } from "zod";
import { UserError } from "./errors.js";
import { decodeText, type InputOptions, readInput } from "./input.js";
import { faultIn } from "./json-fault.js";
import { checked } from "./schema.js";
import type { Words } from "./words.js";

/** Levels of lists and objects. Nobody's files have more than ten, and what walks through them recurses. */
export const MAX_DEPTH = 128;
/** A value takes up to 64 bytes once it is parsed and may take two in the text: 1 GiB at most. The largest vocabulary with its merges has 2 million. */
const MOST_VALUES = 2 ** 24;
/** Bytes of a file of settings or of a tokenizer; the largest tokenizer in use has 35 MB. */
export const LARGEST_JSON = 128 * 2 ** 20;
/** Bytes of a file of rows that is read whole; the longest text that the runtime can hold is a little larger. */
export const LARGEST_ROWS = 512_000_000;

/** Code units that JSON is made of, and its bytes in UTF-8. */
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const BACKSLASH = 0x5c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** `offset`: where in the text the problem is, in UTF-16 code units. */
export type JsonResult = { readonly value: unknown } | { readonly problem: string; readonly offset: number };

/** The value of one JSON text, or why there is none. Takes time and memory in proportion to the text, whatever stands in it. */
export function tryJson(text: string): JsonResult {
  const beyond = beyondBounds(text);
  if (beyond !== undefined) return beyond;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const fault = faultIn(text) ?? { problem: (error as Error).message.slice(0, 80), offset: 0 };
    return { problem: `not JSON: ${fault.problem}`, offset: fault.offset };
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of a text that may be anything: the fields of the object that it is, or undefined. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const result = tryJson(text);
  const value = "value" in result ? result.value : undefined;
  return isObject(value) ? value : undefined;
}

/**
 * @param path    only for messages
 * @throws UserError  `path:line:column: what is wrong`
 */
export function parseJson(text: string, path: string, remedy: Words = "correct it, or fetch it again"): unknown {
  const result = tryJson(text);
  if ("value" in result) return result.value;
  throw new UserError(`${path}:${lineAndColumn(text, result.offset)}: ${result.problem}`, { remedy });
}

/** UTF-8 bytes as JSON. */
export const parseJsonBytes = (bytes: Uint8Array, path: string, remedy?: Words): unknown =>
  parseJson(decodeText(bytes, path), path, remedy);

export interface JsonFileOptions extends InputOptions {
  /** Bytes; default `LARGEST_JSON`. */
  readonly most?: number;
}

/** @throws UserError  no regular file, one that is too large, or one that is not JSON */
export async function readJson(path: string, options: JsonFileOptions = {}): Promise<unknown> {
  const bytes = await readInput(path, { what: "a JSON file", ...options, most: options.most ?? LARGEST_JSON });
  return parseJsonBytes(bytes, path);
}

/** @throws UserError  as `readJson`, or `path: where: what is wrong` */
export async function readJsonAs<T>(
  path: string,
  schema: z.ZodType<T>,
  remedy: Words,
  options: JsonFileOptions = {},
): Promise<T> {
  return checked(schema, await readJson(path, options), path, remedy);
}

/** `3:14`, both from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line++;
  return `${line}:${offset - lineStart + 1}`;
}

/** Counts brackets and commas outside strings. Text that is not JSON may pass: parsing refuses it, with its depth bounded all the same. */
function beyondBounds(text: string): { readonly problem: string; readonly offset: number } | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = closingQuote(text, at);
      if (at < 0) return undefined; // never closed: not JSON
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      values++;
      if (++depth > MAX_DEPTH) return { problem: `nested deeper than ${MAX_DEPTH} levels`, offset: at };
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
    else if (code === COMMA && ++values > MOST_VALUES)
      return { problem: `more than ${MOST_VALUES} values`, offset: at };
  }
  return undefined;
}

/** Index of the quote that closes the string whose opening one is at `at`; -1 where none does. */
export function closingQuote(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
