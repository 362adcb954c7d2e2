/**
 * `tacit agreement`: how far judges, or people, agree on the same pairs of outputs, and what sways each.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { agreementOptions } from "../../options/measure.js";
import type { AgreementSummary, JudgePairRecord, RaterRecord } from "../../records/agreement.js";
import type { EstimateRecord } from "../../records/estimate.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount } from "../../util/progress.js";
import { columns, quoted } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { namedFile } from "../named-file.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Each file is one judge's annotations, or one person's votes in the same format. Pairs are recognised by their texts: the instruction
and both outputs, whichever of them a file calls the baseline's. Several rows on one pair are votes; their mean counts.

Agreement is of three verdicts (model, tie, baseline); Cohen's kappa is agreement beyond chance. First wins and flips need the order in
which the judge saw the answers: tacit judge writes it, and --order alpaca_eval knows the official tool's.

Example:
  tacit agreement gpt=judged-gpt/annotations.json people=votes.jsonl`;

type AgreementFlags = FlagsOf<typeof agreementOptions>;

export function registerAgreement(program: Command): void {
  const command = program
    .command("agreement")
    .description(
      "Measures how far judges agree with each other or with people, and whether order or length sways them.",
    );
  addOptions(command, agreementOptions)
    .addHelpText("after", help)
    .action((annotations: string[], flags: AgreementFlags) =>
      runAction(flags, (io) => runAgreement(annotations, flags, io)),
    );
}

async function runAgreement(annotations: readonly string[], flags: AgreementFlags, io: Io): Promise<AgreementSummary> {
  const { agreement } = await import("../../steps/agreement.js");
  const { formatShare } = await import("../../stats/estimate.js");
  const { json: _, ...options } = flags;
  const summary = await agreement({ annotations: annotations.map(namedFile), ...options });
  io.out(raterTable(summary.raters, formatShare));
  for (const pair of summary.pairs) io.out(`\n${describePair(pair, formatShare)}`);
  return summary;
}

type Share = (value: EstimateRecord) => string;

function raterTable(raters: readonly RaterRecord[], share: Share): string {
  const rows = raters.map((rater) => [
    quoted(rater.name),
    formatCount(rater.pairs),
    `${rater.model_wins}/${rater.ties}/${rater.baseline_wins}`,
    formatCount(rater.no_verdict),
    share(rater.longer_wins),
    share(rater.first_wins),
    share(rater.flip_rate),
  ]);
  const head = ["judge", "pairs", "model/tie/baseline", "no verdict", "longer wins", "first wins", "flips with order"];
  return columns([head, ...rows], [1, 2, 3]);
}

function describePair(pair: JudgePairRecord, share: Share): string {
  const figures = (
    name: string,
    row: Pick<JudgePairRecord, "n" | "agreement" | "agreement_without_ties" | "kappa">,
  ): string[] => [name, formatCount(row.n), share(row.agreement), share(row.agreement_without_ties), kappa(row.kappa)];
  const head = [`${quoted(pair.a)} and ${quoted(pair.b)}`, "pairs", "agreement", "without ties", "kappa"];
  const byLength = pair.by_length.map((row) =>
    figures(`  model longer by ${signed(row.from)} to ${signed(row.to)}`, row),
  );
  const left = `${formatCount(pair.shared)} shared pairs, ${formatCount(pair.undecided)} without a verdict of one; ${formatCount(pair.only_a)} and ${formatCount(pair.only_b)} in one file only.\n`;
  return columns([head, figures("all", pair), ...byLength], [1]) + left;
}

const signed = (characters: number): string => (characters > 0 ? `+${characters}` : `${characters}`);

function kappa({ estimate, low, high }: EstimateRecord): string {
  if (estimate === null) return "-";
  return low === null || high === null
    ? estimate.toFixed(2)
    : `${estimate.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}
