/**
 * A trace as it stands in files: ids with the pieces they stand for.
 * May not know: how it came about.
 */
import type { TraceStep } from "../engine/requests.js";
import { type AnswerLine, type TraceStepRecord, traceLineSchema } from "../records/outputs.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { present } from "../util/errors.js";
import { recordLine } from "../util/record-file.js";
import type { PlannedPrompt } from "./generate-plan.js";

export function traceSteps(trace: readonly TraceStep[], tokenizer: Tokenizer): TraceStepRecord[] {
  // A hole of the vocabulary has no piece; its id says enough.
  const piece = (id: number): string => tokenizer.piece(id) ?? "";
  return trace.map(({ id, baseLogprob, logprob, scores, runnerUp }) => ({
    id,
    piece: piece(id),
    base_logprob: rounded(baseLogprob),
    logprob: rounded(logprob),
    scores: { constant: rounded(scores.constant), stop: rounded(scores.stop), used: rounded(scores.used) },
    runner_up: {
      id: runnerUp.id,
      piece: piece(runnerUp.id),
      base_logprob: rounded(runnerUp.baseLogprob),
      logprob: rounded(runnerUp.logprob),
    },
  }));
}

/** A line a prompt. @param answers  one for each, with its steps */
export function* traceLines(prompts: readonly PlannedPrompt[], answers: readonly AnswerLine[]): Generator<string> {
  for (const [i, { input }] of prompts.entries()) {
    const { stop, steps } = present(answers[i], "answer");
    const { id, instruction } = input;
    yield recordLine(traceLineSchema.parse({ id, instruction, stop, steps: present(steps, "trace") }));
  }
}

/** Six digits behind the point: what single precision holds of a log-probability. */
const rounded = (x: number): number => Number(x.toFixed(6));
