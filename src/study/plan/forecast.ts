/**
 * What the steps of a study will take: seconds from speeds measured here, memory, calls to the judge and their price. Speeds are those of
 * finished steps of the same kind in this folder; where there is none, they follow from one matrix product on this machine.
 * May not know: how a step is carried out.
 */
import type { StepKind, StepRecord } from "../../records/study.js";
import { multiplyOnce } from "../../runtime/multiply.js";
import { forecastJudge, forecastPairs, forecastPrompts, forecastTuning, parametersOf } from "../../steps/forecast.js";
import { present } from "../../util/errors.js";
import type { StudyState } from "../results/state.js";
import { weightBytes } from "../run/machine.js";
import { tuneWork } from "../run/requests.js";
import type { Place, Step, StepWork } from "../step.js";
import type { Graph } from "./graph-builder.js";
import { type Inputs, isUrl } from "./inputs.js";
import type { Prepared } from "./prepare.js";

export interface Forecast {
  /** Undefined where nothing is known of the speed: a judge that answers over a network. */
  readonly seconds: number | undefined;
  /** `measured`: from steps like it in this folder; `machine`: from a matrix product. */
  readonly basis: "measured" | "machine" | "none";
  /** Answers may stop earlier than their limit. */
  readonly atMost: boolean;
  readonly memoryBytes: number;
  readonly calls: number;
  /** At most: answers that do not exist yet are as long as their limit allows. */
  readonly dollars: number | undefined;
  /** With answers and replies of a common length where none exist yet. */
  readonly likelyDollars: number | undefined;
}

/** Floating-point operations for each parameter and token. */
const OPERATIONS = { tune: 6, generate: 2, score: 2, rank: 2, similarity: 2 } as const;
/** Shares of the matrix product's speed that this engine reached on a model of 268 million parameters (docs/decisions/studies.md). */
const EFFICIENCY = { tune: 0.6, generate: 0.35, score: 0.5, rank: 0.5, similarity: 0.3 } as const;
type Computing = Exclude<keyof typeof OPERATIONS, "similarity">;
/** An encoder's limit is mostly this, or not much more. */
const EMBEDDED_TOKENS = 256;

/** Tokens of a judge's own prompt around the two answers. */
const JUDGE_PROMPT_TOKENS = 200;
const DEFAULT_NEW_TOKENS = 8192;
/** Of an answer to a general instruction, and of a judge's reply that explains itself: what is assumed where none exists. */
export const COMMON_TOKENS = 300;
const DEFAULT_RANK = { limit: 1000, against: 5 } as const;

export interface Forecaster {
  of(step: Step): Promise<Forecast>;
}

/** @param graph  in which every step has a plan */
export async function openForecaster({ inputs }: Prepared, state: StudyState, graph: Graph): Promise<Forecaster> {
  const speeds = measuredSpeeds(state);
  const { gigaflops } = await multiplyOnce();
  const parameters = once((name: string) => parametersOf(inputs.get("model", name).path));
  const prompts: Known["prompts"] = once((text) => forecastPrompts(...(JSON.parse(text) as [string, number?])));
  const known: Known = {
    inputs,
    tuning: once(async (text: string) =>
      forecastTuning(tuneWork(JSON.parse(text), { model: modelPath(text), threads: 1 })),
    ),
    pairs: once((text: string) => forecastPairs(...(JSON.parse(text) as [string, number?]))),
    prompts,
    judge: once((spec: string) => forecastJudge(spec)),
    meanTokens: await meanAnswer(state, prompts),
  };
  return {
    async of(step) {
      const { plan, kind } = step;
      const work = present(plan, step.id).work;
      if (work.kind === "judge") return judging(step, work, known, graph);
      if (work.kind === "choose" || work.kind === "compare") return nothing;
      const model = present(step.cell, step.id).model;
      const measured = speeds.get(`${kind} ${model}`);
      if (work.kind === "similarity") return embedding(step, work, known, graph, { measured, gigaflops });
      const size = await sizeOf(work, known);
      const count = await parameters(model);
      const rate = (gigaflops * 1e9 * EFFICIENCY[work.kind]) / (OPERATIONS[work.kind] * count); // tokens a second
      return {
        seconds: measured === undefined ? size.tokens / rate : size.work / measured,
        basis: measured === undefined ? "machine" : "measured",
        atMost: size.atMost,
        memoryBytes: size.memoryBytes ?? 10 * count,
        calls: 0,
        ...NO_PRICE,
      };
    },
  };
}

