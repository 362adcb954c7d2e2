/**
 * `tacit generate`: answers of a model to a file of prompts, with or without rules.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { generateOptions } from "../../options/generate.js";
import type { Output } from "../../records/outputs.js";
import type { GenerateSummary } from "../../steps/generate.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, plural } from "../../util/progress.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";
import { templateNames, withTemplate } from "../template-options.js";

const help = `
Prompts: AlpacaEval's JSON, JSONL with an instruction a line, CSV, Parquet, a plain text file (.txt) with one instruction a line,
or NAME:PATH for a data set of the paper. Outputs: AlpacaEval's format, with tokens (ids generated, the stop not counted) and stop
(eos or length). Beside OUT.json lie OUT.run.json, which says how they came about, and, while the run is not finished,
OUT.partial.jsonl with the answers so far: give the same command again to resume.

A prompt's answer does not depend on --batch, nor on the other prompts.

Examples:
  tacit generate --model models/base --prompts prompts.json --out base.json
  tacit generate --model models/base --prompts prompts.json --rules paper --out rules.json
  tacit generate --model models/base --prompts prompts.json --rules paper --disable-rule eos --out no-eos.json`;

type GenerateFlags = FlagsOf<typeof generateOptions>;

export function registerGenerate(program: Command): void {
  const command = program
    .command("generate")
    .description("Answers every prompt of a file: greedily by default, with hand-written rules where asked for.");
  addOptions(command, generateOptions, { templates: templateNames() })
    .addHelpText("after", help)
    .action((flags: GenerateFlags) => runAction(flags, (io) => runGenerate(flags, io)));
}

async function runGenerate(flags: GenerateFlags, io: Io): Promise<object> {
  const { generate, generatePaths } = await import("../../steps/generate.js");
  const { json: _, events: _events, ...options } = withTemplate(flags);
  const summary = await generate(options, io.watch());
  for (const { reason, count } of summary.run.prompts.notes ?? []) {
    io.note(`warning: ${formatCount(count)} of ${formatCount(summary.run.prompts.count)} prompts: ${reason}`);
  }
  io.out(describe(summary));
  io.out(`\n${flags.out}\n${generatePaths(flags.out).run}\n`);
  if (flags.trace !== undefined) io.out(`${flags.trace}\n`);
  return { out: flags.out, ...summary.run };
}

function describe({ outputs, run }: GenerateSummary): string {
  const { eos, length, tokens } = run.outcome;
  const { threads, batch } = run.options;
  const mean = outputs.length === 0 ? 0 : tokens / outputs.length;
  return (
    `${plural(outputs.length, "answer")}: ${formatCount(eos)} ended by themselves, ${formatCount(length)} ran into the limit. ` +
    `${plural(tokens, "token")}, ${mean.toFixed(1)} an answer; ${formatCount(emptyOnes(outputs))} are empty.\n` +
    `${formatDuration(run.timings.seconds)}${threads === null ? "" : ` with ${plural(threads, "thread")}`}, ${plural(batch, "prompt")} side by side.\n`
  );
}

const emptyOnes = (outputs: readonly Output[]): number => outputs.filter(({ output }) => output.trim() === "").length;
