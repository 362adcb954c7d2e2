/**
 * `tacit rank`: the response ranking capability of a model.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { rankOptions } from "../../options/score.js";
import type { RankReading, RankSummary } from "../../records/rank.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, plural } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";
import { templateNames, withTemplate } from "../template-options.js";

const help = `
Each response is compared, under its own instruction, with the responses of other examples drawn by chance with replacement.
Two readings of "more likely": the total log-likelihood (the paper's eq. 3) and its mean per token (the reference code's).
Ties and draws that hit the example itself are counted, and count as not more likely. Intervals are clustered by instruction.

With --out, writes DIR/pairs.jsonl (every comparison), DIR/summary.json, and DIR/scores.jsonl, the ledger from which a stopped run
resumes: give the same command again. An --out that ends in .jsonl names the file of comparisons; the others lie beside it.
Without, the totals are printed and nothing is kept.

Example:
  tacit rank --model models/gemma-3-270m --data alpaca:alpaca_data.json --limit 200 --out runs/rank-base`;

type RankFlags = FlagsOf<typeof rankOptions>;

export function registerRank(program: Command): void {
  const command = program
    .command("rank")
    .description("Measures how often a model finds the right response to an instruction more likely than others.");
  addOptions(command, rankOptions, { templates: templateNames() })
    .addHelpText("after", help)
    .action((flags: RankFlags) => runAction(flags, (io) => runRank(flags, io)));
}

async function runRank(flags: RankFlags, io: Io): Promise<RankSummary> {
  const { rank, rankPaths } = await import("../../steps/rank.js");
  const { formatShare } = await import("../../stats/estimate.js");
  const { json: _, events: _events, ...options } = withTemplate(flags);
  const summary = await rank(options, io.watch());
  io.out(describe(summary, formatShare));
  if (flags.out !== undefined) io.out(`\n${rankPaths(flags.out).pairs}\n${rankPaths(flags.out).summary}\n`);
  return summary;
}

/** Both readings side by side, then what did not take part. */
function describe(summary: RankSummary, share: (rate: RankReading["rate"]) => string): string {
  const row = (name: string, { greater, less, ties, rate, rate_without_self_draws: others }: RankReading): string[] => [
    name,
    share(rate),
    share(others),
    ...[greater, less, ties].map(formatCount),
  ];
  const table = columns(
    [
      ["the right response is more likely", "of all pairs", "without self-draws", "greater", "less", "ties"],
      row("in total (paper)", summary.sum),
      row("per token (reference)", summary.mean),
    ],
    [3, 4, 5],
  );
  const reasons = Object.entries(summary.unscored_reasons).map(([reason, n]) => `${n} ${reason}`);
  const unscored = `${formatCount(summary.unscored)} unscored${reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}`;
  const turns =
    summary.data.multi_turn === 0 ? "" : `${plural(summary.data.multi_turn, "dialogue")}: first exchange only. `;
  return (
    `${table}\n${plural(summary.pairs, "pair")} of ${formatCount(summary.instructions)} instructions: ` +
    `${formatCount(summary.self_draws)} self-draws, ${unscored}. ${turns}` +
    `Intervals: 95 %, clustered by instruction.\n` +
    `${plural(summary.scored, "response")} scored, ${formatCount(summary.reused)} reused, ${formatDuration(summary.seconds)}.\n`
  );
}
