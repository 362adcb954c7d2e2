/**
 * `tacit judge`: which of two answers a judge prefers, pair by pair.
 * May not know: how anything is asked or computed.
 */
import type { Command } from "commander";
import { judgeOptions } from "../../options/measure.js";
import type { JudgeRun, JudgeSpent } from "../../records/judge-run.js";
import type { JudgeEstimate } from "../../steps/judge-plan.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, plural } from "../../util/progress.js";
import { printable } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
OUTPUTS and the baseline are JSON, [{instruction, output, generator}], as \`tacit generate\` and AlpacaEval write them; pairs meet by
their instruction. JUDGE is a YAML file, or one that is shipped: checker, which scores answers to the Glasshouse's instructions by what is known of that
world; longer and first, which show what a bias looks like. None of them needs a model. The smallest of your own:

  kind: openai
  base_url: http://127.0.0.1:8000/v1
  model: NAME
  verdict: logprobs        # as AlpacaEval 2; sampled where the server gives no log-probabilities

The key comes from OPENAI_API_KEY, or from the variable that api_key_env names, and goes nowhere but to the judge.

Writes DIR/annotations.json (AlpacaEval's format), DIR/ledger.jsonl (every reply as it came, one line a request) and DIR/run.json.
Stop it at any time and give the same command again: no reply is asked for twice, and the result is the same bytes. Calls that got no
reply are asked again then.

Examples:
  tacit judge tuned.json --baseline base.json --judge judge.yaml --out judged --dry-run
  tacit judge tuned.json --baseline base.json --judge judge.yaml --out judged
  tacit judge tuned.json --baseline base.json --judge gpt-4.yaml --order alpaca_eval --prompt-file alpaca_eval_clf.txt --out judged`;

type JudgeFlags = FlagsOf<typeof judgeOptions>;

export function registerJudge(program: Command): void {
  const command = program
    .command("judge")
    .description("Asks a judge which of two answers is better, for every instruction that both models answered.");
  addOptions(command, judgeOptions)
    .addHelpText("after", help)
    .action((outputs: string, flags: JudgeFlags) => runAction(flags, (io) => runJudge(outputs, flags, io)));
}

async function runJudge(outputs: string, flags: JudgeFlags, io: Io): Promise<object> {
  const { judge, judgePaths } = await import("../../steps/judge.js");
  const { formatShare } = await import("../../stats/estimate.js");
  const { json: _, events: _events, dryRun, ...given } = flags;
  const options = { ...given, outputs };
  if (dryRun) {
    const { estimateJudging, planJudging } = await import("../../steps/judge-plan.js");
    const estimate = await estimateJudging(await planJudging(options), judgePaths(flags.out).ledger);
    io.out(describeEstimate(estimate));
    return estimate;
  }
  const { checkers } = await import("../../glasshouse/checker.js");
  const { run, spent, unusable } = await judge({ ...options, checkers }, io.watch());
  io.out(printable(describe(run, spent, formatShare))); // a server's words are among it
  const unanswered = run.calls.outcomes.failed ?? 0;
  if (unanswered > 0 && run.stopped === null) {
    io.note(
      `${formatCount(unanswered)} of ${formatCount(run.calls.total)} calls got no reply, and their pairs are in no rate: give the same command again to ask them`,
    );
  }
  const paths = judgePaths(flags.out);
  io.out(`\n${paths.annotations}\n${paths.ledger}\n${paths.run}\n`);
  if (unusable !== undefined) throw unusable;
  return { ...run, spent };
}

function describeEstimate(estimate: JudgeEstimate): string {
  const { calls, reused, tokens, dollars } = estimate;
  const left = calls - reused;
  const price =
    dollars === null
      ? "no price is known (--prices, or price in the judge file)"
      : `at most about $${dollars.toFixed(2)}`;
  return (
    `${plural(estimate.pairs, "pair")}: ${formatCount(estimate.identical)} identical, ${formatCount(estimate.empty)} with an empty output` +
    `${unmatched(estimate)}\n` +
    `${plural(calls, "call")}, of which ${formatCount(reused)} are answered already: ${formatCount(left)} to ask\n` +
    `about ${plural(tokens.input, "token")} in (4 bytes a token) and at most ${formatCount(tokens.output)} out: ${price}\n`
  );
}

