/**
 * `tacit tune`: full fine-tuning of a model directory on responses, or on instructions and responses.
 * May not know: how anything is computed.
 */
import { type Command, Option } from "commander";
import type { Certificate } from "../../records/certificate.js";
import type { TunePlan, TuneRunRecord } from "../../records/tune.js";
import type { Preset, TuneRequest, TuneWatch } from "../../steps/tune.js";
import type { Objective } from "../../text/render.js";
import { formatCount, formatDuration, formatRate } from "../../util/progress.js";
import { quoted } from "../../util/terminal.js";
import { type DataLimit, dataLimitOption } from "../data-options.js";
import { decimal, forceOption, integer, jsonOption, modelOption, seedOption, threadsOption } from "../options.js";
import { type Io, runAction } from "../run-action.js";
import { stepProgress } from "../step-progress.js";
import { addTemplateOptions, type TemplateFlags, withTemplate } from "../template-options.js";

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

interface TuneFlags extends TemplateFlags, DataLimit {
  readonly model: string;
  readonly data: string;
  readonly objective: Objective;
  readonly out: string;
  readonly preset: Preset;
  readonly epochs?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly schedule?: "cosine" | "linear" | "constant";
  readonly warmup?: number;
  readonly reduction?: "paper" | "reference" | "token";
  readonly clip?: number;
  readonly maxLength: number;
  readonly maxResponseTokens?: number;
  readonly maxSteps?: number;
  readonly holdOut: number;
  readonly shuffle: boolean;
  readonly saveEveryEpoch: boolean;
  readonly checkpointEvery?: number;
  readonly skipEmpty: boolean;
  readonly microTokens?: number;
  readonly recompute: boolean;
  readonly dtype?: "f32" | "f16" | "bf16";
  readonly seed: number;
  readonly threads: number;
  readonly resume: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

export function registerTune(program: Command): void {
  const command = program
    .command("tune")
    .description("Tunes a model on responses alone, or on instructions and responses.")
    .addOption(modelOption())
    .requiredOption("--data <spec>", "rows: PATH, or NAME:PATH for a data set of the paper")
    .addOption(
      new Option("--objective <name>", "response: every instruction is replaced by the empty text")
        .choices(["instruction", "response"])
        .makeOptionMandatory(),
    )
    .requiredOption("--out <dir>", "the model directory to make");
  addRunOptions(command);
  addRowOptions(command);
  command
    .addOption(threadsOption())
    .addOption(
      new Option("--resume", "where the run in --out is finished already, say so and keep it").default(false, "refuse"),
    )
    .addOption(forceOption())
    .addOption(jsonOption())
    .addHelpText("after", help)
    .action((flags: TuneFlags) => runAction(flags, (io) => runTune(flags, io)));
}

function addRunOptions(command: Command): void {
  command
    .addOption(
      new Option("--preset <name>", "defaults of the options below").choices(["paper", "reference"]).default("paper"),
    )
    .addOption(new Option("--epochs <n>", "passes over the rows (default: 5)").argParser(integer({ min: 1 })))
    .addOption(new Option("--batch <n>", "rows a step (default: 64)").argParser(integer({ min: 1 })))
    .addOption(new Option("--lr <rate>", "highest learning rate (default: 1e-5)").argParser(decimal({ min: 0 })))
    .addOption(
      new Option("--schedule <name>", "how the rate falls (default: cosine; reference: linear)").choices([
        "cosine",
        "linear",
        "constant",
      ]),
    )
    .addOption(
      new Option(
        "--warmup <share>",
        "share of all steps in which the rate rises (default: 0.1; reference: 0.03)",
      ).argParser(decimal({ min: 0, max: 1 })),
    )
    .addOption(
      new Option(
        "--reduction <name>",
        "paper: mean over rows of summed token losses; reference: mean over rows of means; token: mean over tokens (default: the preset's)",
      ).choices(["paper", "reference", "token"]),
    )
    .addOption(
      new Option("--clip <norm>", "largest norm of the gradient (default: none)").argParser(decimal({ above: 0 })),
    )
    .addOption(
      new Option("--max-steps <n>", "stop early; the schedule stays that of the whole").argParser(integer({ min: 1 })),
    )
    .addOption(new Option("--save-every-epoch", "also keep OUT/epoch-N").default(false, "the last alone"))
    .addOption(
      new Option(
        "--checkpoint-every <steps>",
        "keep a checkpoint after this many steps (default: after every epoch, at least every ten minutes, and on Ctrl-C)",
      ).argParser(integer({ min: 1 })),
    )
    .addOption(seedOption())
    .addOption(new Option("--no-shuffle", "rows in the order of the file"))
    .addOption(
      new Option("--micro-tokens <n>", "positions computed at once; less takes less memory (default: 2048)").argParser(
        integer({ min: 1 }),
      ),
    )
    .addOption(
      new Option("--recompute", "keep only each layer's input for the backward pass: less memory, more time").default(
        false,
        "keep all",
      ),
    )
    .addOption(
      new Option("--dtype <name>", "of the written weights (default: as read)").choices(["f32", "f16", "bf16"]),
    );
}

function addRowOptions(command: Command): void {
  addTemplateOptions(command)
    .addOption(
      new Option("--max-length <n>", "longest row in ids; the rest is cut off on the right")
        .default(2048)
        .argParser(integer({ min: 2 })),
    )
    .addOption(
      new Option(
        "--max-response-tokens <n>",
        "leave out, and count, rows with longer responses (default: none)",
      ).argParser(integer({ min: 1 })),
    )
    .addOption(
      new Option("--hold-out <n>", "rows that are not trained on, whose loss is measured after every epoch")
        .default(0)
        .argParser(integer({ min: 0 })),
    )
    .addOption(dataLimitOption())
    .addOption(
      new Option("--skip-empty", "leave out rows of which nothing carries loss after the cut").default(
        false,
        "an error",
      ),
    );
}

async function runTune(flags: TuneFlags, io: Io): Promise<TuneRunRecord> {
  const { tune } = await import("../../steps/tune.js");
  const { lr, dtype, json: _, ...options } = withTemplate(flags);
  const request: TuneRequest = {
    ...options,
    ...(lr === undefined ? {} : { learningRate: lr }),
    ...(dtype === undefined ? {} : { dtype: dtype.toUpperCase() as "F32" | "F16" | "BF16" }),
  };
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
