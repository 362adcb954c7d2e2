/**
 * Judging, from files to files: two files of outputs and a judge in; annotations in AlpacaEval's format, the ledger of raw replies and a
 * run record out. The command, the library and studies call this one function.
 *
 * The ledger is what was paid for: it is only ever added to, and every result is made from it again. A run that was stopped, by whatever,
 * is resumed by the same command.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { annotationOf, settledVerdict } from "../judge/annotate.js";
import { type Checkers, checkerJudge } from "../judge/checker.js";
import { type DirectJudge, votesJudge } from "../judge/direct.js";
import { isAsked } from "../judge/judge-file.js";
import type { Replies } from "../judge/replies.js";
import type { judgeOptions } from "../options/measure.js";
import { type Annotation, annotationsJson } from "../records/annotations.js";
import { type Emitter, EVENTS_FILE, type Watch, watched } from "../records/events.js";
import { type JudgeRun, type JudgeSpent, judgeRunSchema } from "../records/judge-run.js";
import { UserError } from "../util/errors.js";
import { removePartial } from "../util/files.js";
import { readJson } from "../util/json.js";
import { acquireLock } from "../util/lock.js";
import type { OptionsOf } from "../util/options.js";
import { formatCount } from "../util/progress.js";
import { recordText } from "../util/record-file.js";
import { openResult, type Result } from "../util/result.js";
import { secondsSince } from "../util/system.js";
import { option, words } from "../util/words.js";
import { type AskingOptions, askForVerdicts, type Judged } from "./judge-calls.js";
import { type JudgePlan, type JudgePlanOptions, planJudging } from "./judge-plan.js";
import { judgeRecord } from "./judge-record.js";

export interface JudgeOptions
  extends JudgePlanOptions,
    AskingOptions,
    Pick<OptionsOf<typeof judgeOptions>, "out" | "force"> {
  /** For judges of kind `checker`, by name: `checkers` of this package, or your own. */
  readonly checkers?: Checkers;
}

export interface JudgeSummary {
  readonly annotations: readonly Annotation[];
  readonly run: JudgeRun;
  readonly spent: JudgeSpent;
  /** Calls were answered and no reply holds a verdict: what there is is written, and says nothing of either model. */
  readonly unusable: UserError | undefined;
}

export interface JudgePaths {
  readonly annotations: string;
  readonly ledger: string;
  readonly run: string;
  readonly events: string;
}

export const judgePaths = (out: string): JudgePaths => ({
  annotations: join(out, "annotations.json"),
  ledger: join(out, "ledger.jsonl"),
  run: join(out, "run.json"),
  events: join(out, EVENTS_FILE),
});

/** What an older version held while it judged into a folder. */
export const olderLockPath = (out: string): string => join(out, "judge.lock");

/**
 * Judges every pair of outputs that answers the same instruction.
 *
 * @throws UserError  something about files or judge is wrong, another run is in `out` or at work there, or the judge has stopped answering
 * @throws Interrupted  the signal; what was answered is in the ledger
 * @example
 * const { run } = await judge({ outputs: "tuned.json", baseline: "base.json", judge: "judge.yaml", out: "runs/judged" });
 */
export const judge = (options: JudgeOptions, watch: Watch = {}): Promise<JudgeSummary> =>
  watched("judge", watch, (say) => judgePairs(options, say, watch.signal));

async function judgePairs(options: JudgeOptions, say: Emitter, signal: AbortSignal | undefined): Promise<JudgeSummary> {
  const started = performance.now();
  const plan = await planJudging(options);
  if (options.maxCost !== undefined && plan.price === undefined) {
    throw new UserError("a limit on cost needs the judge's price", {
      remedy: words`give it in the judge file (price: {input, output}, dollars per million tokens) or with ${option("prices")}`,
    });
  }
  const paths = judgePaths(options.out);
  await using result = await openResult({
    main: paths.run, // first: annotations never lie beside the record of others
    beside: [paths.annotations],
    ledger: paths.ledger,
    inputs: [options.outputs, options.baseline],
    force: options.force === true,
    refuseOther: async () => {
      await endOlderRun(options.out);
      await refuseOtherRun(paths, plan, options.force === true);
    },
  });
  await say.keepIn(paths.events);
  say.note(`${formatCount(plan.pairs.length)} pairs, ${formatCount(plan.keys.size)} calls`);
  const { annotations, replies, spent, reused } = await judged(plan, result, options, say, signal);
  const run = judgeRecord(plan, annotations, replies, spent.outOfMoney);
  await result.write(paths.run, recordText(judgeRunSchema.parse(run)));
  await result.write(paths.annotations, annotationsJson(annotations));
  await result.commit({ keepLedger: true });
  const seconds = secondsSince(started);
  return {
    annotations,
    run,
    spent: { requests: spent.requests, replies: spent.replies, reused, seconds },
    unusable: withoutVerdict(plan, replies, paths),
  };
}

/**
 * Removes what an older version left when it was killed.
 *
 * @throws UserError  it is still at work
 */
async function endOlderRun(out: string): Promise<void> {
  const path = olderLockPath(out);
  if (!existsSync(path)) return;
  const lock = await acquireLock(path, out);
  await removePartial(out);
  await lock.release();
}

async function refuseOtherRun(paths: JudgePaths, { fingerprint }: JudgePlan, force: boolean): Promise<void> {
  if (force) return;
  const there = existsSync(paths.run) ? await readJson(paths.run) : undefined;
  const theirs = (there as { readonly fingerprint?: unknown } | undefined)?.fingerprint;
  const foreign = there === undefined && existsSync(paths.annotations) && !existsSync(paths.ledger);
  if ((there === undefined && !foreign) || theirs === fingerprint) return;
  throw new UserError(`${paths.annotations} is the result of other outputs, another judge or other options`, {
    remedy: words`name another ${option("out")}, or pass ${option("force")} to replace it (the ledger of replies is kept)`,
  });
}

async function judged(
  plan: JudgePlan,
  result: Result,
  options: JudgeOptions,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<Judged> {
  const { judge: definition } = plan.loaded;
  if (isAsked(definition)) return askForVerdicts(plan, definition, result, options, say, signal);
  const direct: DirectJudge =
    definition.kind === "checker"
      ? await checkerJudge(definition, plan.loaded.folder, options.checkers ?? {})
      : await votesJudge(definition, plan.loaded.folder);
  await result.ledger(() => undefined); // a judge that is not asked leaves it empty
  const annotations = plan.pairs.map((pair) =>
    annotationOf(pair, plan.names, pair.settled === undefined ? direct(pair) : settledVerdict(pair.settled)),
  );
  return { annotations, reused: 0, spent: { requests: 0, replies: 0, dollars: undefined, outOfMoney: false } };
}

function withoutVerdict(
  { keys }: JudgePlan,
  replies: Replies | undefined,
  { ledger }: JudgePaths,
): UserError | undefined {
  const answered = [...keys].flatMap((key) => replies?.get(key) ?? []);
  if (answered.length === 0 || answered.some(({ verdict }) => verdict.outcome === "judged")) return undefined;
  const first = answered.find(({ replied }) => replied) ?? answered[0];
  const said = first?.opening === undefined || first.opening === "" ? "" : ` (the first reply: ${first.opening})`;
  const reason = first !== undefined && "reason" in first.verdict ? first.verdict.reason : "";
  return new UserError(`no reply to ${keys.size} calls holds a verdict that can be used: ${reason}${said}`, {
    remedy: `look at ${ledger}, then change prompt_file, markers, parser, verdict or parameters in the judge file`,
  });
}