const NO_PRICE = { dollars: undefined, likelyDollars: undefined } as const;
const nothing: Forecast = { seconds: 0, basis: "none", atMost: false, memoryBytes: 0, calls: 0, ...NO_PRICE };

interface Known {
  readonly inputs: Inputs;
  readonly tuning: (work: string) => ReturnType<typeof forecastTuning>;
  readonly pairs: (data: string) => ReturnType<typeof forecastPairs>;
  readonly prompts: (prompts: string) => ReturnType<typeof forecastPrompts>;
  readonly judge: (spec: string) => ReturnType<typeof forecastJudge>;
  /** Of answers that exist, by model and arm. */
  readonly meanTokens: (step: string) => number | undefined;
}

/** The same question is answered once: many steps differ by their seed alone. */
function once<T>(ask: (question: string) => Promise<T>): (question: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (question) => {
    const known = answers.get(question) ?? ask(question);
    answers.set(question, known);
    return known;
  };
}

/** A question: which rows. No limit is none, not null, which is what JSON makes of undefined. */
const rowsOf = (spec: string, limit: number | "all" | undefined): string =>
  JSON.stringify(limit === undefined ? [spec] : [spec, limit]);

const outside = (place: Place): string => ("outside" in place ? place.outside : "");
const modelPath = (text: string): string => outside((JSON.parse(text) as Extract<StepWork, { kind: "tune" }>).model);

interface Size {
  readonly tokens: number;
  /** In the unit that the step's record counts. */
  readonly work: number;
  readonly atMost: boolean;
  readonly memoryBytes?: number;
}

async function sizeOf(work: Extract<StepWork, { kind: Computing }>, known: Known): Promise<Size> {
  switch (work.kind) {
    case "tune": {
      const { tokens, memoryBytes } = await known.tuning(JSON.stringify({ ...work, seed: 0 }));
      return { tokens, work: tokens, atMost: false, memoryBytes };
    }
    case "generate": {
      const { rows } = await known.prompts(rowsOf(work.prompts, work.limit));
      const mean = known.meanTokens(work.generator);
      const tokens = rows * (mean ?? work.settings.max_new_tokens ?? DEFAULT_NEW_TOKENS);
      return { tokens, work: tokens, atMost: mean === undefined };
    }
    case "score": {
      const { promptTokens, responseTokens } = await known.pairs(rowsOf(work.data, work.limit));
      const tokens = promptTokens + responseTokens;
      return { tokens, work: tokens, atMost: false };
    }
    case "rank": {
      const { limit = DEFAULT_RANK.limit, against = DEFAULT_RANK.against } = work.settings;
      const { rows, promptTokens, responseTokens } = await known.pairs(rowsOf(work.data, limit));
      return { tokens: promptTokens + (1 + against) * responseTokens, work: rows * against, atMost: false };
    }
  }
}

async function judging(
  step: Step,
  work: Extract<StepWork, { kind: "judge" }>,
  known: Known,
  { steps }: Graph,
): Promise<Forecast> {
  const { callsPerPair, outputTokensPerCall, price } = await known.judge(work.judge);
  const answers = step.needs.map((id) =>
    present(
      steps.find((one) => one.id === id),
      id,
    ),
  );
  const [mine] = answers;
  const asked = mine?.plan?.work;
  const pairs =
    asked?.kind === "generate" ? await known.prompts(rowsOf(asked.prompts, asked.limit)) : { rows: 0, promptTokens: 0 };
  const calls = pairs.rows * callsPerPair;
  const answerTokens = (one: Step | undefined, unknown: number): number => {
    const { work: made } = one?.plan ?? {};
    if (made?.kind !== "generate") return COMMON_TOKENS;
    const limit = made.settings.max_new_tokens ?? DEFAULT_NEW_TOKENS;
    return known.meanTokens(made.generator) ?? Math.min(limit, unknown);
  };
  /** @param unknown  tokens of an answer or a reply that does not exist yet, where its limit is not lower */
  const cost = (unknown: number): number | undefined => {
    if (price === undefined) return undefined;
    const pair = JUDGE_PROMPT_TOKENS + answerTokens(mine, unknown) + answerTokens(answers[1], unknown);
    const input = callsPerPair * (pairs.promptTokens + pairs.rows * pair);
    return (input * price.input + calls * Math.min(outputTokensPerCall, unknown) * price.output) / 1e6;
  };
  const prices = { dollars: cost(Number.POSITIVE_INFINITY), likelyDollars: cost(COMMON_TOKENS) };
  return { ...nothing, seconds: calls === 0 ? 0 : undefined, calls, ...prices, atMost: true };
}

