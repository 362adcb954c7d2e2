/**
 * A judge's verdicts on two sets of answers.
 * May not know: the graph.
 */
import { dirname, join } from "node:path";
import { studySettings } from "../../options/study-settings.js";
import { judge, judgePaths, olderLockPath } from "../../steps/judge.js";
import { UserError } from "../../util/errors.js";
import { deciding, type OptionsOf } from "../../util/options.js";
import { type ForecastAnswers, leavesFiles, NO_MEMORY, NOTHING, type Source, type StepDefinition } from "../step.js";
import { whereGiven } from "./computing.js";

export interface JudgeWork {
  readonly kind: "judge";
  readonly judge: Source;
  readonly outputs: Source;
  readonly baseline: Source;
  readonly settings: Partial<OptionsOf<typeof studySettings.judge>>;
  /** Files that the settings name. */
  readonly promptFile: Source | undefined;
  readonly prices: Source | undefined;
}

const PATHS = judgePaths("judge");

/** Tokens of a judge's own prompt around the two answers. */
const JUDGE_PROMPT_TOKENS = 200;
/** Of an answer to a general instruction, and of a judge's reply that explains itself: what is assumed where none exists. */
export const COMMON_TOKENS = 300;

export const judgeStep: StepDefinition<JudgeWork> = {
  lane: "judging",
  alone: true, // calls to one judge share its limits
  memory: NO_MEMORY,
  models: () => 0,
  result: PATHS.annotations,
  leaves: leavesFiles({ ...PATHS, lock: olderLockPath(dirname(PATHS.run)) }),
  inputs: ({ judge: file, outputs, baseline, promptFile, prices }) =>
    [file, outputs, baseline, promptFile, prices].filter((source) => source !== undefined),
  request({ judge: file, outputs, baseline, settings, promptFile }) {
    const { promptFile: _, ...decided } = deciding(studySettings.judge, settings); // by what it says, not by where it lies
    return {
      ...{ judge: file.is, outputs: outputs.is, baseline: baseline.is },
      ...whereGiven({ settings: decided, prompt: promptFile === undefined ? undefined : { sha256: promptFile.is } }),
    };
  },
  /** @throws UserError  some calls got no reply at all: the next run asks them alone. Replies without a verdict are outcomes, and counted */
  async run(work, { folder, at, checkers, watch }) {
    const out = join(folder, dirname(PATHS.annotations));
    const { run } = await judge(
      {
        ...work.settings,
        ...(work.promptFile === undefined ? {} : { promptFile: at(work.promptFile.at) }),
        ...(work.prices === undefined ? {} : { prices: at(work.prices.at) }),
        ...{ outputs: at(work.outputs.at), baseline: at(work.baseline.at), judge: at(work.judge.at), out, checkers },
      },
      watch,
    );
    const unanswered = run.calls.outcomes.failed ?? 0;
    if (unanswered > 0) {
      const reason = run.reasons.find(({ outcome }) => outcome === "failed")?.reason ?? "no reply";
      throw new UserError(`${unanswered} of ${run.calls.total} calls to the judge got no reply: ${reason}`, {
        remedy: "run again to ask them",
      });
    }
    return { work: run.calls.total, unit: "calls" };
  },
  async forecast(work, known) {
    const { callsPerPair, outputTokensPerCall, price } = await known.judge(work.judge.at);
    const [mine, other] = await Promise.all([work.outputs, work.baseline].map(({ at }) => known.answersAt(at)));
    const pairs = mine ?? { rows: 0, promptTokens: 0 };
    const calls = pairs.rows * callsPerPair;
    /** @param most  tokens of an answer or a reply that does not exist yet, where its limit is not lower */
    const cost = (most: number): number | undefined => {
      if (price === undefined) return undefined;
      const pair = JUDGE_PROMPT_TOKENS + answerTokens(mine, most) + answerTokens(other, most);
      const input = callsPerPair * (pairs.promptTokens + pairs.rows * pair);
      return (input * price.input + calls * Math.min(outputTokensPerCall, most) * price.output) / 1e6;
    };
    return {
      ...NOTHING,
      seconds: calls === 0 ? 0 : undefined, // a judge that answers over a network
      atMost: true,
      calls,
      dollars: cost(Number.POSITIVE_INFINITY),
      likelyDollars: cost(COMMON_TOKENS),
    };
  },
  summarise: async () => ({}),
  decides: undefined,
};

const answerTokens = (answers: ForecastAnswers | undefined, most: number): number =>
  answers === undefined ? COMMON_TOKENS : (answers.meanTokens ?? Math.min(answers.mostTokens, most));
