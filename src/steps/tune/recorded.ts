/**
 * A training run on record, whatever is trained: its plan stands in the folder when it begins, every step leaves a line, and the end gives
 * the part of the record that is only known then. Tuning and pre-training share it.
 * May not know: what rows say, where they come from.
 */
import type { OpenedModel } from "../../engine/opened.js";
import { ability } from "../../engine/refusals.js";
import type { Training, TuneRun, TuneSummary } from "../../engine/tuning.js";
import type { Emitter } from "../../records/events.js";
import type { Rows } from "../../records/row.js";
import type { HeldOutLine } from "../../records/tune.js";
import { invariant, UserError } from "../../util/errors.js";
import { peakMemory } from "../../util/system.js";
import { option, words } from "../../util/words.js";
import type { RunFolder } from "./folder.js";
import { openTuneLedgers, type TuneLedgers } from "./ledgers.js";

export interface RecordedTraining<Plan, Run extends Plan> {
  /** The model to train. */
  readonly model: OpenedModel;
  readonly rows: Rows;
  readonly options: Training;
  /** What the run has besides the folder and the watch. */
  readonly run: Omit<TuneRun, "checkpoints" | "onStart" | "onStep" | "onHeldOut">;
  readonly plan: Plan;
  readonly folder: RunFolder<Plan, Run>;
  /** What a person should know when training begins or resumes. */
  readonly begins: (steps: number) => readonly string[];
  readonly describeHeldOut: (line: HeldOutLine) => string;
}

/**
 * Trains, then gives `finish` what came out while the ledgers are still open.
 *
 * @throws UserError, Interrupted  as `OpenedModel.tune`
 */
export async function trainOnRecord<Plan, Run extends Plan>(
  { model, rows, options, run, plan, folder, begins, describeHeldOut }: RecordedTraining<Plan, Run>,
  say: Emitter,
  finish: (summary: TuneSummary, ledgers: TuneLedgers) => Promise<Run>,
): Promise<Run> {
  let ledgers: TuneLedgers | undefined;
  let tokens = 0;
  try {
    const summary = await ability(model, "tune")(rows, options, {
      ...run,
      checkpoints: folder.paths.checkpoints,
      async onStart({ resumedAt, total }) {
        await folder.begin(plan, resumedAt === 0 ? "start" : "checkpoint");
        ledgers = await openTuneLedgers(folder.paths, resumedAt);
        await say.keepIn(folder.paths.events);
        for (const text of begins(total)) say.note(text);
        say.begin({ total, unit: "steps", reused: resumedAt });
      },
      async onStep(step) {
        await ledgers?.step(step);
        tokens += step.tokens;
        say.progress({ done: step.step + 1, epoch: step.epoch, loss: step.loss, tokens });
      },
      async onHeldOut(line) {
        await ledgers?.heldOut(line);
        say.note(describeHeldOut(line));
      },
    });
    invariant(ledgers !== undefined, `the engine ${model.engine} never began`);
    return await finish(summary, ledgers);
  } finally {
    await ledgers?.close();
  }
}

/** The part of a record that is known at the end. */
export function trainingResult({ lines, heldOutLines }: TuneLedgers) {
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
  const last = lines.at(-1);
  invariant(last !== undefined, "a run without a step");
  return {
    final_loss: last.loss,
    held_out: [...heldOutLines],
    seconds: rounded(seconds),
    tokens_per_second: rounded(tokensOf(lines) / Math.max(seconds, 1e-9)),
    peak_memory_bytes: peakMemory(),
    finished: new Date().toISOString(),
  };
}

export const tokensOf = (lines: TuneLedgers["lines"]): number => lines.reduce((sum, line) => sum + line.tokens, 0);

/** Six digits say what a measurement is worth. */
export const rounded = (value: number): number => Number(value.toPrecision(6));

/**
 * Whether the run that lies in `out` is the one that is asked for. With force, one that is not is replaced.
 *
 * @param what         for the message: "a finished run"
 * @param differences  in what it differs, in words
 * @throws UserError  it is another one; the line says in what
 */
export function isSameRun(
  { out, force = false }: { readonly out: string; readonly force?: boolean },
  what: string,
  differences: readonly string[],
): boolean {
  if (differences.length === 0) return true;
  if (force) return false;
  throw new UserError(`${out} holds ${what} of another kind: ${differences.join(", ")}`, {
    remedy: words`repeat the options of that run, or pass ${option("force")} to replace it`,
  });
}

type Options = Readonly<Record<string, unknown>>;

/** In which options two runs differ, in words; those in `free` may. */
export const differingOptions = (before: Options, now: Options, free: readonly string[] = []): string[] =>
  Object.keys(now).flatMap((key) => {
    const [was, is] = [JSON.stringify(before[key]), JSON.stringify(now[key])];
    return was === is || free.includes(key) ? [] : [`${key} was ${was ?? "not known"} and is ${is ?? "not known"}`];
  });
