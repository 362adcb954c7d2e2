/**
 * How much there is to do before it is done: rows, tokens, memory and disk of a tuning run, texts of a data set, calls of a judge.
 * Nothing is computed and no weight is read.
 * May not know: how fast this machine is, studies.
 */

import { collectExamples } from "../data/load.js";
import { loadPrompts } from "../data/prompts.js";
import { maxOutput } from "../judge/calls.js";
import { loadJudge } from "../judge/judge-file.js";
import type { Price } from "../records/judge-file.js";
import { engineOf, openEngine } from "./open-engine.js";
import { engineOptions, settleWork, type TuneWork } from "./tune/options.js";
import { readRows } from "./tune/rows.js";

/** Bytes of English text a token stands for, roughly, in today's vocabularies. */
const BYTES_PER_TOKEN = 4;

export async function parametersOf(directory: string): Promise<number> {
  await using model = await openEngine().open(directory);
  return model.dims.parameters;
}

export interface TuningForecast {
  readonly rows: number;
  /** Of all epochs together. */
  readonly tokens: number;
  readonly memoryBytes: number;
}

/** Renders the rows, as the run itself will. */
export async function forecastTuning(work: TuneWork): Promise<TuningForecast> {
  const settled = settleWork(work);
  const options = engineOptions(settled);
  await using model = await engineOf(work).open(settled.model);
  const { rows, heldOut } = await readRows(settled, model.text);
  const tokens = rows.reduce((sum, row) => sum + row.inputIds.length, 0);
  return {
    rows: rows.length,
    tokens: tokens * options.epochs,
    memoryBytes: model.plan({ for: "tuning", work: { rows, options, heldOut } }).bytes,
  };
}

export interface TextForecast {
  readonly rows: number;
  /** Estimates: a token is taken for four bytes. */
  readonly promptTokens: number;
  readonly responseTokens: number;
}

export async function forecastPairs(data: string, limit?: number | "all"): Promise<TextForecast> {
  const { examples } = await collectExamples(data, limit === undefined ? {} : { limit });
  const tokens = (text: string | undefined): number => Math.ceil(Buffer.byteLength(text ?? "") / BYTES_PER_TOKEN);
  return {
    rows: examples.length,
    promptTokens: examples.reduce((sum, { messages }) => sum + tokens(messages[0]?.content), 0),
    responseTokens: examples.reduce((sum, { messages }) => sum + tokens(messages.at(-1)?.content), 0),
  };
}

export async function forecastPrompts(
  prompts: string,
  limit?: number | "all",
): Promise<Omit<TextForecast, "responseTokens">> {
  let [rows, promptTokens] = [0, 0];
  for await (const { instruction } of loadPrompts(prompts, limit === undefined ? {} : { limit })) {
    rows++;
    promptTokens += Math.ceil(Buffer.byteLength(instruction) / BYTES_PER_TOKEN);
  }
  return { rows, promptTokens };
}

export interface JudgeForecast {
  /** A pair needs so many calls over a network; 0 for judges that are computed here. */
  readonly callsPerPair: number;
  readonly outputTokensPerCall: number;
  readonly price: Price | undefined;
}

export async function forecastJudge(spec: string): Promise<JudgeForecast> {
  const { judge } = await loadJudge(spec);
  if (judge.kind !== "openai") return { callsPerPair: 0, outputTokensPerCall: 0, price: undefined };
  return {
    callsPerPair: (judge.order === "both" ? 2 : 1) * judge.votes,
    outputTokensPerCall: maxOutput(judge),
    price: judge.price,
  };
}
