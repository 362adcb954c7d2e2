/**
 * `tacit winrate`: win rates, length-controlled win rates and comparisons out of annotation files.
 * May not know: how anything is computed.
 */

import type { Command } from "commander";
import { winrateOptions } from "../../options/measure.js";
import type { EstimateRecord } from "../../records/estimate.js";
import type { WinrateComparison, WinrateEntry, WinrateRuns, WinrateSummary } from "../../records/winrate.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, plural } from "../../util/progress.js";
import { columns, quoted } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { namedFile } from "../named-file.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Reads AlpacaEval's annotations of any tool: a JSON array, or JSON lines. Several files make one table; NAME=FILE names a model, and files
of one name are runs (seeds) of it. Nothing is asked of any judge, and nothing is fetched.

--lc-data names a folder with instruction-difficulty.json, gamed-baseline.json and prompts.json, or with AlpacaEval's df_gamed.csv and
instruction_difficulty.csv. They belong to AlpacaEval's 805 instructions (white space may differ); for any others the fit is "length",
and the result says so.

Every row of a file is in the ledger. Where rows have no verdict, the win rate is of the others, with its bounds beside it.

Example:
  tacit winrate runs/judged/annotations.json --lc-data alpaca-eval
  tacit winrate ours=a/annotations.json ours=b/annotations.json base=c/annotations.json --lc length`;

type WinrateFlags = FlagsOf<typeof winrateOptions>;

export function registerWinrate(program: Command): void {
  const command = program
    .command("winrate")
    .description(
      "Computes win rates, raw and length-controlled, from annotations, and compares models on the prompts they share.",
    );
  addOptions(command, winrateOptions)
    .addHelpText("after", help)
    .action((annotations: string[], flags: WinrateFlags) =>
      runAction(flags, (io) => runWinrate(annotations, flags, io)),
    );
}

async function runWinrate(annotations: readonly string[], flags: WinrateFlags, io: Io): Promise<object> {
  const { winrate } = await import("../../steps/winrate.js");
  const { json: _, events: _events, ...options } = flags;
  const summary = await winrate({ annotations: annotations.map(namedFile), ...options }, { onEvent: io.onEvent });
  for (const { name, warnings } of summary.models) {
    for (const warning of warnings) io.note(`tacit: ${quoted(name)}: ${quoted(warning)}`);
  }
  io.out(describe(summary));
  const [only, more] = summary.models;
  return only === undefined || more !== undefined ? summary : { ...only, ...summary }; // one file: its figures at the top, too
}

function describe(summary: WinrateSummary): string {
  const parts = [leaderboard(summary.models), ...summary.runs.map(describeRuns)];
  if (summary.comparisons.length > 0) parts.push(comparisons(summary.comparisons));
  const [only, more] = summary.models;
  if (only !== undefined && more === undefined) parts.push(describeFit(only));
  const ledgers = summary.models.map(ledgerLine).filter((line) => line !== "");
  if (ledgers.length > 0) parts.push(`${ledgers.join("\n")}\n`);
  return parts.join("\n");
}

const figure = (value: number | null, digits = 2): string => (value === null ? "-" : value.toFixed(digits));

/** `[28.2, 31.0]`, or nothing. */
const interval = ({ low, high }: EstimateRecord, digits = 1): string =>
  low === null || high === null ? "" : `[${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

function leaderboard(models: readonly WinrateEntry[]): string {
  const rows = models.map((entry) => [
    quoted(entry.name),
    figure(entry.length_controlled_winrate),
    interval(entry.intervals.length_controlled_winrate),
    figure(entry.win_rate),
    interval(entry.intervals.win_rate),
    figure(entry.standard_error),
    figure(entry.discrete_win_rate),
    `${entry.n_wins}/${entry.n_draws}/${entry.n_wins_base}`,
    formatCount(entry.n_total),
    entry.avg_length === null ? "-" : formatCount(entry.avg_length),
  ]);
  const head = ["model", "LC %", "95 %", "win %", "95 %", "s.e.", "discrete", "win/draw/loss", "n", "length"];
  const baselines = [...new Set(models.map(({ baseline }) => quoted(baseline)))];
  const judge = models[0] === undefined ? "" : `, judged by ${quoted(models[0].annotator)}`;
  return `${columns([head, ...rows], [1, 3, 5, 6, 7, 8, 9])}\nAgainst ${baselines.slice(0, 5).join(", ")}${baselines.length > 5 ? ", …" : ""}${judge}.\n`;
}

function describeRuns({ name, win_rate, length_controlled_winrate: lc, interval: over }: WinrateRuns): string {
  const both = (value: WinrateRuns["win_rate"]): string => `${figure(value.mean, 1)} ± ${figure(value.sd, 1)}`;
  const lcText = lc.mean === null ? "" : `LC ${both(lc)}, `;
  return `${quoted(name)}, ${win_rate.n} runs: ${lcText}raw ${both(win_rate)} (mean and standard deviation over runs); raw ${figure(over.estimate, 1)} ${interval(over)} over prompts and runs.\n`;
}

function comparisons(all: readonly WinrateComparison[]): string {
  const rows = all.map(({ a, b, prompts, difference, length_controlled_difference: lc, mcnemar }) => [
    `${quoted(a)} less ${quoted(b)}`,
    figure(lc.estimate, 1),
    interval(lc),
    figure(difference.estimate, 1),
    interval(difference),
    mcnemar.p_value === null ? "-" : mcnemar.p_value < 0.0001 ? "<0.0001" : mcnemar.p_value.toFixed(4),
    formatCount(prompts),
  ]);
  const head = ["points apart", "LC", "95 %", "raw", "95 %", "McNemar p", "shared prompts"];
  return columns([head, ...rows], [1, 3, 5, 6]);
}

function describeFit({ lc, c, weights, length_controlled_winrate }: WinrateEntry): string {
  if (lc.model === null || weights === null) {
    if (lc.note === null) return "";
    return length_controlled_winrate === null ? `LC: undefined, ${lc.note}.\n` : `LC: ${lc.note}.\n`;
  }
  const named = Object.entries(weights).map(([name, weight = 0]) => `${name} ${weight.toFixed(3)}`);
  const by = lc.difficulty_by === null ? "" : `, difficulties by ${lc.difficulty_by}`;
  const strength = c === null ? "" : `C ${Number(c.toPrecision(4))} (${lc.c_from}), `;
  return `LC by ${lc.model}${by}: ${strength}${named.join(", ")}.\n`;
}

/** Only where there is something to say: all rows judged is what one expects. */
function ledgerLine({ name, ledger, bounds }: WinrateEntry): string {
  const { n, ties: _ties, repeated: _repeated, normalised: _normalised, judged, ...others } = ledger;
  const parts = Object.entries(others).flatMap(([what, count]) =>
    count === null || count === 0 ? [] : [`${formatCount(count)} ${what.replaceAll("_", " ")}`],
  );
  if (parts.length === 0) return "";
  const between =
    bounds === null ? "" : `; the win rate of all lies between ${figure(bounds.low)} and ${figure(bounds.high)}`;
  return `${quoted(name)}: ${plural(n, "row")}, ${formatCount(judged)} judged, ${parts.join(", ")}${between}.`;
}
