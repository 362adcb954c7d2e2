/**
 * The main path: a spec in, examples out, in file order and constant memory. A bad row stops the load with one error that
 * names the first of them and counts all; a row that the paper leaves out is counted in the report.
 * May not know: tokens, templates.
 */
import type { Example } from "../records/example.js";
import { UserError } from "../util/errors.js";
import { isObject } from "../util/json.js";
import { keysOf } from "./fields.js";
import { formats } from "./formats/formats.js";
import {
  type BadRecord,
  type LoadedExample,
  type Origin,
  type PlacedOutcome,
  placeInFile,
  type RawRecord,
} from "./record.js";
import type { DataSet } from "./sets/data-set.js";
import { type DataSpec, parseDataSpec } from "./spec.js";
import { unreadInRow } from "./unread.js";

/** How many places of a kind are kept for display. */
export const SHOWN = 5;

export interface LoadOptions {
  /** At most this many examples from the front; the data set's own default where absent; "all" for no limit. */
  readonly limit?: number | "all";
  /**
   * Whether rows without a response pass (they end with the user's message); otherwise they are bad rows. "auto": they do
   * where the first example is one, so that a file of prompts passes and a forgotten response does not.
   */
  readonly prompts?: boolean | "auto";
  /** Filled while examples are drawn. */
  readonly report?: LoadReport;
}

/** What became of the records read so far. */
export interface LoadReport {
  records: number;
  examples: number;
  /** Reason to count and first places. */
  readonly leftOut: Map<string, Counted>;
  readonly notes: Map<string, Counted>;
  bad: number;
  readonly firstBad: BadRecord[];
  /** The limit was reached before the file's end was. */
  stoppedAtLimit: boolean;
}

export interface Counted {
  count: number;
  readonly first: Origin[];
}

export const newLoadReport = (): LoadReport => ({
  records: 0,
  examples: 0,
  leftOut: new Map(),
  notes: new Map(),
  bad: 0,
  firstBad: [],
  stoppedAtLimit: false,
});

/** The limit that holds: the caller's, else the data set's, else none. */
export function effectiveLimit(dataSet: DataSet, limit: number | "all" | undefined): number {
  if (limit === "all") return Number.POSITIVE_INFINITY;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new UserError(`the limit is ${limit} rows`, { remedy: "give a whole number above 0, or all" });
  }
  return limit ?? dataSet.limit ?? Number.POSITIVE_INFINITY;
}

/**
 * The examples of a data set, one after the other.
 *
 * @throws UserError  the file cannot be read; or it has bad rows: raised after the rest has been read (up to the limit), with
 *   the first five places and the number of all. Examples before the first bad row have been given by then; none after it is.
 */
export async function* loadExamples(
  spec: DataSpec | string,
  options: LoadOptions = {},
): AsyncGenerator<LoadedExample, void, undefined> {
  const resolved = typeof spec === "string" ? parseDataSpec(spec) : spec;
  const report = options.report ?? newLoadReport();
  for await (const outcome of readOutcomes(resolved, { ...options, report })) {
    if (outcome.kind === "example" && report.bad === 0) yield outcome.example;
  }
  refuseBadRows(resolved, report);
}

/** All of them, with the report. For files that fit in memory. */
export async function collectExamples(
  spec: DataSpec | string,
  options: LoadOptions = {},
): Promise<{ readonly examples: LoadedExample[]; readonly report: LoadReport }> {
  const report = options.report ?? newLoadReport();
  const examples: LoadedExample[] = [];
  for await (const example of loadExamples(spec, { ...options, report })) examples.push(example);
  return { examples, report };
}

/** What became of each record, bad ones included: for the check, which shows them instead of stopping. */
export async function* readOutcomes(
  spec: DataSpec,
  options: LoadOptions & { readonly report: LoadReport },
): AsyncGenerator<PlacedOutcome, void, undefined> {
  const { report } = options;
  const limit = effectiveLimit(spec.dataSet, options.limit);
  let prompts = options.prompts ?? false;
  for await (const batch of formats[spec.format].read(spec.path)) {
    for (const raw of batch) {
      if (report.examples >= limit) {
        report.stoppedAtLimit = true;
        return;
      }
      const outcome = judge(spec, raw, report.records, prompts !== false);
      if (prompts === "auto" && outcome.kind === "example") prompts = isPrompt(outcome.example);
      report.records++;
      count(report, outcome);
      yield outcome;
    }
  }
}

function judge(spec: DataSpec, raw: RawRecord, index: number, prompts: boolean): PlacedOutcome {
  if (raw.kind === "bad") return raw;
  const { at } = raw;
  const outcome = spec.dataSet.toOutcome({ value: raw.value, index });
  if (outcome.kind !== "example") return { ...outcome, at };
  if (!prompts && isPrompt(outcome.example)) {
    const keys = isObject(raw.value) ? `${keysOf(raw.value)}; ` : "";
    return { kind: "bad", at, reason: `no response (${keys}instructions alone are prompts, not training data)` };
  }
  const { messages } = outcome.example;
  const unread = isObject(raw.value) ? unreadInRow(raw.value, messages, spec.dataSet.leavesAside) : undefined;
  if (unread !== undefined) return { kind: "bad", at, reason: unread };
  return { ...outcome, example: { ...outcome.example, at } };
}

const isPrompt = (example: Example): boolean => example.messages.at(-1)?.role !== "assistant";

function count(report: LoadReport, outcome: PlacedOutcome): void {
  switch (outcome.kind) {
    case "example":
      report.examples++;
      if (outcome.note !== undefined) tally(report.notes, outcome.note, outcome.example.at);
      return;
    case "left-out":
      tally(report.leftOut, outcome.reason, outcome.at);
      return;
    case "bad":
      report.bad++;
      if (report.firstBad.length < SHOWN) report.firstBad.push(outcome);
      return;
    default:
      outcome satisfies never;
  }
}

/** One more for that reason. */
export function tally(counts: Map<string, Counted>, reason: string, at: Origin): void {
  const entry = counts.get(reason) ?? { count: 0, first: [] };
  entry.count++;
  if (entry.first.length < SHOWN) entry.first.push(at);
  counts.set(reason, entry);
}

/** @throws UserError  where the report counts bad rows */
export function refuseBadRows(spec: DataSpec, report: LoadReport): void {
  if (report.bad === 0) {
    if (report.examples === 0)
      throw new UserError(`${spec.path} has no examples${whyNone(report)}`, { remedy: "check the file" });
    return;
  }
  const places = report.firstBad.map(({ at, reason }) => `${placeInFile(at)}: ${reason}`);
  const more = report.bad > places.length ? `; and ${report.bad - places.length} more` : "";
  const rows = report.bad === 1 ? "1 bad row" : `${report.bad} bad rows`;
  throw new UserError(`${spec.path} has ${rows}: ${places.join("; ")}${more}`, {
    remedy: "fix or delete them; nothing is dropped silently",
  });
}

function whyNone(report: LoadReport): string {
  const reasons = [...report.leftOut].map(([reason, { count: n }]) => `${n} left out: ${reason}`);
  return reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
}
