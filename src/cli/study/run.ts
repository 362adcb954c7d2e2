/**
 * `tacit study run`: one display for the whole. On a terminal a line for each step that ends and one that moves; in a log the lines
 * alone; with `--events` one JSON object a line.
 * May not know: how anything is computed.
 */
import { checkers } from "../../glasshouse/checker.js";
import type { Plan, StepEvent } from "../../records/events.js";
import type { StudyResults } from "../../records/study.js";
import type { StudyRequest } from "../../study/plan/flags.js";
import { refuseImpossible } from "../../study/plan/plan.js";
import type { Prepared } from "../../study/plan/prepare.js";
import { runStudy } from "../../study/run/run.js";
import { threadedRunner } from "../../study/run/runner.js";
import type { Step } from "../../study/steps.js";
import { InvariantError } from "../../util/errors.js";
import { formatDuration, type Progress } from "../../util/progress.js";
import { excerpt, quoted } from "../../util/terminal.js";
import { type Io, LONGEST_MESSAGE } from "../run-action.js";
import { describeStanding } from "../step-progress.js";
import { countStates, describeOutcome, summaryOf } from "./describe.js";
import { prepareShown, showReading } from "./prepare.js";

export async function carryOutStudy(request: StudyRequest, io: Io): Promise<object> {
  const prepared = await prepareShown(request, io);
  await refuseImpossible(prepared);
  const { folder, engine: computing } = prepared;
  const runner = threadedRunner({ root: folder.root, computing, checkers });
  io.beforeExit(() => runner.halt());
  const shown = io.events ? { onStep: () => {}, onEvent: io.onEvent } : showStudy(io.progress);
  const { onRead, clear } = showReading(io);
  const defects: string[] = [];
  const onEvent = (event: StepEvent): void => {
    clear();
    if (isDefect(event)) defects.push(event.step);
    shown.onEvent(event);
  };
  const results = await runStudy(prepared, runner, { ...shown, onEvent, onRead, signal: io.signal });
  io.out(describeOutcome(results, folder.root));
  settleExitCode(results, prepared, defects);
  return summaryOf(results, folder.root);
}

/** A step failed by a fault of ours. */
export const isDefect = (event: StepEvent): boolean =>
  event.event === "end" && event.outcome.kind === "failed" && event.outcome.defect;

/** The summary is printed whatever failed; a failure still is one. */
export function settleExitCode(results: StudyResults, { record }: Prepared, defects: readonly string[] = []): void {
  const { failed } = countStates(results);
  if (failed > 0) process.exitCode = defects.length > 0 ? 1 : 2;
  if (defects.length > 0) process.stderr.write(`tacit: a defect of ours; please report it: ${defects.join(", ")}\n`);
  if (results.state === "unfinished")
    throw new InvariantError(`internal: the study ${record.study.name} ended with work left`);
}

interface ShownStudy {
  onStep(step: Step): void;
  onEvent(event: StepEvent): void;
}

/** A line for each step that ends, and one that moves. */
export function showStudy(progress: Progress): ShownStudy {
  let [total, done] = [0, 0];
  const running = new Map<string, { readonly since: number; plan?: Plan; text: () => string }>();
  const told = new Set<string>();
  const draw = (): void =>
    progress.update(() => {
      const now = [...running].map(([id, { text }]) => `${id} ${text()}`).join(" · ");
      return `${done} of ${total} steps done${now === "" ? "" : ` · ${now}`}`;
    });
  const ofStudy = (event: StepEvent): void => {
    if (event.event === "begin") [total, done] = [event.total, Math.max(done, event.reused)];
    if (event.event === "progress") done = event.done;
  };
  const ofStep = (event: StepEvent): void => {
    const step = running.get(event.step);
    if (step === undefined) return;
    if (event.event === "begin") step.plan = event;
    const { plan } = step;
    if (event.event === "progress" && plan !== undefined) step.text = () => describeStanding(plan, event);
    if (event.event !== "end") return;
    running.delete(event.step);
    const { outcome } = event;
    const how =
      outcome.kind === "failed"
        ? `! ${event.step}: FAILED: ${excerpt(outcome.reason, LONGEST_MESSAGE)}`
        : `${done}/${total} ${event.step}: done`;
    progress.note(`${how} (${formatDuration((performance.now() - step.since) / 1000)})`);
  };
  return {
    onStep({ id }) {
      running.set(id, { since: performance.now(), text: () => "begins" });
      draw();
    },
    onEvent(event) {
      if ((event.event === "note" || event.event === "warning") && !told.has(event.text)) {
        told.add(event.text); // arms have models and rules in common, and what there is to say of them
        progress.note(quoted(event.text));
      }
      if (running.has(event.step)) ofStep(event);
      else ofStudy(event);
      draw();
    },
  };
}
