/**
 * Rows to score, from a file or from memory, as ids.
 * May not know: engines.
 */

import { own } from "../data/fields.js";
import { formatOfPath, formats } from "../data/formats/formats.js";
import { collectExamples } from "../data/load.js";
import { formatOrigin } from "../data/record.js";
import { instructionWithInput } from "../data/sets/input.js";
import { unreadInRow, WEIGHT_KEYS } from "../data/unread.js";
import type { ScoreRequest } from "../engine/requests.js";
import type { Template } from "../options/template.js";
import { instructionOf, responseOf } from "../records/example.js";
import { type ScoreInput, scoreInputSchema } from "../records/scores.js";
import { type BosChoice, renderPair } from "../text/render.js";
import type { TextModel } from "../text/tokenizer.js";
import { present, UserError } from "../util/errors.js";
import { uniqueNames } from "../util/names.js";
import { option, words } from "../util/words.js";

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

const TEXTS = ["instruction", "response", "messages", "input"];
const IDS = ["prompt_ids", "response_ids"];
const hasKey = (value: Record<string, unknown>, key: string): boolean => (own(value, key) ?? null) !== null;

function toRow(value: unknown, where: string, index: number, text: TextModel, options: RowOptions): ScoreRow {
  const parsed = scoreInputSchema.safeParse(value);
  if (!parsed.success) {
    throw new UserError(`${where}: neither {instruction, response} nor {prompt_ids, response_ids}`, {
      remedy: "both texts must be strings, or both lists hold token ids",
    });
  }
  const row = parsed.data;
  const keys = value as Record<string, unknown>; // the schema has seen an object
  if (TEXTS.some((key) => hasKey(keys, key)) && IDS.some((key) => hasKey(keys, key)))
    throw new UserError(`${where}: texts and ids in one row`, { remedy: "keep those that are to be scored" });
  const id = row.id ?? `row_${index}`;
  const pair =
    "prompt_ids" in row
      ? fromIds(row)
      : renderPair(text, options.template, textsOf(keys, row.response, where), options);
  if (pair.responseIds.length === 0) {
    throw new UserError(`${where}: the response has no tokens, so there is nothing to score`, {
      remedy: words`leave the row out, or take back ${option("eos", false)} so that its EOS is scored`,
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

/** @throws UserError  the row says more than its instruction, input and response */
function textsOf(
  value: Record<string, unknown>,
  response: string,
  where: string,
): { readonly instruction: string; readonly response: string } {
  const instruction = instructionWithInput(value);
  if ("problem" in instruction)
    throw new UserError(`${where}: ${instruction.problem}`, { remedy: "fix or delete the row" });
  const messages = [
    { role: "user" as const, content: instruction.text },
    { role: "assistant" as const, content: response },
  ];
  const unread = unreadInRow(value, messages, WEIGHT_KEYS);
  if (unread !== undefined) throw new UserError(`${where}: ${unread}`, { remedy: "nothing is dropped silently" });
  return { instruction: instruction.text, response };
}

const fromIds = (row: { prompt_ids: number[]; response_ids: number[] }) => ({
  promptIds: row.prompt_ids,
  responseIds: row.response_ids,
  merged: false,
});

/** Instruction and response of every example of a data set, as `score` takes them; of a dialogue its first exchange. */
export async function scorePairs(data: string, limit?: number | "all"): Promise<ScoreInput[]> {
  const { examples } = await collectExamples(data, limit === undefined ? {} : { limit });
  return examples.map((example) => ({
    id: example.id,
    instruction: instructionOf(example),
    response: responseOf(example),
  }));
}
