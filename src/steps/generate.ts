/**
 * Generation, from files to files: prompts and a model directory in; AlpacaEval's outputs and a run record out. The command, the
 * library and studies call this one function.
 */

import { pathIn } from "../data/spec.js";
import type { Engine } from "../engine/engine.js";
import { ability, refuseRules } from "../engine/refusals.js";
import type { Decoding } from "../engine/requests.js";
import { decidingFiles } from "../model-files/hash.js";
import { generateOptions } from "../options/generate.js";
import { settled } from "../options/template.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import {
  answerLineSchema,
  type GenerateRun,
  generateRunSchema,
  type Output,
  outputSchema,
} from "../records/outputs.js";
import { present, UserError } from "../util/errors.js";
import { recordText } from "../util/record-file.js";
import { openResult, type ResultPlan } from "../util/result.js";
import { option, words } from "../util/words.js";
import { type GeneratePlan, type PlanOptions, planGeneration, type SettledPlan } from "./generate-plan.js";
import { answerLine, outputOf, runRecord } from "./generate-record.js";
import { answerKeys, roomFor } from "./generate-settings.js";
import { engineOf, recordedModel } from "./open-engine.js";
import { resumable } from "./resumable.js";
import { traceLines } from "./trace.js";

export interface GenerateOptions extends PlanOptions {
  /** Default: the embedded engine. */
  readonly engine?: Engine;
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
export const generate = (options: GenerateOptions, watch: Watch = {}): Promise<GenerateSummary> =>
  watched("generate", watch, (say) =>
    answerAll(settled(generateOptions, options), engineOf(options), say, watch.signal),
  );

async function answerAll(
  options: SettledPlan,
  engine: Engine,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<GenerateSummary> {
  const started = performance.now();
  const { out, trace, limit } = options;
  if (trace !== undefined && out === undefined) {
    throw new UserError("a trace is written only beside outputs", { remedy: words`pass ${option("out")} as well` });
  }
  await using result = await openResult(await resultPlan(options));
  await using model = await engine.open(options.model);
  for (const note of model.notes) say.note(note);
  const generate = ability(model, "generate");
  if (options.rules !== undefined) refuseRules(model);
  const plan = await planGeneration(options, model);
  for (const text of plan.rules?.record.unresolved ?? [])
    say.warning(`the rules name ${JSON.stringify(text)}, which is not one token here; it is ignored`);
  const { batch = 1 } = roomFor(options.batch, plan, model);
  const computedBy = await model.identity();
  const traced = trace !== undefined;
  const answers = await resumable(result, say, {
    items: plan.prompts,
    unit: "prompts",
    key: answerKeys(plan, computedBy, traced),
    id: ({ request }) => request.id,
    parse: (line) => answerLineSchema.parse(line),
    compute: (missing, onTokens) =>
      generate(
        missing.map(({ request }) => request),
        decoding(plan, { batch, traced, signal, onTokens }),
      ),
    line: (key, found) => answerLine(key, found, plan.text.tokenizer),
  });
  const outputs = plan.prompts.map(({ input }, i) =>
    outputOf(input, present(answers.lines[i], "answer"), plan.generator),
  );
  const seconds = (performance.now() - started) / 1000;
  const recorded = recordedModel(model, computedBy);
  const run = runRecord(plan, { model: recorded, computedBy, batch, limit, answers, seconds });
  if (out !== undefined) {
    if (trace !== undefined) await result.write(trace, traceLines(plan.prompts, answers.lines));
    await result.write(generatePaths(out).run, recordText(generateRunSchema.parse(run)));
    await result.write(out, recordText(outputs.map((output) => outputSchema.parse(output))));
    await result.commit();
  }
  return { outputs, run };
}

async function resultPlan(options: SettledPlan): Promise<ResultPlan | undefined> {
  const { model, prompts, rules, out, trace, force } = options;
  if (out === undefined) return undefined;
  const { outputs, run, partial } = generatePaths(out);
  const read = [...(typeof prompts === "string" ? [pathIn(prompts)] : []), ...(rules === undefined ? [] : [rules])];
  const inputs = [...(await decidingFiles(model)), ...read];
  return { main: outputs, beside: [run, ...(trace === undefined ? [] : [trace])], ledger: partial, inputs, force };
}

interface DecodingChoices {
  readonly batch: number;
  readonly traced: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onTokens: (count: number) => void;
}

function decoding(plan: GeneratePlan, { batch, traced, signal, onTokens }: DecodingChoices): Decoding {
  const { maxNewTokens, stopIds, temperature, seed, rules } = plan;
  return {
    ...{ maxNewTokens, stopIds, temperature, seed, batch, trace: traced },
    onToken: () => onTokens(1),
    ...(rules === undefined ? {} : { rules: rules.resolved }),
    ...(signal === undefined ? {} : { signal }),
  };
}
