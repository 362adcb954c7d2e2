/**
 * Learning rates as Transformers' `get_cosine_schedule_with_warmup`, `get_linear_schedule_with_warmup` and
 * `get_constant_schedule_with_warmup` give them.
 */
export type Schedule = "cosine" | "linear" | "constant";

export interface ScheduleOptions {
  readonly schedule: Schedule;
  /** Share of all steps spent warming up. */
  readonly warmup: number;
  readonly totalSteps: number;
}

/** The factor on the learning rate of 0-based step `step`; the first step of a warmed-up run has factor 0. */
export function rateFactor(step: number, { schedule, warmup, totalSteps }: ScheduleOptions): number {
  const warmupSteps = Math.ceil(warmup * totalSteps);
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  switch (schedule) {
    case "cosine":
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    case "linear":
      return Math.max(0, 1 - progress);
    case "constant":
      return 1;
    default:
      return schedule satisfies never;
  }
}
