/**
 * What a run of generation leaves: outputs in AlpacaEval's format, the record of how they came about, and a trace where one was asked for.
 * May not know: how answers are computed.
 */
import { type Identity, recordedComputing } from "../engine/identity.js";
import type { GenerateResult } from "../engine/requests.js";
import type { RecordedModel } from "../records/model.js";
import type { AnswerLine, GenerateRun, Output } from "../records/outputs.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { packageVersion } from "../util/system.js";
import type { GeneratePlan, PlannedPrompt } from "./generate-plan.js";
import type { FinishedWork } from "./resumable.js";
import { traceSteps } from "./trace.js";

export function answerLine(key: string, { ids, stop, trace }: GenerateResult, tokenizer: Tokenizer): AnswerLine {
  const steps = trace === undefined ? {} : { steps: traceSteps(trace, tokenizer) };
  return { key, output: tokenizer.decode(ids), tokens: ids.length, stop, ...steps };
}

export function outputOf(
  { instruction, dataset }: PlannedPrompt["input"],
  { output, tokens, stop }: AnswerLine,
  generator: string,
): Output {
  return { ...(dataset === undefined ? {} : { dataset }), instruction, output, generator, tokens, stop };
}

export interface Made {
  readonly model: RecordedModel;
  readonly computedBy: Identity;
  readonly batch: number;
  readonly limit: number | undefined;
  readonly answers: FinishedWork<AnswerLine>;
  /** From the first check to the last answer. */
  readonly seconds: number;
}

export function runRecord(plan: GeneratePlan, made: Made): GenerateRun {
  const { model, computedBy, batch, limit, answers, seconds } = made;
  const stopped = answers.lines.filter(({ stop }) => stop === "eos").length;
  return {
    version: 1,
    command: "generate",
    tacit: packageVersion(),
    engine: computedBy.engine,
    generator: plan.generator,
    model,
    ...plan.described,
    rules: plan.rules?.record ?? null,
    options: {
      max_new_tokens: plan.maxNewTokens,
      temperature: plan.temperature,
      seed: plan.seed,
      stop_ids: [...plan.stopIds],
      batch,
      ...recordedComputing(computedBy),
      limit: limit ?? null,
    },
    outcome: {
      eos: stopped,
      length: answers.lines.length - stopped,
      tokens: answers.lines.reduce((sum, { tokens }) => sum + tokens, 0),
      ...answers.counts,
    },
    timings: { seconds: Number(seconds.toFixed(3)), decode_seconds: Number(answers.seconds.toFixed(3)) },
  };
}
