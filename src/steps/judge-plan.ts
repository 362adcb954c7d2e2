/**
 * What a run of the judge is about to do: its pairs, its calls, what they may cost. Nothing is written and nobody is asked.
 */

import { existsSync } from "node:fs";
import type { Names } from "../judge/annotate.js";
import { estimateOf } from "../judge/calls.js";
import { isAsked, type LoadedJudge, loadJudge } from "../judge/judge-file.js";
import { type OutputSet, type Pairing, pairUp, readOutputs } from "../judge/pairs.js";
import { missingCalls, type PlannedPair, planPairs, settledBefore } from "../judge/plan.js";
import { openReplies } from "../judge/replies.js";
import { dollars, type Tokens } from "../openai/cost.js";
import type { judgeOptions } from "../options/measure.js";
import { type JudgeInput, type Price, priceTableSchema } from "../records/judge-file.js";
import { sha256 } from "../util/files.js";
import { readLedger } from "../util/ledger.js";
import type { OptionsOf } from "../util/options.js";
import { parseYaml, readSmallText } from "../util/yaml.js";

export interface JudgePlanOptions extends Omit<OptionsOf<typeof judgeOptions>, "judge" | "out" | "maxCost" | "force"> {
  /** A judge file, the name of a shipped one, or a judge as an object. */
  readonly judge: string | JudgeInput;
}

export interface JudgePlan {
  readonly loaded: LoadedJudge;
  readonly outputs: OutputSet;
  readonly baseline: OutputSet;
  readonly pairing: Pairing;
  readonly pairs: readonly PlannedPair[];
  /** Of all calls that the pairs need. */
  readonly keys: ReadonlySet<string>;
  readonly names: Names;
  readonly price: Price | undefined;
  readonly fingerprint: string;
}

export async function planJudging(options: JudgePlanOptions): Promise<JudgePlan> {
  const { order, empty, promptFile } = options;
  const loaded = await loadJudge(options.judge, { order, empty, promptFile });
  const [outputs, baseline] = [await readOutputs(options.outputs), await readOutputs(options.baseline)];
  const pairing = pairUp(outputs, baseline);
  const chosen = pairing.pairs.slice(0, options.limit);
  const { judge } = loaded;
  const pairs = isAsked(judge)
    ? planPairs(chosen, loaded, judge)
    : chosen.map((pair): PlannedPair => {
        const settled = settledBefore(pair, judge);
        return settled === undefined ? { ...pair, calls: [] } : { ...pair, settled, calls: [] };
      });
  return {
    loaded,
    outputs,
    baseline,
    pairing,
    pairs,
    keys: new Set(pairs.flatMap(({ calls }) => calls.map(({ key }) => key))),
    names: {
      baseline: baseline.generator,
      model: outputs.generator,
      annotator: `${loaded.name}@${loaded.hash.slice(0, 12)}`,
    },
    price: await priceOf(judge, options.prices),
    fingerprint: sha256(JSON.stringify([loaded.hash, outputs.sha256, baseline.sha256, pairs.length])).slice(0, 32),
  };
}

async function priceOf(judge: LoadedJudge["judge"], table: string | undefined): Promise<Price | undefined> {
  if (judge.kind !== "openai") return undefined;
  if (table === undefined) return judge.price;
  const remedy = "a price table is YAML: MODEL: {input: 2.5, output: 10}, in dollars per million tokens";
  const text = await readSmallText(table, "the price table", remedy);
  return parseYaml(text, table, priceTableSchema, remedy)[judge.model] ?? judge.price;
}

/** What `--dry-run` prints. Tokens are estimates (a token is taken for four bytes), output at its limit. */
export interface JudgeEstimate {
  readonly dry_run: true;
  readonly pairs: number;
  readonly identical: number;
  readonly empty: number;
  readonly only_outputs: number;
  readonly only_baseline: number;
  readonly calls: number;
  /** Calls whose replies the ledger holds: free. */
  readonly reused: number;
  readonly tokens: Tokens;
  /** Null where there is no price. */
  readonly dollars: number | null;
}

/** @param ledger  of an earlier run, which may not be there */
export async function estimateJudging(plan: JudgePlan, ledger: string | undefined): Promise<JudgeEstimate> {
  const { judge } = plan.loaded;
  const how = (outcome: "identical" | "empty"): number =>
    plan.pairs.filter(({ settled }) => settled?.outcome === outcome).length;
  const counts = {
    dry_run: true as const,
    pairs: plan.pairs.length,
    identical: how("identical"),
    empty: how("empty"),
    only_outputs: plan.pairing.onlyOutputs,
    only_baseline: plan.pairing.onlyBaseline,
    calls: plan.keys.size,
  };
  if (!isAsked(judge)) return { ...counts, reused: 0, tokens: { input: 0, output: 0 }, dollars: null };
  const replies = openReplies(plan.keys, judge);
  if (ledger !== undefined && existsSync(ledger)) await readLedger(ledger, replies.visit);
  const missing = missingCalls(plan.pairs, plan.loaded, replies.has);
  const tokens = { input: 0, output: 0 };
  for (const call of missing) {
    const { input, output } = estimateOf(call, judge);
    tokens.input += input;
    tokens.output += output;
  }
  return {
    ...counts,
    reused: plan.keys.size - missing.length,
    tokens,
    dollars: plan.price === undefined ? null : dollars(tokens, plan.price),
  };
}
