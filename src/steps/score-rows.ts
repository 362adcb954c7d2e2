/**
 * Rows to score, from a file or from memory, as ids.
 * May not know: engines.
 */
import { formatOfPath, formats } from "../data/formats/formats.js";
import { formatOrigin } from "../data/record.js";
import type { ScoreRequest } from "../engines/engine.js";
import { type ScoreInput, scoreInputSchema } from "../records/scores.js";
import { type BosChoice, renderPair } from "../text/render.js";
import type { Template } from "../text/template.js";
import type { TextModel } from "../text/tokenizer.js";
import { present, UserError } from "../util/errors.js";
import { uniqueNames } from "../util/names.js";

export interface ScoreRow {
  /** The row's own name. */
  readonly id: string;
  /** With a name that no other row has. */
  readonly request: ScoreRequest;
  readonly merged: boolean;
}

export interface RowOptions {
  readonly template: Template;
  readonly bos: BosChoice;
  readonly eos: boolean;
  readonly limit?: number | undefined;
}

/**
 * @param input  a `.jsonl` or `.json` file, or the rows
 * @throws UserError  a row is neither texts nor ids, or has nothing to score; with file and line
 */
export async function readScoreRows(
  input: string | readonly ScoreInput[],
  text: TextModel,
  options: RowOptions,
): Promise<ScoreRow[]> {
  const rows: ScoreRow[] = [];
  for await (const { value, where } of typeof input === "string" ? valuesOf(input) : given(input)) {
    if (rows.length === options.limit) break;
    rows.push(toRow(value, where, rows.length, text, options));
  }
  if (rows.length === 0) throw new UserError("there are no rows to score", { remedy: "give at least one" });
  const names = uniqueNames(rows.map(({ request }) => request.id));
  return rows.map((row, i) => ({ ...row, request: { ...row.request, id: present(names[i], "name") } }));
}

interface Placed {
  readonly value: unknown;
  readonly where: string;
}

async function* valuesOf(path: string): AsyncGenerator<Placed> {
  const format = formatOfPath(path, ["jsonl", "json"]);
  if (format === undefined) {
    throw new UserError(`"${path}" does not end in .jsonl or .json`, { remedy: "write one row a line, as JSON" });
  }
  for await (const records of formats[format].read(path)) {
    for (const record of records) {
      if (record.kind === "bad")
        throw new UserError(`${formatOrigin(record.at)}: ${record.reason}`, { remedy: "fix or delete the row" });
      yield { value: record.value, where: formatOrigin(record.at) };
    }
  }
}

async function* given(rows: readonly ScoreInput[]): AsyncGenerator<Placed> {
  for (const [i, value] of rows.entries()) yield { value, where: `row ${i + 1}` };
}

function toRow(value: unknown, where: string, index: number, text: TextModel, options: RowOptions): ScoreRow {
  const parsed = scoreInputSchema.safeParse(value);
  if (!parsed.success) {
    throw new UserError(`${where}: neither {instruction, response} nor {prompt_ids, response_ids}`, {
      remedy: "both texts must be strings, or both lists hold token ids",
    });
  }
  const row = parsed.data;
  const id = row.id ?? `row_${index}`;
  const pair = "prompt_ids" in row ? fromIds(row) : renderPair(text, options.template, row, options);
  if (pair.responseIds.length === 0) {
    throw new UserError(`${where}: the response has no tokens, so there is nothing to score`, {
      remedy: "leave the row out, or score its EOS (without --no-eos)",
    });
  }
  if (pair.promptIds.length === 0) {
    throw new UserError(`${where}: the prompt has no ids, so nothing predicts the first token of the response`, {
      remedy: "give at least one id, for instance the BOS",
    });
  }
  const { promptIds, responseIds, merged } = pair;
  return { id, request: { id: `${id} (${where})`, promptIds, responseIds }, merged };
}

const fromIds = (row: { prompt_ids: number[]; response_ids: number[] }) => ({
  promptIds: row.prompt_ids,
  responseIds: row.response_ids,
  merged: false,
});
