/**
 * `tacit data rephrase`: responses without restated instructions.
 * May not know: how a restatement is found.
 */
import type { Command } from "commander";
import { dataOptions } from "../../options/files.js";
import type { ClassificationRecord, RephraseSummary } from "../../records/rephrase.js";
import type { RephraseOptions } from "../../steps/rephrase.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatPercent, plural } from "../../util/progress.js";
import { defaultLimits, limitOf, specHelp } from "../data-options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Some responses begin by restating their instruction ("Here are some tips for baking bread:"). The paper removes such beginnings from
LIMA to see whether response tuning depends on them (appendix C); so does this. Every row comes out, in its place.

  --by overlap   offline: the opening's words are compared with the instruction's. A rough measure; --verdicts says how rough.
  --by llm       two calls of a language model for each exchange that restates, one for the others, through an OpenAI-compatible
                 server. Replies are kept in OUT's .partial.jsonl until all is done: give the same command again after a stop.
                 What the server refuses or answers without a verdict stays as it was, and is counted with the reason. Calls
                 without a reply (time-outs, a server that fails) end the run without a result: run again to ask these alone.

Writes {id, messages}: "check" on the user's message is the verdict, "content_old" on the assistant's what was there before, as in
the paper's own lima_rephrased.jsonl.
${specHelp}

Example:
  tacit data rephrase lima:lima_data.jsonl --out lima-rephrased.jsonl --verdicts lima_rephrased.jsonl`;

type RephraseFlags = FlagsOf<typeof dataOptions.rephrase>;

export function registerRephrase(data: Command): void {
  const command = data
    .command("rephrase")
    .description("Marks responses that begin by restating the instruction, and removes the restatement.")
    .argument("<spec>", "data: PATH or NAME:PATH");
  addOptions(command, dataOptions.rephrase, { limits: defaultLimits() })
    .addHelpText("after", help)
    .action((spec: string, flags: RephraseFlags) => runAction(flags, (io) => carryOut(io, spec, flags)));
}

async function carryOut(io: Io, data: string, flags: RephraseFlags): Promise<RephraseSummary> {
  const { rephrase } = await import("../../steps/rephrase.js");
  const { OVERLAP_QUALITY } = await import("../../data/rephrase/overlap.js");
  const { out, verdicts, force } = flags;
  const summary = await rephrase(
    {
      data,
      out,
      force,
      ...limitOf(flags),
      ...(verdicts === undefined ? {} : { verdicts }),
      method: await methodOf(flags),
    },
    io.watch(),
  );
  io.out(describe(summary));
  if (summary.method.kind === "overlap" && summary.agreement === null) {
    const { agreement, kappa, precision, recall } = OVERLAP_QUALITY;
    io.out(
      `the overlap measure is rough: against the paper's verdicts on LIMA it agrees in ${formatPercent(agreement)} (kappa ${kappa.toFixed(2)}), ` +
        `precision ${formatPercent(precision)}, recall ${formatPercent(recall)}\n`,
    );
  }
  io.out(`\n${out}\n`);
  return summary;
}

async function methodOf(flags: RephraseFlags): Promise<RephraseOptions["method"]> {
  const { UserError } = await import("../../util/errors.js");
  const { limitsIn } = await import("../../steps/server-limits.js");
  const { by, threshold, baseUrl, llm, apiKeyEnv } = flags;
  if (by === "overlap") return { kind: "overlap", ...(threshold === undefined ? {} : { threshold }) };
  if (baseUrl === undefined || llm === undefined) {
    throw new UserError("--by llm needs a server and a model", { remedy: "pass --base-url and --llm" });
  }
  const key = apiKeyEnv === undefined ? {} : { apiKeyEnv };
  return { kind: "llm", baseUrl, model: llm, ...key, limits: limitsIn(flags) };
}

function describe(summary: RephraseSummary): string {
  const reasons = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([reason, n]) => `${formatCount(n)} ${reason}`)
      .join(", ") || "none";
  return (
    `${plural(summary.rows_in, "row")} in, ${plural(summary.rows_out, "row")} out; ${formatCount(summary.exchanges)} exchanges:\n` +
    `  ${formatCount(summary.rewritten)} restated the instruction and were rewritten, in ${plural(summary.rows_rewritten, "row")}\n` +
    `  ${formatCount(summary.plain)} did not\n` +
    `  restated, but kept: ${reasons(summary.kept)}\n` +
    `  not judged: ${reasons(summary.unjudged)}\n${describeAgreement(summary)}`
  );
}

function describeAgreement({ agreement }: RephraseSummary): string {
  if (agreement === null) return "";
  const { verdicts, exchanges, absent, measured, cross_validated: validated } = agreement;
  const missing = absent === 0 ? "" : ` (${formatCount(absent)} more are of other exchanges)`;
  const line = (title: string, r: ClassificationRecord): string =>
    `  ${title}: agreement ${interval(r.agreement, formatPercent)}, kappa ${interval(r.kappa, (x) => x.toFixed(2))}, ` +
    `precision ${interval(r.precision, formatPercent)}, recall ${interval(r.recall, formatPercent)}\n` +
    `    both yes ${r.both_yes}, only here ${r.false_yes}, only there ${r.false_no}, both no ${r.both_no}\n`;
  return (
    `against ${formatCount(exchanges)} verdicts of ${verdicts}${missing}:\n${line("as written", measured)}` +
    (validated === null ? "" : line("threshold cross-validated", validated))
  );
}

function interval(
  {
    estimate,
    low,
    high,
  }: { readonly estimate: number | null; readonly low: number | null; readonly high: number | null },
  show: (x: number) => string,
): string {
  if (estimate === null) return "-";
  return low === null || high === null ? show(estimate) : `${show(estimate)} [${show(low)}, ${show(high)}]`;
}
