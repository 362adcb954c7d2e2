/**
 * Carries out a study: every step that can be begun is, until nothing is left to do. A failure is recorded, and fails only what needs
 * it. Stopped in any way, the next run goes on; where nothing is left, it does nothing.
 * May not know: what the steps compute.
 */
import { type Outcome, STEP_VERSION, type StepRecord, type StudyResults } from "../../records/study.js";
import { HASHED_BYTES } from "../../records/study-results.js";
import { Interrupted, InvariantError, present, reasonOf, userErrorOf } from "../../util/errors.js";
import { removePartial, removeTraces } from "../../util/files.js";
import { acquireLock } from "../../util/lock.js";
import { availableCores } from "../../util/system.js";
import type { Prepared } from "../plan/prepare.js";
import { lockPath, makeStudyFolder, type StudyFolder, stepsOf } from "../results/folder.js";
import { openState, type StudyState } from "../results/state.js";
import type { Done } from "../step.js";
import { definitionOf, type Step } from "../steps.js";
import { computingRoom } from "./machine.js";
import { type Failure, passingFailures } from "./passing.js";
import type { Runner } from "./runner.js";
import { startable, statesOf } from "./schedule.js";
import { type WeightCheck, weightCheck } from "./weights.js";

export interface RunWatch {
  readonly signal?: AbortSignal;
  /**
   * All steps that are known by now, how many of them are done, and how many failed in an earlier run and are tried again; again when a
   * choice makes more known, with those that were not told before.
   */
  readonly onPlan?: (plan: { readonly steps: number; readonly done: number; readonly failedBefore: number }) => void;
  readonly onBegin?: (step: Step) => void;
  readonly onProgress?: (step: Step, text: () => string) => void;
  readonly onEnd?: (step: Step, record: StepRecord) => void;
}

/**
 * @throws Interrupted  stopped; every step that was under way has kept what it had finished
 * @throws UserError    another process is at work in the folder
 */
export async function runStudy(prepared: Prepared, runner: Runner, watch: RunWatch = {}): Promise<StudyResults> {
  const { folder } = prepared;
  await makeStudyFolder(folder.root);
  const lock = await acquireLock(lockPath(folder.root), folder.root);
  try {
    await removePartial(folder.root);
    await removeTraces(stepsOf(folder.root));
    await folder.writeStudy(prepared.record);
    const state = await openState(prepared, { retry: true, hashUpTo: HASHED_BYTES });
    announce(state, watch);
    await workOff(prepared, state, runner, watch);
    const results = await state.results();
    await folder.writeResults(results);
    return results;
  } finally {
    await runner.close();
    await lock.release();
  }
}

function announce(state: StudyState, watch: RunWatch): void {
  const states = [...statesOf(state.graph().steps, state.outcomes).values()];
  const done = states.filter((one) => one === "done").length;
  watch.onPlan?.({ steps: states.length, done, failedBefore: state.failedBefore() });
}

async function workOff(prepared: Prepared, state: StudyState, runner: Runner, watch: RunWatch): Promise<void> {
  const { folder, inputs, context } = prepared;
  const room = computingRoom(inputs, context.settings.threads, availableCores());
  const running = new Map<Step, Promise<void>>();
  const passing = passingFailures(state);
  const weights = weightCheck(folder, state);
  const broken: unknown[] = [];
  /** What breaks the run itself, as a full disk does, stops the steps beside it as well. */
  const halt = new AbortController();
  const signal = watch.signal === undefined ? halt.signal : AbortSignal.any([watch.signal, halt.signal]);
  const stop = (error: unknown): void => {
    broken.push(error);
    halt.abort(new Interrupted("what was finished is kept"));
  };
  for (;;) {
    if (!signal.aborted) {
      for (const step of startable(state.graph().steps, state.outcomes, [...running.keys()], room)) {
        const work = carry(step, folder, state, runner, weights, { ...watch, signal })
          .then((failure) => passing.ended(step, failure))
          .catch(stop)
          .finally(() => running.delete(step));
        running.set(step, work);
      }
    }
    if (running.size === 0 && !signal.aborted && passing.forget()) continue;
    if (running.size === 0) break;
    await Promise.race(running.values());
    await folder.writeResults(await state.results());
  }
  if (!signal.aborted) return;
  await state.results().then(folder.writeResults).catch(stop); // steps may have ended since the last time
  throw broken[0] ?? signal.reason;
}

/** One step from its beginning to its record. @returns how it failed, if it did */
async function carry(
  step: Step,
  folder: StudyFolder,
  state: StudyState,
  runner: Runner,
  weights: WeightCheck,
  watch: RunWatch,
): Promise<Failure | undefined> {
  const plan = present(step.plan, step.id);
  const started = performance.now();
  const resumed = await folder.beginStep(plan.folder);
  watch.onBegin?.(step);
  const ended = await attempt(async () => {
    await weights.check(plan.work); // what is wrong with them fails the steps that need them, and no other
    return runner.run(plan.work, plan.folder, {
      onProgress: (text) => watch.onProgress?.(step, text),
      ...(watch.signal === undefined ? {} : { signal: watch.signal }),
    });
  });
  const record: StepRecord = {
    version: STEP_VERSION,
    kind: step.kind,
    key: plan.key,
    request: plan.request,
    outcome: ended.outcome,
    timings: {
      seconds: Number(((performance.now() - started) / 1000).toFixed(3)),
      finished: new Date().toISOString(),
      ...ended.done,
      resumed,
    },
    results: ended.outcome.kind === "done" ? await folder.fingerprints(plan.folder) : [],
  };
  await folder.writeStep(plan.folder, record);
  state.settle(plan.key, record);
  watch.onEnd?.(step, record); // before the next plan, which counts this step as done
  if (definitionOf(step.kind).decides !== undefined && record.outcome.kind === "done") {
    await state.refresh();
    announce(state, watch);
  }
  return ended.failure;
}

interface Attempt {
  readonly outcome: Outcome;
  readonly done: Done;
  readonly failure?: Failure;
}

/** A failure becomes a record; only an interruption goes on being one. */
async function attempt(work: () => Promise<Done>): Promise<Attempt> {
  try {
    return { outcome: { kind: "done" }, done: await work() };
  } catch (error) {
    if (error instanceof Interrupted || (error instanceof Error && error.name === "AbortError")) throw error;
    const mistake = userErrorOf(error);
    const defect = mistake === undefined || error instanceof InvariantError;
    const reason = mistake?.message ?? reasonOf(error);
    return {
      outcome: { kind: "failed", reason, remedy: mistake?.remedy ?? null, defect },
      done: { work: 0, unit: "none" },
      failure: { passing: mistake?.passing ?? false },
    };
  }
}
