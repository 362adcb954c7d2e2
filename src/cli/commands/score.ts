/**
 * `tacit score`: log-probabilities of given responses.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { scoreOptions } from "../../options/score.js";
import type { ScoreSummary } from "../../steps/score.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, plural } from "../../util/progress.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";
import { templateNames, withTemplate } from "../template-options.js";

const help = `
Input: JSON lines of {id?, instruction, response}, which the template turns into ids, or of {id?, prompt_ids, response_ids}, taken
as they are. Output: one line a row, {id, logprobs, sum, mean, tokens}: the natural log-probability of each response token given
everything before it, the EOS last unless --no-eos.

Rows that follow each other with the same prompt share its computation. Values do not depend on what else is in the file.
OUT.run.json says how they came about; a stopped run resumes from OUT.partial.jsonl when the same command is given again.

Example:
  tacit score --model models/base --input pairs.jsonl --out scores.jsonl`;

type ScoreFlags = FlagsOf<typeof scoreOptions>;

export function registerScore(program: Command): void {
  const command = program
    .command("score")
    .description("Computes the log-probability of every token of given responses.");
  addOptions(command, scoreOptions, { templates: templateNames() })
    .addHelpText("after", help)
    .action((flags: ScoreFlags) => runAction(flags, (io) => runScore(flags, io)));
}

async function runScore(flags: ScoreFlags, io: Io): Promise<object> {
  const { score, scorePaths } = await import("../../steps/score.js");
  const { json: _, events: _events, ...options } = withTemplate(flags);
  const summary = await score(options, io.watch());
  io.out(describe(summary));
  io.out(`\n${flags.out}\n${scorePaths(flags.out).run}\n`);
  return { out: flags.out, ...summary.run };
}

function describe({ run }: ScoreSummary): string {
  const { tokens, sum, mean, merged } = run.outcome;
  const { threads } = run.options;
  const joined =
    merged === 0
      ? ""
      : ` ${formatCount(merged)} would have merged at the border of prompt and response; their prompts were kept.`;
  return (
    `${plural(run.input.rows, "response")}, ${plural(tokens, "token")}: ` +
    `log-probability ${sum.toFixed(3)} in total, ${mean.toFixed(4)} a token (perplexity ${Math.exp(-mean).toFixed(2)}).${joined}\n` +
    `${formatDuration(run.timings.seconds)}${threads === null ? "" : ` with ${plural(threads, "thread")}`}.\n`
  );
}
