/**
 * Generation, from files to files: prompts and a model directory in; AlpacaEval's outputs and a run record out. The command, the
 * library and studies call this one function.
 *
 * Finished answers go to an append-only ledger beside the outputs. A run that is stopped leaves it; the next one takes from it
 * every answer that would come out the same, and removes it when the outputs are written whole.
 */
import { pathIn } from "../data/spec.js";
import { defaultBatch, weightBytes } from "../decode/memory.js";
import { embeddedEngine } from "../embedded/embedded.js";
import type { Engine, ModelUse } from "../engine/engine.js";
import { refuseMissing } from "../engine/refusals.js";
import type { GenerateOptions as EngineOptions, GenerateResult, Precision } from "../engine/requests.js";
import { decidingFiles, recordedModel } from "../model-files/hash.js";
import { readModelConfig } from "../models/open.js";
import type { RecordedModel } from "../records/model.js";
import {
  type AnswerLine,
  answerLineSchema,
  type GenerateRun,
  generateRunSchema,
  type Output,
  outputSchema,
} from "../records/outputs.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { present, UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { type Finished, openResult, type Result, type ResultPlan } from "../util/result.js";
import { availableCores, availableMemory, packageVersion } from "../util/system.js";
import { type GeneratePlan, type PlannedPrompt, type PlanOptions, planGeneration } from "./generate-plan.js";
import { traceLines, traceSteps } from "./trace.js";

