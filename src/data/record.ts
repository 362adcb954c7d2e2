/**
 * What passes through this folder: a record as the file has it, where it stands, and what became of it.
 * May not know: file formats, data sets, tokens.
 */
import type { Example } from "../records/example.js";

/** Where a record begins. Parquet has no lines; there `unit` is "row". Both count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly unit: "line" | "row";
  /** Which element of a JSON array it is, from 1: arrays are often written on one line. */
  readonly row?: number;
}

/** `line 3`, `row 3`, or `row 3 (line 7)`. On the first line of an array the row says all. */
export function placeInFile({ line, unit, row }: Origin): string {
  if (row === undefined) return `${unit} ${line}`;
  return line === 1 ? `row ${row}` : `row ${row} (line ${line})`;
}

export const formatOrigin = (at: Origin): string =>
  at.unit === "line" && at.row === undefined ? `${at.file}:${at.line}` : `${at.file}, ${placeInFile(at)}`;

/** An example, and the subset that its row names (AlpacaEval's `dataset`), where a data set passes it on. */
export interface SetExample extends Example {
  readonly dataset?: string;
}

/** An example that knows where it came from. */
export interface LoadedExample extends SetExample {
  readonly at: Origin;
}

/** What a format reader gives: a value that nobody has looked into yet, or the reason why there is none. */
export type RawRecord = { readonly kind: "record"; readonly at: Origin; readonly value: unknown } | BadRecord;

export interface BadRecord {
  readonly kind: "bad";
  readonly at: Origin;
  readonly reason: string;
}

/**
 * What a data set makes of one record. `left-out` is what the paper itself leaves out, counted with its reason;
 * `bad` is a defect of the file and stops a load.
 */
export type Outcome =
  | { readonly kind: "example"; readonly example: SetExample; readonly note?: string }
  | { readonly kind: "left-out"; readonly reason: string }
  | { readonly kind: "bad"; readonly reason: string };

export const bad = (reason: string): Outcome => ({ kind: "bad", reason });
export const leftOut = (reason: string): Outcome => ({ kind: "left-out", reason });

/** An outcome of one record of a file, at its place. */
export type PlacedOutcome =
  | { readonly kind: "example"; readonly example: LoadedExample; readonly note?: string }
  | { readonly kind: "left-out"; readonly at: Origin; readonly reason: string }
  | BadRecord;
