/**
 * What is in a data file: rows and what became of them, duplicates, empty fields, lengths, licence, sha256, and whether the
 * number of examples is the paper's. It shows bad rows instead of stopping at them.
 * May not know: tokens; how the report is shown.
 *
 * Memory: 22 characters of hash a text and 8 bytes a length, so a million rows take some 200 MB; the texts are not kept.
 */

import { createHash } from "node:crypto";
import { codePoints } from "../util/code-points.js";
import { sha256File } from "../util/files.js";
import { inputSize } from "../util/input.js";
import { plural } from "../util/progress.js";
import { type Format, formats } from "./formats/formats.js";
import {
  type Counted,
  effectiveLimit,
  type LoadOptions,
  type LoadReport,
  newLoadReport,
  readOutcomes,
} from "./load.js";
import { type BadRecord, type LoadedExample, type Origin, placeInFile } from "./record.js";
import type { DataSpec } from "./spec.js";

export interface DataCheck {
  readonly spec: string;
  readonly data_set: string;
  readonly file: string;
  readonly format: Format;
  readonly format_title: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: string;
  readonly source: string;
  /** Records read, and what became of them: records = examples + left out + bad. */
  readonly records: number;
  readonly examples: number;
  readonly limit: number | null;
  readonly stopped_at_limit: boolean;
  readonly paper_rows: number | null;
  readonly left_out: readonly ReasonCount[];
  readonly bad: number;
  readonly first_bad: readonly BadRow[];
  readonly multi_turn: number;
  /** Number of messages to number of examples. */
  readonly messages: Readonly<Record<string, number>>;
  readonly duplicates: Duplicates;
  readonly empty: { readonly instructions: number; readonly responses: number };
  readonly characters: { readonly instruction: LengthStats | null; readonly response: LengthStats | null };
  readonly notes: readonly ReasonCount[];
  readonly warnings: readonly string[];
}

/** `row` is known in JSON arrays; `place` says it all in words: `line 3`, `row 3 (line 7)`. */
export interface BadRow {
  readonly line: number;
  readonly unit: Origin["unit"];
  readonly row?: number;
  readonly place: string;
  readonly reason: string;
}

export interface ReasonCount {
  readonly reason: string;
  readonly count: number;
  /** The first five places. */
  readonly lines: readonly number[];
  readonly places: readonly string[];
}

/** How many examples repeat an earlier one in this respect. */
export interface Duplicates {
  readonly ids: number;
  readonly instructions: number;
  readonly responses: number;
  /** All messages the same. */
  readonly examples: number;
}

