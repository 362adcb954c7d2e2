/**
 * Judging, from files to files: two files of outputs and a judge in; annotations in AlpacaEval's format, the ledger of raw replies and a
 * run record out. The command, the library and studies call this one function.
 *
 * The ledger is what was paid for: it is only ever added to, and every result is made from it again. A run that was stopped, by whatever,
 * goes on where it was when the same command is given again.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { annotatePair, annotationOf, settledVerdict } from "../judge/annotate.js";
import { type Asked, askAll, type Transport } from "../judge/ask.js";
import { type Checkers, checkerJudge } from "../judge/checker.js";
import { type Clock, realClock } from "../judge/clock.js";
import { openBudget } from "../judge/cost.js";
import { type DirectJudge, votesJudge } from "../judge/direct.js";
import { httpTransport } from "../judge/http.js";
import { isAsked } from "../judge/judge-file.js";
import { missingCalls } from "../judge/plan.js";
import { openReplies, type Replies } from "../judge/replies.js";
import { scriptedTransport } from "../judge/scripted.js";
import { type Annotation, annotationsJson } from "../records/annotations.js";
import { type AskedJudge, limitsSchema } from "../records/judge-file.js";
import type { JudgeLedgerLine } from "../records/judge-ledger.js";
import { type JudgeRun, type JudgeSpent, judgeRunSchema } from "../records/judge-run.js";
import { Interrupted, UserError } from "../util/errors.js";
import { type AtomicWriter, makeDirectory, openAtomic, removePartial } from "../util/files.js";
import { readJson } from "../util/json.js";
import { openGrowingLedger } from "../util/ledger.js";
import { acquireLock } from "../util/lock.js";
import { type JudgePlan, type JudgePlanOptions, maxOutput, planJudging } from "./judge-plan.js";
import { judgeRecord } from "./judge-record.js";

export interface JudgeOptions extends JudgePlanOptions {
  /** A folder for annotations, ledger and run record. */
  readonly out: string;
  /** Most that this run may spend, in dollars; needs a price. */
  readonly maxCost?: number;
  /** Replace the results of another run in `out`; its ledger is kept. */
  readonly force?: boolean;
  /** For judges of kind `checker`, by name: `checkers` of this package, or your own. */
  readonly checkers?: Checkers;
  readonly clock?: Clock;
}

export interface JudgeWatch {
  /** Aborted: no new request is sent, those under way are waited for. */
  readonly signal?: AbortSignal;
  readonly onStart?: (plan: { readonly pairs: number; readonly calls: number; readonly missing: number }) => void;
  readonly onProgress?: (state: { readonly answered: number; readonly calls: number; readonly asked: Asked }) => void;
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
  readonly lock: string;
}

export const judgePaths = (out: string): JudgePaths => ({
  annotations: join(out, "annotations.json"),
  ledger: join(out, "ledger.jsonl"),
  run: join(out, "run.json"),
  lock: join(out, "judge.lock"),
});

/**
 * Judges every pair of outputs that answers the same instruction.
 *
 * @throws UserError  something about files or judge is wrong, another run is in `out` or at work there, or the judge cannot go on
 * @throws Interrupted  the signal; what was answered is in the ledger
 * @example
 * const { run } = await judge({ outputs: "tuned.json", baseline: "base.json", judge: "judge.yaml", out: "runs/judged" });
 */
export async function judge(options: JudgeOptions, watch: JudgeWatch = {}): Promise<JudgeSummary> {
  const started = performance.now();
  const plan = await planJudging(options);
  if (options.maxCost !== undefined && plan.price === undefined) {
    throw new UserError("a limit on cost needs the judge's price", {
      remedy: "give it in the judge file (price: {input, output}, dollars per million tokens) or with --prices",
    });
  }
  const paths = judgePaths(options.out);
  await makeDirectory(options.out);
  const lock = await acquireLock(paths.lock, options.out);
  try {
    await removePartial(options.out);
    await refuseOtherRun(paths, plan, options.force === true);
    const { annotations, replies, asked, reused } = await judged(plan, paths, options, watch);
    const run = judgeRecord(plan, annotations, replies, asked?.outOfMoney === true);
    await writeResults(paths, annotations, run);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
    return {
      annotations,
      run,
      spent: { requests: asked?.requests ?? 0, replies: asked?.replies ?? 0, reused, seconds },
      unusable: withoutVerdict(plan, replies, paths),
    };
  } finally {
    await lock.release();
  }
}

async function refuseOtherRun(paths: JudgePaths, { fingerprint }: JudgePlan, force: boolean): Promise<void> {
  if (force) return;
  const there = existsSync(paths.run) ? await readJson(paths.run) : undefined;
  const theirs = (there as { readonly fingerprint?: unknown } | undefined)?.fingerprint;
  const foreign = there === undefined && existsSync(paths.annotations) && !existsSync(paths.ledger);
  if ((there === undefined && !foreign) || theirs === fingerprint) return;
  throw new UserError(`${paths.annotations} is the result of other outputs, another judge or other options`, {
    remedy: "name another --out, or pass --force to replace it (the ledger of replies is kept)",
  });
}

interface Judged {
  readonly annotations: readonly Annotation[];
  readonly replies?: Replies;
  readonly asked?: Asked;
  readonly reused: number;
}

