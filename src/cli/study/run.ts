/**
 * `tacit study run`: one display for the whole. On a terminal a line for each step that ends and one that moves; in a log the lines
 * alone; under `--json` one JSON object a line on standard error, and the summary on standard output.
 * May not know: how anything is computed.
 */
import { checkers } from "../../glasshouse/checker.js";
import type { StudyResults } from "../../records/study.js";
import type { StudyRequest } from "../../study/plan/flags.js";
import { refuseImpossible } from "../../study/plan/plan.js";
import type { Prepared } from "../../study/plan/prepare.js";
import type { RunWatch } from "../../study/run/run.js";
import { runStudy } from "../../study/run/run.js";
import { threadedRunner } from "../../study/run/runner.js";
import type { Step } from "../../study/steps.js";
import { InvariantError } from "../../util/errors.js";
import { formatCount, formatDuration } from "../../util/progress.js";
import { excerpt } from "../../util/terminal.js";
import { type Io, LONGEST_MESSAGE } from "../run-action.js";
import { countStates, describeOutcome, summaryOf } from "./describe.js";
import { prepareShown } from "./prepare.js";

/** Milliseconds between two progress events of one step under `--json`. */
const EVENT_MS = 5_000;

export async function carryOutStudy(request: StudyRequest, io: Io): Promise<object> {
  const prepared = await prepareShown(request);
  await refuseImpossible(prepared);
  const { folder, context } = prepared;
  const runner = threadedRunner({ root: folder.root, threads: context.settings.threads, checkers });
  io.beforeExit(() => runner.halt());
  const watch = io.json ? eventsOn(io) : linesOn(io);
  const defects: string[] = [];
  const onEnd: RunWatch["onEnd"] = (step, record) => {
    if (record.outcome.kind === "failed" && record.outcome.defect) defects.push(step.id);
    watch.onEnd?.(step, record);
  };
  const results = await runStudy(prepared, runner, { ...watch, onEnd, signal: io.signal });
  io.out(describeOutcome(results, folder.root));
  settleExitCode(results, prepared, defects);
  return summaryOf(results, folder.root);
}

/** The summary is printed whatever failed; a failure still is one. */
export function settleExitCode(results: StudyResults, { record }: Prepared, defects: readonly string[] = []): void {
  const { failed } = countStates(results);
  if (failed > 0) process.exitCode = defects.length > 0 ? 1 : 2;
  if (defects.length > 0) process.stderr.write(`tacit: a defect of ours; please report it: ${defects.join(", ")}\n`);
  if (results.state === "unfinished")
    throw new InvariantError(`internal: the study ${record.study.name} ended with work left`);
}

function linesOn(io: Io): RunWatch {
  let [total, done] = [0, 0];
  const running = new Map<Step, () => string>();
  const draw = (): void =>
    io.progress.update(() => {
      const now = [...running].map(([{ id }, text]) => `${id} ${text()}`).join(" · ");
      return `${done} of ${total} steps done${now === "" ? "" : ` · ${now}`}`;
    });
  return {
    onPlan(plan) {
      [total, done] = [plan.steps, plan.done];
      if (plan.failedBefore > 0) io.note(`${formatCount(plan.failedBefore)} steps failed before and are tried again`);
    },
    onBegin(step) {
      running.set(step, () => "begins");
      draw();
    },
    onProgress(step, text) {
      running.set(step, text);
      draw();
    },
    onEnd(step, { outcome, timings }) {
      running.delete(step);
      if (outcome.kind === "done") done++;
      const how = outcome.kind === "done" ? "done" : `FAILED: ${excerpt(outcome.reason, LONGEST_MESSAGE)}`;
      io.note(`${how === "done" ? `${done}/${total}` : "!"} ${step.id}: ${how} (${formatDuration(timings.seconds)})`);
      draw();
    },
  };
}

function eventsOn(io: Io): RunWatch {
  const last = new Map<Step, number>();
  const say = (event: object): void => io.note(JSON.stringify(event));
  return {
    onPlan: ({ steps, done }) => say({ event: "plan", steps, done }),
    onBegin: ({ id, plan }) => say({ event: "begin", step: id, folder: plan?.folder ?? null }),
    onProgress(step, text) {
      if (performance.now() - (last.get(step) ?? Number.NEGATIVE_INFINITY) < EVENT_MS) return;
      last.set(step, performance.now());
      say({ event: "progress", step: step.id, text: text() });
    },
    onEnd: ({ id }, { outcome, timings }) => say({ event: "end", step: id, outcome, seconds: timings.seconds }),
  };
}
