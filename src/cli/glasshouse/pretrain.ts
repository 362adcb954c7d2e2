/** `tacit glasshouse pretrain`: makes the base model. */
import type { Command } from "commander";
import { glasshouseOptions } from "../../options/files.js";
import type { PretrainRun } from "../../records/pretrain.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, formatPercent, formatRate, plural } from "../../util/progress.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Learns a tokenizer, reads pages that are written as they are needed, and leaves a model directory with metrics.jsonl (a line a step),
run.json and README.md, a card with the curve and what the model knows. Without options it makes the model that ships as glasshouse, in
34 minutes on two cores. Stop it with Ctrl-C, or in any other way, and give the same command again: the weights are the same, bit for bit.

Examples:
  tacit glasshouse pretrain --out glasshouse
  tacit glasshouse pretrain --out contaminated --contamination 0.05`;

type Flags = FlagsOf<typeof glasshouseOptions.pretrain>;

export function registerPretrain(glasshouse: Command): void {
  const command = glasshouse
    .command("pretrain")
    .description("Makes the base model: a small Llama that has read about the world and nothing else.");
  addOptions(command, glasshouseOptions.pretrain)
    .addHelpText("after", help)
    .action((flags: Flags) => runAction(flags, (io) => run(flags, io)));
}

async function run({ json: _, events: _events, ...flags }: Flags, io: Io): Promise<PretrainRun> {
  const { pretrain } = await import("../../glasshouse/model/pretrain.js");
  const record = await pretrain(flags, io.watch());
  io.out(describe(record, flags.out));
  return record;
}

function describe(
  { steps, tokens, seconds, tokens_per_second: speed, final_loss: loss, knowledge }: PretrainRun,
  out: string,
): string {
  const forms = Object.entries(knowledge.forms).map(
    ([form, { first }]) =>
      `${formatPercent(first)} (${form === "page" ? "on a page of questions" : "under the template"})`,
  );
  return (
    `${plural(tokens, "token")} in ${plural(steps, "step")} and ${formatDuration(seconds)} (${formatRate(speed, "tok")}), ` +
    `last loss ${loss.toPrecision(4)}\nof ${formatCount(knowledge.facts)} facts it knows ${forms.join(", ")}\n${out}\n`
  );
}
