/**
 * `tacit tune`: full fine-tuning of a model directory on responses, or on instructions and responses.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { tuneOptions } from "../../options/tune.js";
import type { Certificate } from "../../records/certificate.js";
import type { TunePlan, TuneRunRecord } from "../../records/tune.js";
import type { TuneWatch } from "../../steps/tune.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, formatRate } from "../../util/progress.js";
import { quoted } from "../../util/terminal.js";
import { defaultLimits } from "../data-options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";
import { stepProgress } from "../step-progress.js";
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
  const { json: _, ...request } = withTemplate(flags);
  const record = await tune(request, { ...watchOn(io, flags.out), signal: io.signal });
  io.out(describe(record, flags.out));
  return record;
}

/** What is said on the way, and the progress line: step, loss, speed, time left, memory. */
function watchOn(io: Io, out: string): TuneWatch {
  return {
    onNote: (text) => io.note(`tacit: ${quoted(text)}`),
    onStart({ resumedAt, total, certificate, data, seen }) {
      for (const line of describeRows(certificate, data)) io.note(line);
      const some = seen < data.rows ? `, which see ${formatCount(seen)} of the ${formatCount(data.rows)} rows` : "";
      io.note(
        resumedAt > 0 ? `resuming after step ${resumedAt} of ${total}${some}` : `${formatCount(total)} steps${some}`,
      );
    },
    onStep: stepProgress(io.progress, { passes: true }),
    onHeldOut({ epoch, loss }) {
      io.note(
        `held-out loss ${epoch === 0 ? "before training" : `after epoch ${epoch}`}: ${loss.toFixed(4)} nats a token`,
      );
    },
    onFinishedBefore({ finished }) {
      io.note(`${out} holds this run, finished at ${finished}: nothing is left to do`);
    },
  };
}

/** What is trained on, what is held out, and what became of the other rows. */
function describeRows(certificate: Certificate, data: TunePlan["data"]): string[] {
  const { rows, supervised_tokens, rows_merged, rows_cut, rows_skipped, rows_lossy } = certificate;
  const some = (n: number, what: string): string[] => (n === 0 ? [] : [`${formatCount(n)} ${what}`]);
  const apart = [
    ...some(rows_merged, "merged at the border of prompt and response"),
    ...some(rows_cut, "cut at --max-length"),
    ...some(rows_skipped, "skipped without a token that carries loss"),
    ...some(data.too_long, "left out with a longer response"),
    ...some(data.held_out, "held out"),
    ...data.left_out.flatMap(({ reason, count }) => some(count, `left out by the data set (${reason})`)),
  ];
  const certified = `mask certified: ${formatCount(rows)} rows, ${formatCount(supervised_tokens)} tokens carry loss`;
  const lossy = `warning: ${formatCount(rows_lossy)} rows hold characters that have no token in this vocabulary; their ids lack them`;
  return [[certified, ...apart].join("; "), ...(rows_lossy > 0 ? [lossy] : [])];
}

function describe(record: TuneRunRecord, out: string): string {
  return (
    `${formatCount(record.steps)} steps on ${formatCount(rowsSeenBy(record))} rows in ${formatDuration(record.seconds)} ` +
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
