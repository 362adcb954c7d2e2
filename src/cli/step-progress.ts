/**
 * The sentences that a person reads while a step works, made of its events: what was kept, how far it is, how fast, how long it will take.
 * May not know: what a step does.
 */
import type { Plan, Standing, StepEvent } from "../records/events.js";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  type Progress,
  plural,
  secondsLeft,
} from "../util/progress.js";
import { quoted } from "../util/terminal.js";

/** What the line of progress begins with; any other step, with its name. */
const doing: Readonly<Record<string, string>> = {
  tune: "tuning",
  generate: "generating",
  score: "scoring",
  rank: "ranking",
  judge: "judging",
  similarity: "embedding",
  rephrase: "rephrasing",
  winrate: "reading",
  "models import": "importing",
  "models verify": "checking",
  "glasshouse pretrain": "pre-training",
  "glasshouse facts": "scoring",
};

/** Shows the events of one command: the line of progress, and lasting lines above it. */
export function showEvents(progress: Progress): (event: StepEvent) => void {
  let begun: (Plan & { readonly time: string }) | undefined;
  return (event) => {
    switch (event.event) {
      case "begin":
        begun = event;
        if (event.reused > 0) progress.note(describeReused(event));
        return;
      case "progress": {
        const plan = begun;
        if (plan === undefined) return; // nothing to measure it by
        progress.update(() => progressLine(event.step, plan, event, secondsBetween(plan, event)));
        return;
      }
      case "note":
        return progress.note(quoted(event.text));
      case "warning":
        return progress.note(`warning: ${quoted(event.text)}`);
      case "end": // the command says what came out, or the error does
        return;
      default:
        event satisfies never;
    }
  };
}

const secondsBetween = (a: { readonly time: string }, b: { readonly time: string }): number =>
  (Date.parse(b.time) - Date.parse(a.time)) / 1000;

const describeReused = ({ reused, total, unit }: Plan): string =>
  unit === "steps"
    ? `resuming after step ${formatCount(reused)} of ${formatCount(total)}`
    : `${formatCount(reused)} of ${formatCount(total)} ${unit} were finished before and are kept`;

/** `812 of 1,030 rows`, `step 12 of 40, loss 2.318`: where it stands, as long as a clock is not needed. */
export function describeStanding({ total, unit }: Plan, { done, loss, epoch, repeated, dollars }: Standing): string {
  return [
    unit === "steps"
      ? `step ${formatCount(done)} of ${formatCount(total)}`
      : `${formatCount(done)} of ${formatCount(total)} ${unit}`,
    ...(epoch === undefined ? [] : [`epoch ${epoch + 1}`]),
    ...(loss === undefined ? [] : [`loss ${loss.toPrecision(4)}`]),
    ...(repeated === undefined || repeated === 0 ? [] : [`${plural(repeated, "request")} without a reply`]),
    ...(dollars === undefined ? [] : [`$${dollars.toFixed(2)}`]),
  ].join(", ");
}

/** @param seconds  since the step began */
export function progressLine(step: string, plan: Plan, standing: Standing, seconds: number): string {
  const left = secondsLeft(standing.done - plan.reused, plan.total - plan.reused, seconds);
  const { tokens } = standing;
  return [
    `${doing[step] ?? step}: ${describeStanding(plan, standing)}`,
    ...(tokens === undefined || seconds <= 0 ? [] : [formatRate(tokens / seconds, "tokens")]),
    ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
    ...(plan.unit === "steps" ? [formatBytes(process.memoryUsage.rss())] : []),
  ].join(", ");
}
