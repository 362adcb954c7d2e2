/**
 * `tacit tune`: full fine-tuning of a model directory on responses, or on instructions and responses.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { tuneOptions } from "../../options/tune.js";
import type { TuneRunRecord } from "../../records/tune.js";
import type { FlagsOf } from "../../util/options.js";
import { formatDuration, formatRate, plural } from "../../util/progress.js";
import { defaultLimits } from "../data-options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";
import { templateNames, withTemplate } from "../template-options.js";

const help = `
Every parameter is trained, with Adam, on the loss of responses and their stop tokens alone. --objective response empties every
instruction first: response tuning. Writes a model directory that Transformers loads unchanged, metrics.jsonl (a line a step) and
run.json (everything that determined the run). Stop it with Ctrl-C, or in any other way, and give the same command again: it resumes
from its last checkpoint, and the result is the same, bit for bit.

Presets set what is not given: paper (cosine, warm-up 0.1, sums of token losses) and reference (linear, warm-up 0.03, means).

Examples:
  tacit tune --model gemma-3-270m --data lima:lima_data.jsonl --objective response --out tuned --lr 5e-5 --epochs 2 \\
    --batch 16 --max-response-tokens 420 --micro-tokens 1024
  tacit tune --model gemma-3-270m --data my-task.jsonl --objective instruction --out tuned --reduction token --hold-out 32`;

type TuneFlags = FlagsOf<typeof tuneOptions>;

export function registerTune(program: Command): void {
  const command = program
    .command("tune")
    .description("Tunes a model on responses alone, or on instructions and responses.");
  addOptions(command, tuneOptions, { limits: defaultLimits(), templates: templateNames() })
    .addHelpText("after", help)
    .action((flags: TuneFlags) => runAction(flags, (io) => runTune(flags, io)));
}

async function runTune(flags: TuneFlags, io: Io): Promise<TuneRunRecord> {
  const { tune } = await import("../../steps/tune.js");
  const { json: _, events: _events, ...request } = withTemplate(flags);
  const record = await tune(request, io.watch());
  io.out(describe(record, flags.out));
  return record;
}

function describe(record: TuneRunRecord, out: string): string {
  return (
    `${plural(record.steps, "step")} on ${plural(rowsSeenBy(record), "row")} in ${formatDuration(record.seconds)} ` +
    `(${formatRate(record.tokens_per_second, "tok")}), last loss ${record.final_loss.toPrecision(4)}${heldOut(record)}\n${out}\n`
  );
}

const rowsSeenBy = ({ data, steps, options }: TuneRunRecord): number =>
  Math.min(data.rows, steps * Number(options.batch));

/** From the first to the last, and the lowest where that is another one. */
function heldOut({ held_out: lines }: TuneRunRecord): string {
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) return "";
  const lowest = lines.reduce((low, line) => (line.loss < low.loss ? line : low));
  const best =
    lowest === last
      ? ""
      : ` (lowest ${lowest.loss.toFixed(4)} ${lowest.epoch === 0 ? "before training" : `after epoch ${lowest.epoch}`})`;
  return `, held-out loss ${first.loss.toFixed(4)} → ${last.loss.toFixed(4)}${best}`;
}
