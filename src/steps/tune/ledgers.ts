/**
 * `metrics.jsonl` and `held_out.jsonl`: a line is appended as soon as it is known. Where a run resumes from a checkpoint, lines of steps
 * after it are taken back, because those steps are done again.
 * May not know: how anything is computed.
 */
import { dirname, join } from "node:path";
import type { StepMetrics } from "../../engine/tuning.js";
import { type HeldOutLine, heldOutLineSchema, type MetricsLine, metricsLineSchema } from "../../records/tune.js";
import { UserError } from "../../util/errors.js";
import { writeFileAtomic } from "../../util/files.js";
import { type Ledger, openLedger } from "../../util/ledger.js";

export interface TuneLedgers {
  step(metrics: StepMetrics): Promise<void>;
  heldOut(line: HeldOutLine): Promise<void>;
  /** All lines of the run so far, those from before a resumption included. */
  readonly lines: readonly MetricsLine[];
  readonly heldOutLines: readonly HeldOutLine[];
  close(): Promise<void>;
}

/**
 * @param steps  how many steps are done: what is known of later ones is taken back
 * @throws UserError  a line of a step that is done is missing
 */
export async function openTuneLedgers(
  paths: { readonly metrics: string; readonly heldOut: string },
  steps: number,
): Promise<TuneLedgers> {
  const kept = (line: { readonly step: number }): boolean => line.step < steps;
  const metrics = await openFrom(paths.metrics, (value) => metricsLineSchema.parse(value), kept);
  try {
    refuseGaps(metrics.lines, steps, paths.metrics);
    return appendingTo(metrics, await openFrom(paths.heldOut, (value) => heldOutLineSchema.parse(value), kept));
  } catch (error) {
    await metrics.close();
    throw error;
  }
}

function refuseGaps(lines: readonly MetricsLine[], steps: number, path: string): void {
  if (lines.length === steps && lines.every(({ step }, i) => step === i)) return;
  throw new UserError(`${path} has not one line for each of the ${steps} steps that are done`, {
    remedy: `remove ${join(dirname(path), "checkpoints")} to train from the start`,
  });
}

function appendingTo(metrics: Ledger<MetricsLine>, heldOut: Ledger<HeldOutLine>): TuneLedgers {
  const [lines, heldOutLines] = [[...metrics.lines], [...heldOut.lines]];
  return {
    async step(metric) {
      const line = toLine(metric);
      lines.push(line);
      await metrics.append(line);
    },
    async heldOut(line) {
      heldOutLines.push(line);
      await heldOut.append(line);
    },
    lines,
    heldOutLines,
    async close() {
      await metrics.close();
      await heldOut.close();
    },
  };
}

async function openFrom<Line>(
  path: string,
  parse: (value: unknown) => Line,
  kept: (line: Line) => boolean,
): Promise<Ledger<Line>> {
  const whole = await openLedger(path, parse);
  const lines = whole.lines.filter(kept);
  if (lines.length === whole.lines.length) return whole;
  await whole.close();
  await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return openLedger(path, parse);
}

const toLine = (metrics: StepMetrics): MetricsLine => ({
  step: metrics.step,
  epoch: metrics.epoch + 1,
  loss: metrics.loss,
  lr: metrics.learningRate,
  grad_norm: metrics.gradNorm,
  examples: metrics.examples,
  tokens: metrics.tokens,
  supervised_tokens: metrics.supervisedTokens,
  seconds: Number(metrics.seconds.toPrecision(6)),
});
