/**
 * Instructions to answer: AlpacaEval's JSON, JSON lines with `instruction` (or `messages`, of which the first counts), a
 * named data set, or plain text with one instruction a line.
 * May not know: models.
 */
import { extname } from "node:path";
import { instructionOf } from "../records/example.js";
import { UserError } from "../util/errors.js";
import { isObject } from "../util/json.js";
import { readLines } from "./formats/lines.js";
import { effectiveLimit, type LoadOptions, loadExamples, newLoadReport, tally } from "./load.js";
import { formatOrigin, type Origin } from "./record.js";
import { LATER_TURNS, prompts } from "./sets/prompts.js";
import { isNamed, parseDataSpec } from "./spec.js";
import { unreadInRow } from "./unread.js";

export interface Prompt {
  readonly id: string;
  readonly instruction: string;
  /** AlpacaEval's `dataset`, where the row names one. */
  readonly dataset?: string;
  readonly at: Origin;
}

/**
 * @param options.report  notes which prompts were dialogues, of which the first instruction alone is asked
 * @param source  a path ending in .json, .jsonl, .ndjson, .csv, .parquet or .txt, or `NAME:PATH` of a named data set
 * @throws UserError  as `loadExamples`; or a line of plain text that is not UTF-8
 */
export async function* loadPrompts(
  source: string,
  options: Pick<LoadOptions, "limit" | "report"> = {},
): AsyncGenerator<Prompt, void, undefined> {
  if (!isNamed(source) && extname(source).toLowerCase() === ".txt") {
    yield* plainLines(source, options.limit);
    return;
  }
  const spec = parseDataSpec(source, prompts);
  const report = options.report ?? newLoadReport();
  for await (const example of loadExamples(spec, { ...options, report, prompts: true })) {
    const { id, at, dataset, messages } = example;
    if (messages.length > 2) tally(report.notes, LATER_TURNS, at); // of a named data set; other prompts are noted where they are read
    yield { id, instruction: instructionOf(example), at, ...(dataset === undefined ? {} : { dataset }) };
  }
}

/**
 * Prompts in memory, held to the same as rows of a file.
 * @throws UserError  one is no prompt, or has content that would be lost
 */
export function promptsFrom(rows: readonly unknown[]): Omit<Prompt, "at">[] {
  return rows.map((value, index) => {
    const outcome = prompts.toOutcome({ value, index });
    const reason =
      outcome.kind === "example"
        ? isObject(value) && unreadInRow(value, outcome.example.messages, prompts.leavesAside)
        : outcome.reason;
    if (outcome.kind !== "example" || typeof reason === "string")
      throw new UserError(`prompt ${index + 1}: ${reason}`, { remedy: "fix or leave it out" });
    const { id, dataset } = outcome.example;
    return { id, instruction: instructionOf(outcome.example), ...(dataset === undefined ? {} : { dataset }) };
  });
}

/** One instruction a line; lines of white space alone are none. */
async function* plainLines(file: string, asked: number | "all" | undefined): AsyncGenerator<Prompt, void, undefined> {
  const limit = effectiveLimit(prompts, asked);
  let given = 0;
  for await (const lines of readLines(file)) {
    for (const line of lines) {
      const at = { file, line: line.number, unit: "line" } as const;
      if ("problem" in line) throw new UserError(`${formatOrigin(at)}: ${line.problem}`);
      if (line.text.trim() === "") continue;
      if (given >= limit) return;
      yield { id: `prompt_${given++}`, instruction: line.text, at };
    }
  }
  if (given === 0) throw new UserError(`${file} has no instructions`, { remedy: "write one a line" });
}