export interface GenerateOptions extends PlanOptions {
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

export interface GenerateWatch {
  /** What was found in the model that a person should know. */
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal;
  readonly onStart?: (plan: {
    readonly prompts: number;
    readonly reused: number;
    readonly batch: number;
    readonly maxNewTokens: number;
    readonly unresolved: readonly string[];
  }) => void;
  /** Called for each token and each finished answer. */
  readonly onProgress?: (state: { readonly done: number; readonly prompts: number; readonly tokens: number }) => void;
}

export interface GenerateSummary {
  /** In the order of the prompts. */
  readonly outputs: readonly Output[];
  readonly run: GenerateRun;
}

/** Where a run's files lie: `outputs.json`, `outputs.run.json`, `outputs.partial.jsonl`. */
export function generatePaths(out: string): {
  readonly outputs: string;
  readonly run: string;
  readonly partial: string;
} {
  const stem = out.replace(/\.json$/, "");
  return { outputs: out, run: `${stem}.run.json`, partial: `${stem}.partial.jsonl` };
}

/**
 * Answers every prompt.
 *
 * @throws UserError  a result already exists, or something about model, prompts, rules or options is wrong
 * @throws the signal's reason  stopped; what was finished is in the ledger
 * @example
 * const { outputs } = await generate({ model: "models/base", prompts: [{ instruction: "Name a colour." }], rules: "paper" });
 */
export async function generate(options: GenerateOptions, watch: GenerateWatch = {}): Promise<GenerateSummary> {
  const started = performance.now();
  const engine = options.engine ?? embeddedEngine;
  refuseBeforeWork(options, engine);
  const result = await openResult(await resultPlan(options));
  try {
    const plan = await planGeneration(options);
    await engine.refuseTooLarge?.(options.model, memoryUse(options, plan));
    const model = await recordedModel(options.model, engine);
    const settings = await settle(options, plan);
    const keys = answerKeys(options, plan, { engine: engine.name, modelHash: model.hash, ...settings });
    const answers = await result.finished((line) => answerLineSchema.parse(line), keys);
    const reused = answers.size();
    const { batch } = settings;
    const unresolved = plan.rules?.record.unresolved ?? [];
    watch.onStart?.({ prompts: keys.length, reused, batch, maxNewTokens: plan.maxNewTokens, unresolved });
    const spent = await answerMissing(engine, options, plan, settings, keys, answers, watch);
    const outputs = plan.prompts.map(({ input }, i) => outputOf(plan, input, answers.get(present(keys[i], "key"))));
    const run = runRecord(options, plan, engine.name, model, settings, outputs, {
      distinct: new Set(keys).size,
      reused,
      decodeSeconds: spent,
      seconds: (performance.now() - started) / 1000,
    });
    await writeResult(result, options, plan, outputs, run, keys, answers);
    return { outputs, run };
  } finally {
    await result.close();
  }
}

function refuseBeforeWork(options: GenerateOptions, engine: Engine): void {
  const { out, trace, rules, precision } = options;
  refuseMissing(engine, { generate: true, logitRules: rules !== undefined, precision: precision ?? "f32" });
  if (trace !== undefined && out === undefined) {
    throw new UserError("a trace is written only beside outputs", { remedy: "pass --out as well" });
  }
}

async function resultPlan(options: GenerateOptions): Promise<ResultPlan | undefined> {
  const { model, prompts, rules, out, trace, force = false } = options;
  if (out === undefined) return undefined;
  const { outputs, run, partial } = generatePaths(out);
  return {
    main: outputs,
    beside: [run, ...(trace === undefined ? [] : [trace])],
    ledger: partial,
    inputs: [
      ...(await decidingFiles(model)),
      ...(typeof prompts === "string" ? [pathIn(prompts)] : []),
      ...(typeof rules === "string" ? [rules] : []),
    ],
    force,
  };
}

interface Settings {
  readonly threads: number;
  readonly precision: "f32" | "q8";
  readonly batch: number;
}

async function settle(options: GenerateOptions, plan: GeneratePlan): Promise<Settings> {
  const { threads = availableCores(), precision = "f32" } = options;
  return { threads, precision, batch: options.batch ?? (await batchThatFits(options.model, plan, precision)) };
}

/** What is certain to be needed: the weights, and as many prompts as are to be read side by side. */
const memoryUse = ({ batch = 1, precision = "f32" }: GenerateOptions, { prompts }: GeneratePlan): ModelUse => ({
  for: "running",
  precision,
  rows: Math.min(batch, prompts.length),
  positions: prompts.reduce((most, { request }) => Math.max(most, request.promptIds.length), 0),
});

async function batchThatFits(directory: string, plan: GeneratePlan, precision: Precision): Promise<number> {
  const model = await readModelConfig(directory);
  const longest = plan.prompts.reduce((most, { request }) => Math.max(most, request.promptIds.length), 0);
  const fits = defaultBatch(model.dims, {
    freeBytes: availableMemory().free,
    weightBytes: weightBytes(model, precision),
    positions: longest + plan.maxNewTokens,
    promptPositions: longest,
  });
  return Math.min(fits, plan.prompts.length);
}

/** For each prompt the hash of everything that decides its answer. The batch is not part of it. */
function answerKeys(
  options: GenerateOptions,
  plan: GeneratePlan,
  { engine, modelHash, threads, precision }: Settings & { readonly engine: string; readonly modelHash: string },
): string[] {
  const { rules, maxNewTokens, temperature, seed, stopIds } = plan;
  const common = JSON.stringify([
    [packageVersion(), engine, modelHash, threads, precision],
    [rules?.record.hash ?? null, rules?.record.disabled ?? [], maxNewTokens, temperature, stopIds],
    options.trace !== undefined,
  ]);
  return plan.prompts.map(({ request }) => {
    const drawn = temperature > 0 ? [seed, request.id] : [];
    return sha256(JSON.stringify([common, request.promptIds, request.conversationIds, drawn])).slice(0, 32);
  });
}

type Answers = Finished<AnswerLine>;

/** Answers what the ledger does not hold; equal keys are answered once. Gives the seconds spent decoding. */
async function answerMissing(
  engine: Engine,
  options: GenerateOptions,
  plan: GeneratePlan,
  settings: Settings,
  keys: readonly string[],
  answers: Answers,
  watch: GenerateWatch,
): Promise<number> {
  const missing = new Map<string, { key: string; prompt: PlannedPrompt }>();
  const taken = new Set<string>();
  plan.prompts.forEach((prompt, i) => {
    const key = present(keys[i], "key");
    if (answers.get(key) !== undefined || taken.has(key)) return;
    taken.add(key);
    missing.set(prompt.request.id, { key, prompt });
  });
  if (missing.size === 0) return 0;
  const { threads, precision } = settings;
  const model = await engine.load(options.model, { threads, precision, onNote: watch.onNote });
  const started = performance.now();
  let tokens = 0;
  const prompts = new Set(keys).size;
  const report = (): void => watch.onProgress?.({ done: answers.size(), prompts, tokens });
  try {
    const requests = [...missing.values()].map(({ prompt }) => prompt.request);
    const engineOptions = decoding(options, plan, settings, watch, () => {
      tokens++;
      report();
    });
    for await (const result of model.generate(requests, engineOptions)) {
      const { key } = present(missing.get(result.id), result.id);
      await answers.add({ key, ...answerOf(result, plan.text.tokenizer) });
      report();
    }
  } finally {
    await model.close();
  }
  return (performance.now() - started) / 1000;
}

function decoding(
  options: GenerateOptions,
  plan: GeneratePlan,
  { batch }: Settings,
  watch: GenerateWatch,
  onToken: () => void,
): EngineOptions {
  const { maxNewTokens, stopIds, temperature, seed, rules } = plan;
  return {
    maxNewTokens,
    stopIds,
    temperature,
    seed,
    batch,
    trace: options.trace !== undefined,
    onToken,
    ...(rules === undefined ? {} : { rules: rules.resolved }),
    ...(watch.signal === undefined ? {} : { signal: watch.signal }),
  };
}

function answerOf({ ids, stop, trace }: GenerateResult, tokenizer: Tokenizer): Omit<AnswerLine, "key"> {
  const steps = trace === undefined ? {} : { steps: traceSteps(trace, tokenizer) };
  return { output: tokenizer.decode(ids), tokens: ids.length, stop, ...steps };
}

function outputOf(plan: GeneratePlan, input: PlannedPrompt["input"], found: AnswerLine | undefined): Output {
  const { output, tokens, stop } = present(found, `the answer to ${input.id}`);
  const dataset = input.dataset === undefined ? {} : { dataset: input.dataset };
  return { ...dataset, instruction: input.instruction, output, generator: plan.generator, tokens, stop };
}

interface Spent {
  readonly distinct: number;
  readonly reused: number;
  readonly decodeSeconds: number;
  readonly seconds: number;
}

function runRecord(
  options: GenerateOptions,
  plan: GeneratePlan,
  engine: string,
  model: RecordedModel,
  settings: Settings,
  outputs: readonly Output[],
  spent: Spent,
): GenerateRun {
  return {
    version: 1,
    command: "generate",
    tacit: packageVersion(),
    engine,
    generator: plan.generator,
    model,
    ...plan.described,
    rules: plan.rules?.record ?? null,
    options: recordedOptions(options, plan, settings),
    outcome: outcomeOf(outputs, spent),
    timings: {
      seconds: Number(spent.seconds.toFixed(3)),
      decode_seconds: Number(spent.decodeSeconds.toFixed(3)),
    },
  };
}

const recordedOptions = (
  { limit }: GenerateOptions,
  { maxNewTokens, temperature, seed, stopIds }: GeneratePlan,
  { batch, precision, threads }: Settings,
): GenerateRun["options"] => ({
  max_new_tokens: maxNewTokens,
  temperature,
  seed,
  stop_ids: [...stopIds],
  batch,
  precision,
  threads,
  limit: limit ?? null,
});

function outcomeOf(outputs: readonly Output[], { distinct, reused }: Spent): GenerateRun["outcome"] {
  const stopped = outputs.filter(({ stop }) => stop === "eos").length;
  return {
    eos: stopped,
    length: outputs.length - stopped,
    tokens: outputs.reduce((sum, { tokens }) => sum + tokens, 0),
    computed: distinct - reused,
    reused,
    duplicates: outputs.length - distinct,
  };
}

async function writeResult(
  result: Result,
  { out, trace }: GenerateOptions,
  plan: GeneratePlan,
  outputs: readonly Output[],
  run: GenerateRun,
  keys: readonly string[],
  answers: Answers,
): Promise<void> {
  if (out === undefined) return;
  const paths = generatePaths(out);
  if (trace !== undefined) {
    const answerTo = (i: number): AnswerLine => present(answers.get(present(keys[i], "key")), "answer");
    await result.write(
      trace,
      traceLines(
        plan.prompts.map(({ input }) => input),
        answerTo,
      ),
    );
  }
  await result.write(paths.run, `${JSON.stringify(generateRunSchema.parse(run), null, 2)}\n`);
  const checked = outputs.map((output) => outputSchema.parse(output));
  await result.write(paths.outputs, `${JSON.stringify(checked, null, 2)}\n`);
  await result.commit();
}