/** At most: texts that several steps share are embedded once, and the vectors of words in an encoder's weights are not multiplied. */
async function embedding(
  step: Step,
  { similarity }: Extract<StepWork, { kind: "similarity" }>,
  known: Known,
  { steps }: Graph,
  speed: { readonly measured: number | undefined; readonly gigaflops: number },
): Promise<Forecast> {
  const { task, reference, limit, encoder } = similarity;
  const asked = steps.find(({ id }) => id === step.needs[0])?.plan?.work;
  const answers = asked?.kind === "generate" ? (await known.prompts(rowsOf(asked.prompts, asked.limit))).rows : 0;
  const pairs = await Promise.all(
    [task, reference].flatMap((data) => (data === undefined ? [] : [known.pairs(rowsOf(data, limit))])),
  );
  const texts = 2 * answers + pairs.reduce((sum, { rows }) => sum + 2 * rows, 0);
  if (isUrl(encoder)) return { ...nothing, seconds: undefined, atMost: true };
  const parameters = weightBytes(encoder) / 4;
  const operations = OPERATIONS.similarity * parameters * texts * EMBEDDED_TOKENS;
  return {
    ...nothing,
    seconds:
      speed.measured === undefined
        ? operations / (speed.gigaflops * 1e9 * EFFICIENCY.similarity)
        : texts / speed.measured,
    basis: speed.measured === undefined ? "machine" : "measured",
    atMost: true,
    memoryBytes: 10 * parameters,
  };
}

/** Work a second of finished steps that nobody interrupted, by kind and model. */
function measuredSpeeds(state: StudyState): Map<string, number> {
  const totals = new Map<string, { work: number; seconds: number }>();
  for (const { kind, cell, plan } of state.graph().steps) {
    const record = plan === undefined ? undefined : state.records.get(plan.key);
    if (cell === undefined || record === undefined || !counts(record, kind)) continue;
    const key = `${kind} ${cell.model}`;
    const { work, seconds } = totals.get(key) ?? { work: 0, seconds: 0 };
    totals.set(key, { work: work + record.timings.work, seconds: seconds + record.timings.seconds });
  }
  return new Map([...totals].map(([key, { work, seconds }]) => [key, work / Math.max(seconds, 1e-3)]));
}

const counts = ({ outcome, timings }: StepRecord, kind: StepKind): boolean =>
  outcome.kind === "done" && !timings.resumed && timings.work > 0 && kind !== "judge";

/** Mean tokens of an answer, of the arm's own answers where some exist. */
async function meanAnswer(
  state: StudyState,
  prompts: Known["prompts"],
): Promise<(generator: string) => number | undefined> {
  const means = new Map<string, number[]>();
  for (const { plan } of state.graph().steps) {
    const record = plan === undefined ? undefined : state.records.get(plan.key);
    if (record?.outcome.kind !== "done" || plan?.work.kind !== "generate") continue;
    const { rows } = await prompts(rowsOf(plan.work.prompts, plan.work.limit));
    const arm = armOf(plan.work.generator);
    means.set(arm, [...(means.get(arm) ?? []), record.timings.work / Math.max(1, rows)]);
  }
  return (generator) => {
    const found = means.get(armOf(generator));
    return found === undefined ? undefined : found.reduce((sum, mean) => sum + mean, 0) / found.length;
  };
}

/** `MODEL/ARM/seed-N` without the seed. */
const armOf = (generator: string): string => generator.replace(/\/seed-\d+$/, "");
