/**
 * `--lc-data DIR` and `--folds FILE`: what a length-controlled fit needs beside annotations, in our layout of JSON files or in
 * AlpacaEval's two CSV files.
 * May not know: what is fitted with it.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCsv } from "../../data/formats/csv.js";
import { formatOrigin } from "../../data/record.js";
import {
  difficultySchema,
  foldsSchema,
  type GamedBaseline,
  gamedBaselineSchema,
  LARGEST,
  MAX_ROWS,
  promptListSchema,
} from "../../records/length-control.js";
import type { GamedRows } from "../../stats/length-control.js";
import { UserError } from "../../util/errors.js";
import { readJsonAs } from "../../util/json.js";
import { quoted, shorten } from "../../util/terminal.js";
import { option, words } from "../../util/words.js";

export interface LcData {
  readonly folder: string;
  /** By place in the list of instructions. */
  readonly difficulty: Float64Array;
  /** Prompts are places in the list. Absent where the folder has none. */
  readonly gamed: GamedRows | undefined;
  /** The list itself, where the folder has it. */
  readonly instructions: readonly string[] | undefined;
}

const FETCH_AGAIN = "fetch it again; docs/guide/winrate.md says from where";

/** AlpacaEval's λ of 0.2, shared by its two gamed models. */
const GAMED_WEIGHT = 0.1;

/** @throws UserError  no such folder, nothing in it that we know, or a file that is not what its name says */
export async function readLcData(folder: string): Promise<LcData> {
  const at = (name: string): string | undefined => (existsSync(join(folder, name)) ? join(folder, name) : undefined);
  const [json, gamedJson, list] = [at("instruction-difficulty.json"), at("gamed-baseline.json"), at("prompts.json")];
  const [gamedCsv, difficultyCsv] = [at("df_gamed.csv"), at("instruction_difficulty.csv")];
  const instructions =
    list === undefined
      ? undefined
      : (await readJsonAs(list, promptListSchema, FETCH_AGAIN)).map(({ instruction }) => instruction);
  if (instructions !== undefined && new Set(instructions).size < instructions.length) {
    throw new UserError(`${folder}/prompts.json names an instruction twice`, { remedy: "name each once, in order" });
  }
  if (json !== undefined) {
    const difficulty = Float64Array.from(await readJsonAs(json, difficultySchema, FETCH_AGAIN));
    if (instructions !== undefined && instructions.length !== difficulty.length) {
      throw new UserError(`${folder} has ${instructions.length} instructions and ${difficulty.length} difficulties`);
    }
    const gamed =
      gamedJson === undefined
        ? undefined
        : gamedFromJson(gamedJson, await readJsonAs(gamedJson, gamedBaselineSchema, FETCH_AGAIN), difficulty);
    return { folder, difficulty, gamed, instructions };
  }
  if (gamedCsv !== undefined) return { folder, instructions, ...(await gamedFromCsv(gamedCsv)) };
  if (difficultyCsv !== undefined) {
    return { folder, instructions, gamed: undefined, difficulty: await difficultyFromCsv(difficultyCsv) };
  }
  throw new UserError(`${folder} has neither instruction-difficulty.json nor df_gamed.csv`, {
    remedy: "name the folder that holds them; docs/guide/winrate.md says where they come from",
  });
}

/** @returns folds for a number of rows */
export async function readFolds(file: string): Promise<(n: number) => Uint8Array> {
  const folds = await readJsonAs(file, foldsSchema, FETCH_AGAIN);
  return (n) => {
    const digits = folds[String(n)];
    if (digits?.length !== n) {
      throw new UserError(`${file} has no folds for ${n} rows (it has them for ${Object.keys(folds).join(", ")})`, {
        remedy: words`leave ${option("folds")} out: rows are then dealt out by instruction`,
      });
    }
    return Uint8Array.from(digits, Number);
  };
}

function gamedFromJson(path: string, { models, rowWeight }: GamedBaseline, difficulty: Float64Array): GamedRows {
  const short = models.find(({ lenModel }) => lenModel.length !== difficulty.length);
  if (short !== undefined)
    throw new UserError(`${path}: ${short.name} has ${short.lenModel.length} rows, not ${difficulty.length}`);
  const places = models.flatMap(() => [...difficulty.keys()]);
  return {
    p: Float64Array.from(models.flatMap(({ preferenceStandIn }) => preferenceStandIn)),
    standardDifference: Float64Array.from(models.flatMap((model) => standardised(path, model))),
    difficulty: Float64Array.from(places, (place) => difficulty[place] as number),
    prompts: Int32Array.from(places),
    weight: rowWeight,
  };
}

