/**
 * Studies for scripts: what `tacit study plan`, `run` and `status` do, one call each.
 * May not know: how anything is shown.
 */
import type { Checkers } from "../judge/checker.js";
import type { StudyResults } from "../records/study.js";
import type { StudyRequest } from "./flags.js";
import { planStudy as planPrepared, type StudyPlan } from "./plan.js";
import { prepareStudy } from "./prepare.js";
import { recall } from "./recall.js";
import { type RunWatch, runStudy as runPrepared } from "./run.js";
import { inlineRunner, threadedRunner } from "./runner.js";
import { openState } from "./state.js";

export interface RunStudyRequest extends StudyRequest {
  /** Compute in the calling thread, which then answers nobody meanwhile, a judge's replies included; default: in threads of its own. */
  readonly inThisThread?: boolean;
  /** For a judge that is a program, by name: `checkers` of this package, or your own. */
  readonly checkers?: Checkers;
}

/**
 * The steps of a study with their states, and what the rest will take. Nothing is written.
 *
 * @throws UserError  the study is wrong, or something that it names is not there
 */
export const planStudy = async (request: StudyRequest): Promise<StudyPlan> => planPrepared(await prepareStudy(request));

/**
 * Carries out what is not done yet. A step that fails does not throw: `state` of the results is then `failed`, and its entry in `steps`
 * has the reason.
 *
 * @throws UserError    as `planStudy`, or another process is at work in the folder
 * @throws Interrupted  `watch.signal`; what was finished is kept, and the next call goes on from there
 */
export async function runStudy(request: RunStudyRequest, watch: RunWatch = {}): Promise<StudyResults> {
  const { inThisThread = false, checkers = {}, ...rest } = request;
  const prepared = await prepareStudy(rest);
  const place = { root: prepared.folder.root, threads: prepared.context.settings.threads, checkers };
  return runPrepared(prepared, inThisThread ? inlineRunner(place) : threadedRunner(place), watch);
}

/** Where a study stands: its results as they are now. What the request leaves out is as in the folder's last run. */
export const studyStatus = async (request: StudyRequest): Promise<StudyResults> =>
  (await openState(await prepareStudy(await recall(request)))).results();
