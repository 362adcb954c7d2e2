/**
 * A file that is one JSON array, element by element in constant memory. A file of the same ending that begins with `{` is
 * read as JSON lines (both are published as `.json`).
 * May not know: data sets.
 */
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "../../util/json.js";
import type { Origin, RawRecord } from "../record.js";
import { decodeUtf8, longerThan, MAX_RECORD_BYTES, NOT_UTF8, readTextBytes } from "./bytes.js";
import { parseJsonText } from "./json-text.js";
import { readJsonl } from "./jsonl.js";

export async function* readJson(file: string): AsyncGenerator<RawRecord[]> {
  if ((await firstByte(file)) === OPEN_BRACE) {
    yield* readJsonl(file, MAX_RECORD_BYTES);
    return;
  }
  const splitter = elementSplitter(file, MAX_RECORD_BYTES);
  for await (const chunk of readTextBytes(file)) {
    const records = splitter.push(chunk);
    if (records.length > 0) yield records;
  }
  const rest = splitter.end();
  if (rest !== undefined) yield [rest];
}

const NEWLINE = 0x0a;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

async function firstByte(file: string): Promise<number | undefined> {
  for await (const chunk of readTextBytes(file)) {
    for (const byte of chunk) if (!isSpace(byte)) return byte;
  }
  return undefined;
}

export interface ElementSplitter {
  push(chunk: Buffer): RawRecord[];
  /** What is wrong with the array as a whole, if anything. */
  end(): RawRecord | undefined;
}

/**
 * Finds where elements begin and end by brackets, quotes and commas alone; `JSON.parse` judges each element. The state is
 * one of: before the array, inside it, after it, or broken (nothing after the break can be told apart).
 */
export function elementSplitter(file: string, limit: number): ElementSplitter {
  let state: "before" | "inside" | "after" | "broken" = "before";
  let line = 1;
  let depth = 0; // brackets open inside the element
  let quoted = false;
  let escaped = false;
  let began = 0; // line of the element's first byte; 0: between elements
  let elements = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;

  /** An element is found by its row, the array as a whole by its line. */
  const place = (number: number, row?: number): Origin => ({
    file,
    line: number,
    unit: "line",
    ...(row === undefined ? {} : { row }),
  });
  const hold = (piece: Buffer): void => {
    heldBytes += piece.length;
    if (heldBytes > limit) held = [];
    else held.push(piece);
  };
  const finish = (): RawRecord => {
    elements++;
    const at = place(began, elements);
    const record =
      heldBytes > limit
        ? ({ kind: "bad", at, reason: `the element is ${longerThan(limit)}` } as const)
        : elementRecord(at, Buffer.concat(held));
    began = 0;
    held = [];
    heldBytes = 0;
    return record;
  };
  const broken = (reason: string): RawRecord => {
    const inside = state === "inside";
    state = "broken";
    return { kind: "bad", at: place(line, inside ? elements + 1 : undefined), reason };
  };

  /** One byte outside strings and outside an element's own brackets. */
  const betweenElements = (byte: number): RawRecord | undefined => {
    if (state === "before") {
      if (byte !== OPEN_BRACKET) return broken("not a JSON array: a .json file holds [ … ], or one object a line");
      state = "inside";
    } else if (state === "after") return broken("text after the end of the array");
    return undefined;
  };

  return {
    push(chunk) {
      const records: RawRecord[] = [];
      let start = began === 0 ? -1 : 0; // where the current element's bytes begin in this chunk
      const stops = findStops(chunk);
      for (let i = 0; i < chunk.length && state !== "broken"; i++) {
        if (quoted && !escaped) i = stops.after(i); // nothing else within a string matters
        if (i >= chunk.length) break;
        const byte = chunk[i] as number;
        if (byte === NEWLINE) line++;
        if (quoted) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) quoted = false;
          continue;
        }
        if (isSpace(byte)) continue;
        if (state !== "inside") {
          const problem = betweenElements(byte);
          if (problem !== undefined) records.push(problem);
          continue;
        }
        const ends = depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET);
        if (ends) {
          if (began !== 0) {
            hold(chunk.subarray(start, i));
            records.push(finish());
          } else if (byte === COMMA || elements > 0) records.push(broken("an element is missing between commas"));
          if (byte === CLOSE_BRACKET && state === "inside") state = "after";
          start = -1;
          continue;
        }
        if (began === 0) {
          began = line;
          start = i;
        }
        if (byte === QUOTE) quoted = true;
        else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++;
        else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
        if (depth < 0) records.push(broken("a closing brace without its opening one"));
      }
      if (began !== 0 && state !== "broken" && start >= 0) hold(chunk.subarray(start));
      return records;
    },
    end() {
      if (state === "before") return { kind: "bad", at: place(line), reason: "the file is empty" };
      if (state !== "inside") return undefined;
      const from = began === 0 ? "" : `; its last element, row ${elements + 1}, begins on line ${began}`;
      return { kind: "bad", at: place(line), reason: `the array is not closed: the file is cut off${from}` };
    },
  };
}

/** The next quote, backslash or line break at or after a place that only grows; the chunk's length where there is none. */
function findStops(chunk: Buffer): { after(place: number): number } {
  const next = [QUOTE, BACKSLASH, NEWLINE].map((byte) => ({ byte, at: -1 }));
  return {
    after(place) {
      let nearest = chunk.length;
      for (const stop of next) {
        if (stop.at < place) {
          const found = chunk.indexOf(stop.byte, place);
          stop.at = found < 0 ? chunk.length : found;
        }
        nearest = Math.min(nearest, stop.at);
      }
      return nearest;
    },
  };
}

function elementRecord(at: Origin, bytes: Buffer): RawRecord {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { kind: "bad", at, reason: NOT_UTF8 };
  const parsed = parseJsonText(text);
  return "value" in parsed ? { kind: "record", at, value: parsed.value } : { kind: "bad", at, reason: parsed.problem };
}
