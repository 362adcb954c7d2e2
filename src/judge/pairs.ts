/**
 * Two files of outputs as pairs: an instruction with the baseline's answer and the model's.
 * May not know: judges.
 */
import { basename, extname } from "node:path";
import { z } from "zod";
import { withInput } from "../records/with-input.js";
import { UserError } from "../util/errors.js";
import { sha256, sha256File } from "../util/files.js";
import { LARGEST_ROWS, readJson } from "../util/json.js";
import { readJsonLines } from "../util/json-lines.js";
import { checked } from "../util/schema.js";
import { excerpt } from "../util/terminal.js";

/** What is read of a row; AlpacaEval's files hold more. */
const rowSchema = z.object({
  instruction: z.string(),
  /** As AlpacaFarm has it; `tacit generate` writes it behind the instruction. */
  input: z.string().nullish(),
  output: z.string(),
  generator: z.string().min(1).optional(),
  dataset: z.string().optional(),
  /** As `tacit generate` writes it; other tools may mean other things by it. */
  stop: z.enum(["eos", "length"]).optional().catch(undefined),
});
type OutputRow = Omit<z.infer<typeof rowSchema>, "input">;

export interface OutputSet {
  readonly path: string;
  readonly sha256: string;
  readonly generator: string;
  readonly rows: readonly OutputRow[];
}

export interface Pair {
  readonly instruction: string;
  readonly dataset: string | undefined;
  /** AlpacaEval's output_1. */
  readonly baseline: string;
  /** AlpacaEval's output_2. */
  readonly model: string;
  /** How each of them came to its end, where the file says so. */
  readonly stops?: { readonly baseline: Stop | undefined; readonly model: Stop | undefined };
}

type Stop = NonNullable<OutputRow["stop"]>;

const remedy = "outputs are JSON, [{instruction, output, generator}], as `tacit generate` and AlpacaEval write them";

/** @throws UserError  no such file, or a row that is no output, with its number */
export async function readOutputs(path: string): Promise<OutputSet> {
  return checkedOutputs(await readRows(path), path, await sha256File(path));
}

/** Outputs in memory, as `generate` gives them. @throws UserError  as `readOutputs` */
export const givenOutputs = (values: readonly unknown[]): OutputSet =>
  checkedOutputs(values, "outputs", sha256(JSON.stringify(values)));

function checkedOutputs(values: readonly unknown[], path: string, hash: string): OutputSet {
  const rows = values.map((value, i): OutputRow => {
    const { input, ...row } = checked(rowSchema, value, `${path}: row ${i + 1}`, remedy);
    return { ...row, instruction: withInput(row.instruction, input ?? "") };
  });
  if (rows.length === 0) throw new UserError(`${path} holds no outputs`, { remedy });
  return { path, sha256: hash, generator: generatorOf(rows, path), rows };
}

async function readRows(path: string): Promise<unknown[]> {
  if (!/\.(jsonl|ndjson)$/i.test(path)) {
    const value = await readJson(path, { most: LARGEST_ROWS, what: "outputs" });
    if (Array.isArray(value)) return value as unknown[];
    throw new UserError(`${path} is not a JSON array`, { remedy });
  }
  const rows: unknown[] = [];
  for await (const { value } of readJsonLines(path)) rows.push(value);
  return rows;
}

function generatorOf(rows: readonly OutputRow[], path: string): string {
  const names = new Set(rows.map(({ generator }) => generator ?? basename(path, extname(path))));
  const [name = "", other] = names;
  if (other === undefined) return name;
  throw new UserError(`${path} holds outputs of "${excerpt(name)}" and of "${excerpt(other)}"`, {
    remedy: "give each model a file of its own",
  });
}

export interface Pairing {
  /** In the baseline's order, as AlpacaEval's join leaves them. */
  readonly pairs: readonly Pair[];
  readonly onlyBaseline: number;
  readonly onlyOutputs: number;
}

/** By the instruction's text. Where an instruction occurs several times, its n-th answers meet. */
export function pairUp(outputs: OutputSet, baseline: OutputSet, limit = Number.POSITIVE_INFINITY): Pairing {
  const waiting = new Map<string, OutputRow[]>();
  for (const row of outputs.rows) {
    const rows = waiting.get(row.instruction);
    if (rows === undefined) waiting.set(row.instruction, [row]);
    else rows.push(row);
  }
  const taken = new Map<string, number>();
  const pairs: Pair[] = [];
  for (const { instruction, output, dataset, stop } of baseline.rows) {
    const n = taken.get(instruction) ?? 0;
    const mine = waiting.get(instruction)?.[n];
    if (mine === undefined) continue;
    taken.set(instruction, n + 1);
    pairs.push({
      instruction,
      dataset: dataset ?? mine.dataset,
      baseline: output,
      model: mine.output,
      stops: { baseline: stop, model: mine.stop },
    });
  }
  if (pairs.length === 0) {
    throw new UserError(`${outputs.path} and ${baseline.path} have no instruction in common`, {
      remedy: "both must answer the same prompts",
    });
  }
  const only = (set: OutputSet): number => set.rows.length - pairs.length;
  return { pairs: pairs.slice(0, limit), onlyBaseline: only(baseline), onlyOutputs: only(outputs) };
}
