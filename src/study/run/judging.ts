/**
 * The judge's step as a study calls it.
 * May not know: the graph.
 */
import type { Checkers } from "../../judge/checker.js";
import { judge } from "../../steps/judge.js";
import { UserError } from "../../util/errors.js";
import { formatCount } from "../../util/progress.js";
import type { Done, Place, StepWork } from "../step.js";

export interface JudgingContext {
  /** The folder for annotations, ledger and run. */
  readonly out: string;
  readonly at: (place: Place) => string;
  readonly checkers: Checkers;
  readonly say: (text: () => string) => void;
  readonly signal?: AbortSignal;
}

/**
 * @throws UserError  some calls got no reply at all: the next run asks them alone. Replies without a verdict are outcomes, and counted
 */
export async function judgePair(
  work: Extract<StepWork, { kind: "judge" }>,
  { out, at, checkers, say, signal }: JudgingContext,
): Promise<Done> {
  const { run } = await judge(
    { outputs: at(work.outputs), baseline: at(work.baseline), judge: work.judge, out, checkers },
    {
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ answered, calls }) => say(() => `${formatCount(answered)} of ${formatCount(calls)} calls`),
    },
  );
  const unanswered = run.calls.outcomes.failed ?? 0;
  if (unanswered > 0) {
    const reason = run.reasons.find(({ outcome }) => outcome === "failed")?.reason ?? "no reply";
    throw new UserError(`${unanswered} of ${run.calls.total} calls to the judge got no reply: ${reason}`, {
      remedy: "run again to ask them",
    });
  }
  return { work: run.calls.total, unit: "calls" };
}