async function judged(plan: JudgePlan, paths: JudgePaths, options: JudgeOptions, watch: JudgeWatch): Promise<Judged> {
  const { judge: definition } = plan.loaded;
  if (isAsked(definition)) return askedFor(plan, definition, paths, options, watch);
  const direct: DirectJudge =
    definition.kind === "checker"
      ? await checkerJudge(definition, plan.loaded.folder, options.checkers ?? {})
      : await votesJudge(definition, plan.loaded.folder);
  await (await openGrowingLedger(paths.ledger, () => undefined)).close(); // a judge that is not asked leaves it empty
  watch.onStart?.({ pairs: plan.pairs.length, calls: 0, missing: 0 });
  const annotations = plan.pairs.map((pair) =>
    annotationOf(pair, plan.names, pair.settled === undefined ? direct(pair) : settledVerdict(pair.settled)),
  );
  return { annotations, reused: 0 };
}

async function askedFor(
  plan: JudgePlan,
  definition: AskedJudge,
  paths: JudgePaths,
  options: JudgeOptions,
  watch: JudgeWatch,
): Promise<Judged> {
  const send = definition.kind === "openai" ? httpTransport(definition) : scriptedTransport(definition);
  const replies = openReplies(plan.keys, definition);
  const ledger = await openGrowingLedger<JudgeLedgerLine>(paths.ledger, replies.visit);
  try {
    const reused = replies.size();
    const missing = missingCalls(plan.pairs, plan.loaded, replies.has);
    watch.onStart?.({ pairs: plan.pairs.length, calls: plan.keys.size, missing: missing.length });
    const weighed = [...plan.keys].some((key) => replies.get(key)?.verdict.outcome === "judged");
    const stopWithoutLogprobs = watchForLogprobs(definition, weighed);
    const record = async (line: JudgeLedgerLine): Promise<void> => {
      await ledger.append(line);
      replies.visit(line);
      stopWithoutLogprobs(replies, line.key);
    };
    const asked = await askAll(missing, {
      ...askingOf(plan, definition, options, send),
      record,
      earlier: reused,
      signal: watch.signal,
      onProgress: (state) =>
        watch.onProgress?.({
          answered: replies.size(),
          calls: plan.keys.size,
          asked: { ...state, outOfMoney: false },
        }),
    });
    refuseWithoutReplies(plan, replies, asked);
    const annotations = plan.pairs.map((pair) => annotatePair(pair, definition, plan.names, replies.get));
    return { annotations, replies, asked, reused };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(
      `${replies.size()} of ${plan.keys.size} calls are answered; give the same command again to go on`,
    );
  } finally {
    await ledger.close();
  }
}

/**
 * Nothing is known of any pair that was to be judged: a result would only look like one.
 *
 * @throws UserError  no call has anything but a failure
 */
function refuseWithoutReplies({ keys }: JudgePlan, replies: Replies, { outOfMoney }: Asked): void {
  if (keys.size === 0) return;
  const reasons = new Map<string, number>();
  for (const key of keys) {
    const verdict = replies.get(key)?.verdict;
    if (verdict === undefined) continue; // not asked
    if (verdict.outcome !== "failed") return;
    reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
  }
  const [reason] = [...reasons].sort(([, a], [, b]) => b - a)[0] ?? [];
  if (outOfMoney && reason === undefined) {
    throw new UserError("the limit on cost does not reach for a single call", { remedy: "give a higher one" });
  }
  throw new UserError(`none of ${keys.size} calls to the judge got a usable reply: ${reason ?? "none was asked"}`, {
    remedy: "what came is in the ledger and no result is written; give the same command again when the judge answers",
  });
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

function askingOf(plan: JudgePlan, definition: AskedJudge, options: JudgeOptions, send: Transport) {
  const { maxCost, clock = realClock } = options;
  const budget = maxCost === undefined || plan.price === undefined ? undefined : openBudget(maxCost, plan.price);
  const own = definition.kind === "openai" ? definition.limits : limitsSchema.parse({});
  return {
    send,
    server: definition.kind === "openai" ? definition.base_url : definition.kind,
    limits: limitsSchema.parse({ ...own, ...options.limits }),
    maxOutput: maxOutput(definition),
    clock,
    budget,
  };
}

/** So many replies and not one with log-probabilities: the server has none, and the rest would be paid for nothing. */
const WITHOUT_LOGPROBS = 8;

function watchForLogprobs(judge: AskedJudge, weighed: boolean): (replies: Replies, key: string) => void {
  let without = 0;
  let weighs = judge.verdict === "sampled" || weighed;
  return (replies, key) => {
    const found = replies.get(key)?.verdict;
    if (weighs || found === undefined || found.outcome === "failed") return;
    if (found.outcome === "judged") {
      weighs = true;
      return;
    }
    if (/log-probabilit|top_logprobs/.test(found.reason)) without++;
    if (without < WITHOUT_LOGPROBS) return;
    const what = /top_logprobs/.test(found.reason) ? "no top_logprobs" : "no log-probabilities that can be weighed";
    throw new UserError(`the judge's first ${without} replies hold ${what}`, {
      remedy: "write `verdict: sampled` in the judge file if this server gives none",
    });
  };
}

/** Both files are whole before either is seen. The record first: annotations never lie beside the record of others. */
async function writeResults(paths: JudgePaths, annotations: readonly Annotation[], run: JudgeRun): Promise<void> {
  const staged: AtomicWriter[] = [];
  const stage = async (path: string, pieces: Iterable<string>): Promise<void> => {
    const file = await openAtomic(path);
    staged.push(file);
    for (const piece of pieces) await file.write(piece);
  };
  try {
    await stage(paths.run, [`${JSON.stringify(judgeRunSchema.parse(run), null, 2)}\n`]);
    await stage(paths.annotations, annotationsJson(annotations));
    for (const file of staged) await file.commit();
  } catch (error) {
    for (const file of staged) await file.discard();
    throw error;
  }
}