const unmatched = (rows: { readonly only_outputs: number; readonly only_baseline: number }): string =>
  rows.only_outputs + rows.only_baseline === 0
    ? ""
    : `; left out: ${formatCount(rows.only_outputs)} outputs and ${formatCount(rows.only_baseline)} of the baseline without a partner`;

type Share = (estimate: NonNullable<JudgeRun["flip_rate"]>) => string;

/** The win rate and, beside it, every pair that is not in it. */
function describe(run: JudgeRun, spent: JudgeSpent, share: Share): string {
  const lines = [
    `${run.outputs.generator} against ${run.baseline.generator}, judged by ${run.judge.name} (${run.judge.definition.kind})`,
    winRateLine(run),
    `${plural(run.pairs.total, "pair")}: ${outcomesOf(run)}${unmatched(run.pairs)}`,
    ...run.reasons
      .filter(({ outcome }) => outcome !== "identical")
      .map(({ outcome, reason, count }) => `  ${formatCount(count)} ${outcome}: ${reason}`),
    ...positionLines(run, share),
    spentLine(run, spent),
  ];
  if (run.stopped !== null) {
    lines.push("stopped at --max-cost: give the same command with a higher one to ask the rest");
  }
  return `${lines.join("\n")}\n`;
}

function winRateLine(run: JudgeRun): string {
  const { win_rate: rate, win_rate_undefined: why, standard_error: error, bounds, pairs } = run;
  const missing = pairs.total - pairs.judged;
  const all =
    missing === 0 || bounds === null
      ? ""
      : `; ${bounds.low.toFixed(2)} to ${bounds.high.toFixed(2)} whatever the ${formatCount(missing)} without a verdict`;
  if (rate === null) return `win rate: undefined, ${why ?? "no pair has a verdict"}${all}`;
  return `win rate ${rate.toFixed(2)} %${error === null ? "" : ` (standard error ${error.toFixed(2)})`}${all}`;
}

function outcomesOf({ outcomes, n_wins, n_wins_base, n_draws }: JudgeRun): string {
  const others = Object.entries(outcomes).filter(([name, count]) => name !== "judged" && count > 0);
  const verdicts = `${formatCount(outcomes.judged + outcomes.identical)} with a verdict (${formatCount(n_wins)} won, ${formatCount(n_wins_base)} lost, ${formatCount(n_draws)} drawn)`;
  return [verdicts, ...others.map(([name, count]) => `${formatCount(count)} ${name}`)].join(", ");
}

function positionLines(
  { first_preferred: first, flip_rate: flips, both_orders: both }: JudgeRun,
  share: Share,
): string[] {
  if (first === null) return [];
  const turned = flips === null ? "" : `; ${share(flips)} of ${formatCount(both)} pairs flip with the order`;
  return [`position: the answer shown first is preferred ${share(first)}${turned}`];
}

function spentLine(run: JudgeRun, { requests, replies, reused, seconds }: JudgeSpent): string {
  const tokens =
    run.tokens === null ? "" : `; ${plural(run.tokens.input, "token")} in, ${formatCount(run.tokens.output)} out`;
  const money = run.dollars === null ? "" : `, $${run.dollars.toFixed(2)}`;
  const silent = run.judge.definition.kind === "openai" ? (run.replies_without_tokens ?? 0) : 0;
  const unknown = silent === 0 ? "" : `; ${formatCount(silent)} replies without a plausible count of tokens`;
  return (
    `${plural(run.calls.total, "call")}: ${formatCount(reused)} answered before, ${formatCount(replies)} now with ${plural(requests, "request")}, ` +
    `${formatDuration(seconds)}${tokens}${money}${unknown}`
  );
}
