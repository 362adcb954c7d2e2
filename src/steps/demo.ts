/**
 * The whole flow on the model that is in the package: the untuned model, the same with rules, the same after response tuning; how
 * their answers differ, and whether the untuned model preferred the right response all along.
 * May not know: how anything is printed.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Output } from "../records/outputs.js";
import type { RankSummary } from "../records/rank.js";
import type { TuneRunRecord } from "../records/tune.js";
import { type AnswerCounts, countAnswers } from "../stats/answers.js";
import { templateFrom } from "../text/template.js";
import { checkReplaceable } from "../util/directories.js";
import { writeFileAtomic } from "../util/files.js";
import { packageRoot, packageVersion } from "../util/system.js";
import { generate } from "./generate.js";
import { rank } from "./rank.js";
import { tune } from "./tune.js";

export interface DemoOptions {
  /** The folder for everything that is made. */
  readonly out: string;
  /** Replace the folder of an earlier demo. */
  readonly force?: boolean;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

export type ArmName = "untuned" | "rules" | "tuned";

export interface DemoArm {
  readonly name: ArmName;
  readonly counts: AnswerCounts;
  readonly outputs: readonly Output[];
}

export interface DemoSummary {
  readonly out: string;
  readonly arms: readonly DemoArm[];
  readonly tuning: TuneRunRecord;
  readonly ranking: { readonly untuned: RankSummary; readonly tuned: RankSummary };
}

/** Told what begins and what came out; `arm` and `ranking` come when they are known. */
export interface DemoWatch {
  readonly onStage?: (stage: "untuned" | "rules" | "tune" | "tuned" | "rank") => void;
  readonly onArm?: (arm: DemoArm) => void;
  readonly onTuneStep?: (step: number, total: number, loss: number) => void;
  readonly onTuned?: (record: TuneRunRecord) => void;
}

/** Tokens after which an answer that goes on is cut off. */
const MAX_NEW_TOKENS = 100;

/** A small model wants a high rate and many passes; the paper's own values are for 7B. */
const TUNING = { epochs: 10, batch: 8, learningRate: 3e-3, reduction: "token", seed: 1 } as const;

/** Says that a folder is a demo's, so that `force` may replace it. */
const MARKER = "demo.json";

/** @throws UserError  `out` is there already */
export async function demo(options: DemoOptions, watch: DemoWatch = {}): Promise<DemoSummary> {
  const { out, threads, signal } = options;
  const asset = (name: string): string => join(packageRoot(), "assets", name);
  const [model, prompts, data] = [asset("stories260k"), asset("demo/prompts.jsonl"), asset("demo/answers.jsonl")];
  const stopping = signal === undefined ? {} : { signal };
  if (await checkReplaceable(out, { force: options.force === true, marker: MARKER }))
    await rm(out, { recursive: true });
  await writeFileAtomic(join(out, MARKER), `${JSON.stringify({ tacit: packageVersion(), tuning: TUNING })}\n`);
  const { userTag, assistantTag } = templateFrom();

  const answer = async (name: ArmName, directory: string, rules?: string): Promise<DemoArm> => {
    watch.onStage?.(name);
    const { outputs } = await generate(
      {
        model: directory,
        prompts,
        out: join(out, `${name}.json`),
        generator: name,
        maxNewTokens: MAX_NEW_TOKENS,
        threads,
        ...(rules === undefined ? {} : { rules }),
      },
      stopping,
    );
    const arm = { name, outputs, counts: countAnswers(outputs, [userTag, assistantTag]) };
    watch.onArm?.(arm);
    return arm;
  };
  const ranked = (name: ArmName, directory: string): Promise<RankSummary> =>
    rank({ model: directory, data, out: join(out, `rank-${name}`), threads }, stopping);

  const untuned = await answer("untuned", model);
  const withRules = await answer("rules", model, "paper");
  watch.onStage?.("tune");
  const tunedModel = join(out, "model");
  const tuning = await tune(
    { model, data, objective: "response", out: tunedModel, threads, ...TUNING },
    { ...stopping, onStep: ({ step, loss }, { total }) => watch.onTuneStep?.(step + 1, total, loss) },
  );
  watch.onTuned?.(tuning);
  const tuned = await answer("tuned", tunedModel);
  watch.onStage?.("rank");
  const ranking = { untuned: await ranked("untuned", model), tuned: await ranked("tuned", tunedModel) };
  return { out, arms: [untuned, withRules, tuned], tuning, ranking };
}