/** Δ / sd(Δ), Δ = baseline − model, sd with n − 1. */
function standardised(path: string, { name, lenBaseline, lenModel }: GamedBaseline["models"][number]): number[] {
  const differences = lenBaseline.map((length, i) => length - (lenModel[i] ?? 0));
  const mean = differences.reduce((sum, d) => sum + d, 0) / differences.length;
  const sd = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (differences.length - 1));
  if (!(sd > 0))
    throw new UserError(
      `${quoted(path)}: the outputs of ${quoted(name)} differ from the baseline's by the same length everywhere`,
      { remedy: "take the file of a gamed baseline, whose outputs vary in length" },
    );
  return differences.map((d) => d / sd);
}

/** What a cell may hold. */
interface Column {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  /** An empty cell is no value, NaN. */
  readonly optional?: boolean;
}

const DIFFICULTY: Column = { name: "instruction_difficulty", min: -LARGEST, max: LARGEST };
const GAMED: readonly Column[] = [
  { name: "preference", min: 0, max: 1, optional: true },
  { name: "index", min: 0, max: MAX_ROWS - 1, whole: true },
  { name: "std_delta_len", min: -LARGEST, max: LARGEST },
  DIFFICULTY,
];

/** AlpacaEval's `df_gamed.csv`: preference from 0 to 1 (empty: none), index, std_delta_len, instruction_difficulty. */
async function gamedFromCsv(path: string): Promise<Pick<LcData, "difficulty" | "gamed">> {
  const rows = await numbers(path, GAMED);
  const difficulty: number[] = [];
  for (const [, index = 0, , value = 0] of rows) difficulty[index] ??= value;
  if (difficulty.length === 0 || Object.keys(difficulty).length !== difficulty.length) {
    throw new UserError(`${quoted(path)}: its index does not count from 0 without gaps`, {
      remedy: "get the file again: rows are missing",
    });
  }
  const kept = rows.filter(([p]) => !Number.isNaN(p));
  const column = (place: number): Float64Array => Float64Array.from(kept, (row) => row[place] as number);
  const gamed = {
    p: column(0),
    standardDifference: column(2),
    difficulty: column(3),
    prompts: Int32Array.from(column(1)),
    weight: GAMED_WEIGHT,
  };
  return { difficulty: Float64Array.from(difficulty), gamed };
}

/** AlpacaEval's `instruction_difficulty.csv`: the index in a column without a name, and the difficulty. */
async function difficultyFromCsv(path: string): Promise<Float64Array> {
  const rows = await numbers(path, [DIFFICULTY]);
  if (rows.length === 0) throw new UserError(`${quoted(path)} has no rows`, { remedy: "get the file again" });
  return Float64Array.from(rows, ([value]) => value as number);
}

/** Columns of a CSV as numbers, each finite and in its range. */
async function numbers(path: string, columns: readonly Column[]): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const records of readCsv(path)) {
    for (const record of records) {
      if (record.kind === "bad") throw new UserError(`${formatOrigin(record.at)}: ${record.reason}`);
      const fields = record.value as Readonly<Record<string, string>>;
      rows.push(columns.map((column) => cell(fields[column.name]?.trim(), column, formatOrigin(record.at))));
    }
    if (rows.length > 2 * MAX_ROWS) throw new UserError(`${quoted(path)} has more than ${2 * MAX_ROWS} rows`);
  }
  return rows;
}

/** A number as programs write it, in decimal. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function cell(
  text: string | undefined,
  { name, min, max, whole = false, optional = false }: Column,
  at: string,
): number {
  if (text === "" && optional) return Number.NaN;
  const value = text !== undefined && DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  const found = text === undefined ? "missing" : text === "" ? "empty" : quoted(shorten(text, 40));
  throw new UserError(
    `${at}: ${name} is ${found}, and must be ${whole ? "a whole number" : "a number"} from ${min} to ${max}`,
    {
      remedy: "get the file again, or correct the row",
    },
  );
}
