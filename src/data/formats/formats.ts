/**
 * The formats a data file may have: which ending means which, and who reads it.
 * May not know: data sets.
 */
import { extname } from "node:path";
import type { RawRecord } from "../record.js";
import { readCsv } from "./csv.js";
import { readJson } from "./json-array.js";
import { readJsonl } from "./jsonl.js";
import { readParquet } from "./parquet.js";
import { readPgn, readPgnRows } from "./pgn.js";

export type Format = "jsonl" | "json" | "csv" | "parquet" | "pgn" | "pgn-parquet";

/** Batches of records in file order. */
export type RecordReader = (file: string) => AsyncGenerator<RawRecord[]>;

interface FormatEntry {
  readonly title: string;
  readonly endings: readonly string[];
  readonly read: RecordReader;
}

export const formats: Readonly<Record<Format, FormatEntry>> = {
  jsonl: { title: "JSON lines", endings: [".jsonl", ".ndjson"], read: (file) => readJsonl(file) },
  json: { title: "JSON array", endings: [".json"], read: (file) => readJson(file) },
  csv: { title: "CSV", endings: [".csv"], read: (file) => readCsv(file) },
  parquet: { title: "Parquet", endings: [".parquet"], read: readParquet },
  pgn: { title: "PGN", endings: [".pgn", ".txt"], read: (file) => readPgn(file) },
  "pgn-parquet": { title: "Parquet with one PGN line a row", endings: [".parquet"], read: readPgnRows },
};

/** The first of `among` whose ending the path has. */
export function formatOfPath(path: string, among: readonly Format[]): Format | undefined {
  const ending = extname(path).toLowerCase();
  return among.find((format) => formats[format].endings.includes(ending));
}
