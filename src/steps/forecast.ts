/**
 * How much there is to do before it is done: rows and tokens of a tuning run, answers and their lengths, texts of a data set, calls of a
 * judge. Nothing is computed and no weight is read.
 * May not know: engines' insides, studies.
 */

import { collectExamples } from "../data/load.js";
import { loadPrompts } from "../data/prompts.js";
import type { OpenedModel, Plan } from "../engine/opened.js";
import { maxOutput } from "../judge/calls.js";
import { loadJudge } from "../judge/judge-file.js";
import type { Price } from "../records/judge-file.js";
import { mostTokens, planRules, type SettledPlan } from "./generate-plan.js";
import { engineOptions, settleWork, type TuneWork } from "./tune/options.js";
import { readRows } from "./tune/rows.js";

/** Bytes of English text a token stands for, roughly, in today's vocabularies. */
const BYTES_PER_TOKEN = 4;

export interface TuningForecast {
  /** Of all epochs together. */
  readonly tokens: number;
  readonly plan: Plan;
}

/** Renders the rows, as the run itself will. */
export async function forecastTuning(model: OpenedModel, work: TuneWork): Promise<TuningForecast> {
  const settled = settleWork(work);
  const options = engineOptions(settled);
  const { rows, heldOut } = await readRows(settled, model.text);
  const tokens = rows.reduce((sum, row) => sum + row.inputIds.length, 0);
  return { tokens: tokens * options.epochs, plan: model.plan({ for: "tuning", work: { rows, options, heldOut } }) };
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

/** @returns tokens of each prompt: estimates */
export async function forecastPrompts(prompts: string, limit?: number | "all"): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { instruction } of loadPrompts(prompts, limit === undefined ? {} : { limit })) {
    tokens.push(Math.ceil(Buffer.byteLength(instruction) / BYTES_PER_TOKEN));
  }
  return tokens;
}

export interface AnswersForecast {
  readonly rows: number;
  readonly promptTokens: number;
  /** The most that an answer may have, on average over the prompts. */
  readonly mostTokens: number;
  readonly plan: Plan;
}

export type AnswersOptions = Pick<SettledPlan, "batch" | "maxNewTokens" | "rules" | "disableRules">;

/** @param promptTokens  of each prompt */
export async function forecastAnswers(
  model: OpenedModel,
  promptTokens: readonly number[],
  options: AnswersOptions,
): Promise<AnswersForecast> {
  const maxNewTokens = mostTokens(options, await planRules(options, model.text));
  const { maxPositions = Number.POSITIVE_INFINITY } = model.limits;
  const most = promptTokens.map((tokens) => Math.min(maxNewTokens, Math.max(0, maxPositions - tokens)));
  return {
    rows: promptTokens.length,
    promptTokens: sum(promptTokens),
    mostTokens: sum(most) / Math.max(1, most.length),
    plan: model.plan({ for: "generating", batch: options.batch, promptTokens, maxNewTokens }),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

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
