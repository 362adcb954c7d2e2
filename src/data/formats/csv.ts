/**
 * CSV (RFC 4180) with a header: records of named texts, each with the line on which it begins, in constant memory. Our own
 * reader, because we found none that gives the first line of a record with line breaks in its fields, names the record that
 * is not UTF-8, and goes on after a bad one. A test holds it against `csv-parse`.
 * May not know: data sets.
 */
import { UserError } from "../../util/errors.js";
import { excerpt } from "../../util/terminal.js";
import type { Origin, RawRecord } from "../record.js";
import { decodeUtf8, longerThan, MAX_RECORD_BYTES, NOT_UTF8, readTextBytes } from "./bytes.js";

/** A record as fields, or why it has none. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] } | CsvProblem;
interface CsvProblem {
  readonly line: number;
  readonly problem: string;
}

/** @throws UserError  no header, or a name in it occurs twice */
export async function* readCsv(file: string): AsyncGenerator<RawRecord[]> {
  let header: readonly string[] | undefined;
  const scanner = csvScanner(MAX_RECORD_BYTES);
  const named = (record: CsvRecord): RawRecord | undefined => {
    if (header === undefined) {
      header = checkHeader(file, record);
      return undefined;
    }
    return nameFields({ file, line: record.line, unit: "line" }, header, record);
  };
  for await (const chunk of readTextBytes(file)) {
    const records = scanner.push(chunk).flatMap((record) => named(record) ?? []);
    if (records.length > 0) yield records;
  }
  const last = scanner.end();
  const record = last === undefined ? undefined : named(last);
  if (record !== undefined) yield [record];
}

function checkHeader(file: string, record: CsvRecord): readonly string[] {
  if ("problem" in record) throw new UserError(`${file}:${record.line}: bad header: ${record.problem}`);
  const seen = new Set<string>();
  for (const name of record.fields) {
    // Kaggle's files leave the name of the row-number column empty
    if (name !== "" && seen.has(name))
      throw new UserError(`${file}:${record.line}: two columns are named "${excerpt(name)}"`);
    seen.add(name);
  }
  return record.fields;
}

function nameFields(at: Origin, header: readonly string[], record: CsvRecord): RawRecord {
  if ("problem" in record) return { kind: "bad", at, reason: record.problem };
  if (record.fields.length !== header.length) {
    return { kind: "bad", at, reason: `${record.fields.length} fields, but the header names ${header.length} columns` };
  }
  // without a prototype, so that a column named __proto__ is a column like any other
  const value = Object.create(null) as Record<string, string>;
  header.forEach((name, i) => {
    value[name] = record.fields[i] ?? "";
  });
  return { kind: "record", at, value };
}

export interface CsvScanner {
  push(chunk: Buffer): CsvRecord[];
  end(): CsvRecord | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/**
 * `open`: at the start of a field; `plain`: in a field without quotes, where a quote is text, as in Python; `quoted`;
 * `closed`: after a quote inside a quoted field, which either ended it or was the first of a doubled one.
 */
type State = "open" | "plain" | "quoted" | "closed";

export function csvScanner(limit: number): CsvScanner {
  let state: State = "open";
  let line = 1;
  let began = 1;
  let quoteLine = 0;
  let fields: string[] = [];
  const field = growingBytes();
  let recordBytes = 0;
  let problem: string | undefined;

  const endField = (): void => {
    const text = decodeUtf8(field.bytes());
    if (text === undefined) problem ??= NOT_UTF8;
    else if (problem === undefined) fields.push(text);
    field.clear();
    state = "open";
  };
  const endRecord = (): CsvRecord | undefined => {
    if (state === "plain") field.dropLast(CR);
    const isBlank = fields.length === 0 && field.length() === 0 && state !== "closed" && problem === undefined;
    if (isBlank) field.clear();
    else endField();
    const record = problem === undefined ? { line: began, fields } : { line: began, problem };
    fields = [];
    recordBytes = 0;
    problem = undefined;
    state = "open";
    return isBlank ? undefined : record;
  };
  const tooLong = (): void => {
    problem ??= `the record is ${longerThan(limit)}${state === "quoted" ? ` (a quote opened on line ${quoteLine} is not closed)` : ""}`;
    field.clear();
  };
  const add = (byte: number): void => {
    if (recordBytes <= limit) field.add(byte);
  };
  const step = (byte: number): void => {
    if (++recordBytes > limit) tooLong();
    if (state === "quoted") {
      if (byte === QUOTE) state = "closed";
      else add(byte);
    } else if (byte === COMMA) endField();
    else if (byte === QUOTE && state === "closed") {
      add(byte);
      state = "quoted";
    } else if (byte === QUOTE && state === "open") {
      state = "quoted";
      quoteLine = line;
    } else if (state === "closed") {
      if (byte !== CR) problem ??= `text after a closing quote (the quote opened on line ${quoteLine})`;
    } else {
      state = "plain";
      add(byte);
    }
  };
  return {
    push(chunk) {
      const records: CsvRecord[] = [];
      for (const byte of chunk) {
        if (byte === LF && state !== "quoted") {
          const record = endRecord();
          if (record !== undefined) records.push(record);
          began = line + 1;
        } else step(byte);
        if (byte === LF) line++;
      }
      return records;
    },
    end() {
      if (state === "quoted") problem ??= `the quote opened on line ${quoteLine} is never closed`;
      return endRecord();
    },
  };
}

/** A byte buffer that grows by doubling, from small: what it holds was read, never what a file claims. */
function growingBytes(): {
  add(byte: number): void;
  bytes(): Uint8Array;
  length(): number;
  clear(): void;
  dropLast(byte: number): void;
} {
  let buffer = new Uint8Array(4096);
  let used = 0;
  return {
    add(byte) {
      if (used === buffer.length) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
      buffer[used++] = byte;
    },
    bytes: () => buffer.subarray(0, used),
    length: () => used,
    clear() {
      used = 0;
    },
    dropLast(byte) {
      if (used > 0 && buffer[used - 1] === byte) used--;
    },
  };
}