/** Characters are Unicode code points, as in Python. */
export interface LengthStats {
  readonly min: number;
  readonly median: number;
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

/** @throws UserError  the file cannot be read at all */
export async function checkData(spec: DataSpec, options: Pick<LoadOptions, "limit"> = {}): Promise<DataCheck> {
  const bytes = await inputSize(spec.path);
  const report = newLoadReport();
  const tally = newTally();
  for await (const outcome of readOutcomes(spec, { ...options, prompts: "auto", report })) {
    if (outcome.kind === "example") addExample(tally, outcome.example);
  }
  const limit = effectiveLimit(spec.dataSet, options.limit);
  return {
    spec: spec.text,
    data_set: spec.dataSet.name,
    file: spec.path,
    format: spec.format,
    format_title: formats[spec.format].title,
    bytes: bytes,
    sha256: await sha256File(spec.path),
    licence: spec.dataSet.licence,
    source: spec.dataSet.source,
    records: report.records,
    examples: report.examples,
    limit: Number.isFinite(limit) ? limit : null,
    stopped_at_limit: report.stoppedAtLimit,
    paper_rows: spec.dataSet.paperRows ?? null,
    left_out: reasonCounts(report.leftOut),
    bad: report.bad,
    first_bad: report.firstBad.map(badRow),
    ...summaryOf(tally),
    notes: reasonCounts(report.notes),
    warnings: warningsOf(spec, report, tally),
  };
}

const reasonCounts = (counts: ReadonlyMap<string, Counted>): ReasonCount[] =>
  [...counts].map(([reason, { count, first }]) => ({
    reason,
    count,
    lines: first.map((at) => at.line),
    places: first.map(placeInFile),
  }));

const badRow = ({ at, reason }: BadRecord): BadRow => ({
  line: at.line,
  unit: at.unit,
  ...(at.row === undefined ? {} : { row: at.row }),
  place: placeInFile(at),
  reason,
});

interface Tally {
  readonly ids: Repeats;
  readonly instructions: Repeats;
  readonly responses: Repeats;
  readonly examples: Repeats;
  readonly messages: Map<number, number>;
  readonly instructionLengths: number[];
  readonly responseLengths: number[];
  emptyInstructions: number;
  emptyResponses: number;
  withoutResponse: number;
}

const newTally = (): Tally => ({
  ids: repeats(),
  instructions: repeats(),
  responses: repeats(),
  examples: repeats(),
  messages: new Map(),
  instructionLengths: [],
  responseLengths: [],
  emptyInstructions: 0,
  emptyResponses: 0,
  withoutResponse: 0,
});

function addExample(tally: Tally, { id, messages }: LoadedExample): void {
  tally.ids.add(id);
  tally.messages.set(messages.length, (tally.messages.get(messages.length) ?? 0) + 1);
  tally.examples.add(JSON.stringify(messages));
  const first = messages[0];
  if (first !== undefined) tally.instructions.add(first.content);
  const last = messages.at(-1);
  if (last?.role === "assistant") tally.responses.add(last.content);
  else tally.withoutResponse++;
  for (const { role, content } of messages) {
    const empty = content.trim() === "" ? 1 : 0;
    if (role === "user") {
      tally.emptyInstructions += empty;
      tally.instructionLengths.push(codePoints(content));
    } else {
      tally.emptyResponses += empty;
      tally.responseLengths.push(codePoints(content));
    }
  }
}

function summaryOf(tally: Tally): Pick<DataCheck, "multi_turn" | "messages" | "duplicates" | "empty" | "characters"> {
  const lengths = [...tally.messages].sort(([a], [b]) => a - b);
  return {
    multi_turn: lengths.reduce((sum, [messages, examples]) => sum + (messages > 2 ? examples : 0), 0),
    messages: Object.fromEntries(lengths),
    duplicates: {
      ids: tally.ids.count(),
      instructions: tally.instructions.count(),
      responses: tally.responses.count(),
      examples: tally.examples.count(),
    },
    empty: { instructions: tally.emptyInstructions, responses: tally.emptyResponses },
    characters: { instruction: lengthStats(tally.instructionLengths), response: lengthStats(tally.responseLengths) },
  };
}

function warningsOf(spec: DataSpec, report: LoadReport, tally: Tally): string[] {
  const { paperRows, name } = spec.dataSet;
  const warnings: string[] = [];
  if (paperRows !== undefined && report.examples !== paperRows) {
    warnings.push(`${plural(report.examples, "example")}, but the paper has ${paperRows} of ${name}`);
  }
  if (report.examples === 0) warnings.push("no examples");
  if (tally.emptyResponses > 0) {
    warnings.push(`${tally.emptyResponses} empty responses: they teach the model to stop at once`);
  }
  if (tally.ids.count() > 0) warnings.push(`${tally.ids.count()} ids occur again: results cannot be joined on them`);
  if (tally.withoutResponse > 0) {
    warnings.push(`${tally.withoutResponse} rows without a response: prompts to generate from, not training data`);
  }
  return warnings;
}

interface Repeats {
  add(text: string): void;
  /** How many were there before. */
  count(): number;
}

function repeats(): Repeats {
  const seen = new Set<string>();
  let added = 0;
  return {
    add(text) {
      added++;
      seen.add(createHash("sha256").update(text).digest("base64").slice(0, 22));
    },
    count: () => added - seen.size,
  };
}

/** @returns null for no lengths; the median of an even number is the mean of the middle two, p95 the nearest rank */
export function lengthStats(lengths: readonly number[]): LengthStats | null {
  const sorted = Float64Array.from(lengths).sort();
  const n = sorted.length;
  if (n === 0) return null;
  const at = (i: number): number => sorted[i] ?? 0;
  return {
    min: at(0),
    median: (at(Math.floor((n - 1) / 2)) + at(Math.ceil((n - 1) / 2))) / 2,
    mean: sorted.reduce((sum, length) => sum + length, 0) / n,
    p95: at(Math.ceil(0.95 * n) - 1),
    max: at(n - 1),
  };
}
