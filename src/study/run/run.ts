/**
 * Carries out a study: every step that can be begun is, until nothing is left to do. A failure is recorded, and fails only what needs
 * it. Stopped in any way, the next run resumes; where nothing is left, it does nothing.
 * May not know: what the steps compute.
 */

import { join } from "node:path";
import { asSetting } from "../../options/study-settings.js";
import {
  type Emitter,
  EVENTS_FILE,
  outcomeOf,
  type StepEvent,
  type StepOutcome,
  type Watch,
  watched,
} from "../../records/events.js";
import { type Outcome, STEP_VERSION, type StepRecord, type StudyResults } from "../../records/study.js";
import { HASHED_BYTES } from "../../records/study-results.js";
import { Interrupted, present, userErrorOf } from "../../util/errors.js";
import { removePartial, removeTraces } from "../../util/files.js";
import { acquireLock } from "../../util/lock.js";
import { formatCount } from "../../util/progress.js";
import { availableCores, secondsSince } from "../../util/system.js";
import type { Prepared } from "../plan/prepare.js";
import type { OnRead } from "../plan/sources.js";
import { lockPath, makeStudyFolder, type StudyFolder, stepsOf } from "../results/folder.js";
import { openState, type StudyState } from "../results/state.js";
import type { Done } from "../step.js";
import { definitionOf, type Step } from "../steps.js";
import { computingRoom } from "./machine.js";
import { type Failure, passingFailures } from "./passing.js";
import type { Runner } from "./runner.js";
import { startable, statesOf } from "./schedule.js";
import { type WeightCheck, weightCheck } from "./weights.js";

/** Events are of the whole, as `study`, and of its steps, by their ids. */
export interface StudyWatch extends Watch {
  /** Told of a step before its events, when it has its turn. */
  readonly onStep?: ((step: Step) => void) | undefined;
  /** How far results of earlier runs are looked at. */
  readonly onRead?: OnRead | undefined;
}

/**
 * @throws Interrupted  stopped; every step that was under way has kept what it had finished
 * @throws UserError    another process is at work in the folder
 */
export const runStudy = (prepared: Prepared, runner: Runner, watch: StudyWatch = {}): Promise<StudyResults> =>
  watched("study", watch, (say) => carryOutStudy(prepared, runner, watch, say));

async function carryOutStudy(
  prepared: Prepared,
  runner: Runner,
  watch: StudyWatch,
  say: Emitter,
): Promise<StudyResults> {
  const { folder } = prepared;
  await makeStudyFolder(folder.root);
  const lock = await acquireLock(lockPath(folder.root), folder.root);
  try {
    await removePartial(folder.root);
    await removeTraces(stepsOf(folder.root));
    await folder.writeStudy(prepared.record);
    await say.keepIn(join(folder.root, EVENTS_FILE));
    const state = await openState(prepared, { retry: true, hashUpTo: HASHED_BYTES, onRead: watch.onRead });
    const doneBefore = doneSteps(state);
    const progress: Progress = {
      known() {
        say.begin({ total: state.graph().steps.length, unit: "steps", reused: doneBefore });
        const failed = state.failedBefore();
        if (failed > 0)
          say.note(
            failed === 1
              ? "1 step failed before and is tried again"
              : `${formatCount(failed)} steps failed before and are tried again`,
          );
      },
      done: () => say.progress({ done: doneSteps(state) }),
      of: say.pass,
    };
    progress.known();
    await workOff(prepared, state, runner, watch, progress);
    const results = await state.results();
    await folder.writeResults(results);
    return results;
  } finally {
    await runner.close();
    await lock.release();
  }
}

/** Of the whole study. */
interface Progress {
  /** Again when a choice makes more steps known. */
  known(): void;
  done(): void;
  /** An event of one of its steps. */
  of(event: StepEvent): void;
}

const doneSteps = (state: StudyState): number =>
  [...statesOf(state.graph().steps, state.outcomes).values()].filter((one) => one === "done").length;

async function workOff(
  prepared: Prepared,
  state: StudyState,
  runner: Runner,
  watch: StudyWatch,
  progress: Progress,
): Promise<void> {
  const { folder, inputs, engine } = prepared;
  const room = computingRoom(inputs, engine, availableCores());
  const running = new Map<Step, Promise<void>>();
  const passing = passingFailures(state);
  const weights = weightCheck(folder, state);
  const broken: unknown[] = [];
  /** What breaks the run itself, as a full disk does, stops the steps beside it as well. */
  const halt = new AbortController();
  const signal = watch.signal === undefined ? halt.signal : AbortSignal.any([watch.signal, halt.signal]);
  const stop = (error: unknown): void => {
    if (outcomeOf(error).kind !== "interrupted") broken.push(error); // the study says for itself that it was stopped
    halt.abort(new Interrupted("what was finished is kept"));
  };
  for (;;) {
    if (!signal.aborted) {
      for (const step of startable(state.graph().steps, state.outcomes, [...running.keys()], room)) {
        const work = carry(step, folder, state, runner, weights, { ...watch, signal }, progress)
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
  watch: StudyWatch,
  progress: Progress,
): Promise<Failure | undefined> {
  const plan = present(step.plan, step.id);
  const started = performance.now();
  const resumed = await folder.beginStep(plan.folder);
  watch.onStep?.(step);
  const tell = (event: StepEvent): void => {
    if (event.event !== "end") progress.of({ ...event, step: step.id }); // it has ended when its record is written
  };
  const end = (outcome: StepOutcome, time = new Date().toISOString()): void =>
    progress.of({ time, step: step.id, event: "end", outcome });
  const work = async (): Promise<Done> => {
    await weights.check(plan.work); // what is wrong with them fails the steps that need them, and no other
    return runner.run(plan.work, plan.folder, { signal: watch.signal, onEvent: tell });
  };
  const ended = await attempt(work).catch((interrupted: unknown) => {
    end({ kind: "interrupted" });
    throw interrupted;
  });
  const record: StepRecord = {
    version: STEP_VERSION,
    kind: step.kind,
    key: plan.key,
    request: plan.request,
    outcome: ended.outcome,
    timings: {
      seconds: secondsSince(started),
      finished: new Date().toISOString(),
      ...ended.done,
      resumed,
    },
    results: ended.outcome.kind === "done" ? await folder.fingerprints(plan.folder) : [],
  };
  await folder.writeStep(plan.folder, record);
  state.settle(plan.key, record);
  progress.done();
  end(record.outcome, record.timings.finished);
  if (definitionOf(step.kind).decides !== undefined && record.outcome.kind === "done") {
    await state.refresh();
    progress.known();
  }
  return ended.failure;
}

interface Attempt {
  readonly outcome: Outcome;
  readonly done: Done;
  readonly failure?: Failure;
}

/** A failure becomes a record; only an interruption stays one. */
async function attempt(work: () => Promise<Done>): Promise<Attempt> {
  try {
    return { outcome: { kind: "done" }, done: await work() };
  } catch (error) {
    const outcome = outcomeOf(error, { spelling: asSetting });
    if (outcome.kind === "interrupted") throw error;
    const failure = { passing: userErrorOf(error)?.passing ?? false };
    return { outcome, done: { work: 0, unit: "none" }, failure };
  }
}
