/**
 * The line of progress of a training run: step, loss, speed, time left, memory.
 * May not know: what is trained.
 */
import type { StepMetrics } from "../engine/tuning.js";
import { formatBytes, formatDuration, formatRate, type Progress } from "../util/progress.js";

/** @param passes  whether rows are read more than once, so that the epoch is worth a word */
export function stepProgress(
  progress: Progress,
  { passes }: { readonly passes: boolean },
): (metrics: StepMetrics, of: { readonly total: number }) => void {
  let [steps, seconds, tokens] = [0, 0, 0];
  return (step, { total }) => {
    steps += 1;
    seconds += step.seconds;
    tokens += step.tokens;
    progress.update(() => {
      const left = ((total - step.step - 1) * seconds) / steps;
      return (
        `step ${step.step + 1}/${total}  ${passes ? `epoch ${step.epoch + 1}  ` : ""}loss ${step.loss.toPrecision(4)}  ` +
        `${formatRate(tokens / seconds, "tok")}  ${formatDuration(left)} left  ${formatBytes(process.memoryUsage.rss())}`
      );
    });
  };
}
