/**
 * What a tuning run can be asked for, settled, and how the choices are recorded.
 * May not know: files.
 */
import type { Engine } from "../../engine/engine.js";
import type { Identity } from "../../engine/identity.js";
import type { Training } from "../../engine/tuning.js";
import { type Settled, settled } from "../../options/template.js";
import { tuneOptions } from "../../options/tune.js";
import { checkOptions } from "../../util/check-options.js";
import type { KindsOf } from "../../util/option-kinds.js";
import { keyName, kindsOf, type OptionsOf, omit, recorded } from "../../util/options.js";
import { engine } from "../script-options.js";

export interface TuneRequest extends OptionsOf<typeof tuneOptions> {
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

/** A request of which nothing is left open. */
export type SettledRequest = Settled<typeof tuneOptions, TuneRequest>;

/** What of a request decides how much there is to do: all but where the model goes. */
export type TuneWork = Omit<TuneRequest, "out">;
export type SettledWork = Settled<typeof tuneOptions, TuneWork>;

export const tuneKinds: KindsOf<TuneRequest> = { ...kindsOf(tuneOptions), engine };

/** @throws UserError  an option is unknown, or its value makes no sense */
export function settleRequest(request: TuneRequest): SettledRequest {
  checkOptions("tune", tuneKinds, request);
  return settled(tuneOptions, request);
}

/** @throws UserError  as `settleRequest` */
export function settleWork(work: TuneWork): SettledWork {
  const { out: _, ...kinds } = tuneKinds;
  checkOptions("tune", kinds, work);
  return settled(tuneOptions, work);
}

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** What of it the engine needs. */
export const engineOptions = (work: SettledWork): Training => ({
  epochs: work.epochs,
  batch: work.batch,
  learningRate: work.learningRate,
  schedule: work.schedule,
  warmup: work.warmup,
  reduction: work.reduction,
  adam: ADAM,
  ...(work.clip === undefined ? {} : { clip: work.clip }),
  seed: work.seed,
  shuffle: work.shuffle,
  ...(work.maxSteps === undefined ? {} : { maxSteps: work.maxSteps }),
  microTokens: work.microTokens,
  ...(work.recompute ? { recompute: true } : {}),
  saveEveryEpoch: work.saveEveryEpoch,
});

/** What is said elsewhere in a record, or leaves no trace in the result. */
const chosen = omit(
  tuneOptions,
  ...(["model", "data", "out", "template", "saveEveryEpoch", "checkpointEvery", "resume", "force"] as const),
);

/** As they stand in `run.json`: Adam's constants, which are no option, in front of `clip`. */
export function recordedOptions(request: SettledRequest, computedBy: Identity): Record<string, unknown> {
  const options = recorded(chosen, { ...request, ...computedBy, dtype: request.dtype ?? "as read" });
  return Object.fromEntries(
    Object.entries(options).flatMap((one) => (one[0] === "clip" ? [["adam", ADAM], one] : [one])),
  );
}

/** In records: options that leave the trained values as they are, how many of the steps are done, and how the result is written. */
export const WITHOUT_EFFECT_ON_VALUES: readonly string[] = ["preset", "maxSteps", "dtype", "recompute"].map((name) =>
  keyName(name),
);
