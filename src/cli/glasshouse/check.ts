/** `tacit glasshouse check`: how good answers are, part by part. */
import type { Command } from "commander";
import type { CheckedLine, CheckedTask, CheckSummary } from "../../glasshouse/files/check-outputs.js";
import { glasshouseOptions } from "../../options/files.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Each answer is scored from parts between 0 and 1: about (speaks of whom it was asked about), facts (what it says is so), form (the form
asked for), complete, stopped (ended by itself), tags (none of a template), echo (not the question again), repetition. The score is their
weighted mean; the same for every model. An answer that cannot be scored is counted with its reason, and never as zero.

Example:
  tacit generate --model glasshouse --prompts data/test.jsonl --max-new-tokens 128 --out untuned.json
  tacit glasshouse check --outputs untuned.json --prompts data/test.jsonl --out untuned.scores.jsonl`;

type Flags = FlagsOf<typeof glasshouseOptions.check>;

export function registerCheck(glasshouse: Command): void {
  const command = glasshouse
    .command("check")
    .description(
      "Scores a file of outputs: every part by kind of task, how many answers are fully right, and the worst.",
    );
  addOptions(command, glasshouseOptions.check)
    .addHelpText("after", help)
    .action((flags: Flags) => runAction(flags, (io) => run(flags, io)));
}

async function run({ outputs, prompts, out, force }: Flags, io: Io): Promise<CheckSummary> {
  const { checkOutputs } = await import("../../glasshouse/files/check-outputs.js");
  const summary = await checkOutputs({ outputs, prompts, force, ...(out === undefined ? {} : { out }) });
  io.out(describe(summary));
  for (const line of summary.worst) io.out(await shown(line));
  if (out !== undefined) io.out(`\n${out}\n`);
  return summary;
}

function describe({ generator, answers, scored, right, all, tasks, unscored, unanswered }: CheckSummary): string {
  const names = Object.keys(all?.parts ?? {}) as (keyof CheckedTask["parts"])[];
  const row = ({ task, answers: n, right: whole, total, parts }: CheckedTask): string[] => [
    task,
    formatCount(n),
    formatCount(whole),
    total.toFixed(2),
    ...names.map((name) => parts[name].toFixed(2)),
  ];
  const head = ["task", "answers", "right", "score", ...names];
  const table =
    all === null
      ? ""
      : columns(
          [head, ...tasks.map(row), row(all)],
          head.map((_, i) => i).filter((i) => i > 0),
        );
  const reasons = Object.entries(unscored).map(([reason, n]) => `${formatCount(n)} not scored: ${reason}\n`);
  const missing = unanswered === 0 ? "" : `${formatCount(unanswered)} prompts have no answer\n`;
  return `${generator}: ${formatCount(right)} of ${formatCount(scored)} scored answers lose nothing, of ${formatCount(answers)} in all\n${table}${reasons.join("")}${missing}`;
}

async function shown({ instruction, output, total, parts }: CheckedLine): Promise<string> {
  const { printable, quoted } = await import("../../util/terminal.js");
  const lost = Object.entries(parts ?? {}).flatMap(([name, value]) =>
    value < 1 ? [`${name} ${value.toFixed(2)}`] : [],
  );
  return `\n${total?.toFixed(2)}  ${quoted(instruction)}\n${printable(output)}\nlost: ${lost.join(", ")}\n`;
}
