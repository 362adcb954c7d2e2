/**
 * The demo: the study `glasshouse`, its report, and what came out as one table. The same folder and the same code as `tacit study` and
 * `tacit report`; here it is told.
 * May not know: how anything is computed or drawn.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkers } from "../../glasshouse/checker.js";
import { type StudyResults, studyFiles } from "../../records/study.js";
import { isReportFile, report } from "../../report/report.js";
import { prepareStudy } from "../../study/plan/prepare.js";
import { isStudyFile } from "../../study/results/folder.js";
import type { CarryContext } from "../../study/run/carry-out.js";
import { runStudy } from "../../study/run/run.js";
import { type Runner, threadedRunner } from "../../study/run/runner.js";
import { checkReplaceable, removeDirectory } from "../../util/directories.js";
import { present } from "../../util/errors.js";
import { temporaryName } from "../../util/files.js";
import { jsonObject } from "../../util/json.js";
import { formatDuration } from "../../util/progress.js";
import type { Io } from "../run-action.js";
import { problems, stateLine } from "../study/describe.js";
import { settleExitCode } from "../study/run.js";
import { armResults, describeArms, describeKnowledge, describeRankings, recordedKnowledge } from "./outcome.js";
import { introduction, tellStory } from "./story.js";

export interface GlasshouseFlags {
  readonly out: string;
  readonly scale: "demo" | "quick" | "tiny";
  /** Seeds 1 to this. */
  readonly seeds: number;
  /** Default: the model in the package. */
  readonly model?: string;
  readonly threads?: number;
  readonly force: boolean;
}

const STUDY = "glasshouse";
const REPORT = "report";

/** What `force` may replace: a folder of this study, with its report. */
export const REPLACED = {
  marker: { name: studyFiles.study, isOurs: isOfDemo },
  owns: (path: string): boolean =>
    isStudyFile(path) || (path.startsWith(`${REPORT}/`) && isReportFile(path.slice(REPORT.length + 1))),
};

function isOfDemo(text: string): boolean {
  const study = jsonObject(text)?.study;
  return typeof study === "object" && study !== null && "name" in study && study.name === STUDY;
}

type MakeRunner = (context: Pick<CarryContext, "root" | "computing">) => Runner;

const inThreads: MakeRunner = (context) => threadedRunner({ ...context, checkers });

/**
 * @throws UserError    the folder is something else's, or the model is missing
 * @throws Interrupted  stopped; the same command resumes
 */
export async function runGlasshouse(flags: GlasshouseFlags, io: Io, makeRunner = inThreads): Promise<object> {
  const started = performance.now();
  const { out, scale, seeds, model, threads, force } = flags;
  const request = {
    study: STUDY,
    scale,
    seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    ...(model === undefined ? {} : { models: [model] }),
    ...(threads === undefined ? {} : { threads }),
  };
  if (force && (await checkReplaceable(out, { force, ...REPLACED }))) {
    await prepareStudy({ ...request, out: temporaryName(out) }); // what is wrong with the request is said before anything is lost
    await removeDirectory(out);
  }
  const prepared = await prepareStudy({ ...request, out });
  const { study } = prepared.record;
  io.out(introduction(study, model === undefined));
  const runner = makeRunner({ root: out, computing: prepared.engine });
  io.beforeExit(() => runner.halt());
  const { watch, told, defects } = tellStory(prepared, io);
  const results = await runStudy(prepared, runner, { ...watch, signal: io.signal });
  await told();
  io.progress.clear();
  const made = join(out, REPORT);
  const { html } = await report({ study: out, out: made, force: existsSync(made) });
  const page = join(made, html);
  const seconds = (performance.now() - started) / 1000;
  const arms = await armResults(prepared, results);
  const { path: base } = present(study.models.base, "base model");
  const knowledge = await recordedKnowledge(base);
  io.out(`\n${describeArms(arms)}\n${describeKnowledge(base, knowledge)}\n${describeRankings(results, study)}`);
  io.out(ending(results, page, out, seconds));
  settleExitCode(results, prepared, defects);
  return {
    ...summaryOf(results),
    out,
    report: page,
    arms,
    knowledge: knowledge ?? null,
    seconds: Number(seconds.toFixed(1)),
  };
}

const summaryOf = ({ state, rankings, steps }: StudyResults): object => ({
  state,
  rankings: rankings.map(({ arm, seed, totals }) => ({ arm, seed, rate: totals.sum.rate })),
  failures: steps.filter((step) => step.state === "failed").map(({ id, reason }) => ({ id, reason })),
});

const ending = (results: StudyResults, page: string, out: string, seconds: number): string =>
  `${problems(results)}${stateLine(results)} in ${formatDuration(seconds)}.
Every answer and every verdict, with the parts of its score, lies in ${out}.

The report: ${page}
`;
