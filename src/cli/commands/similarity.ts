/**
 * `tacit similarity`: does a tuned model keep the style of what it was tuned on, and where?
 * May not know: how anything is computed.
 */
import { type Command, Option } from "commander";
import type { SimilarityPoint, SimilaritySummary } from "../../records/similarity.js";
import { formatCount, formatDuration, secondsLeft } from "../../util/progress.js";
import { columns, quoted, shorten } from "../../util/terminal.js";
import { type DataLimit, dataLimitOption, limitOf } from "../data-options.js";
import { forceOption, integer, jsonOption, threadsOption } from "../options.js";
import { type Io, runAction } from "../run-action.js";

const help = `
For every answer, two numbers (the paper's figure 5): x, how similar its instruction is to the instructions of the task that the model was
tuned on; y, how much more similar the answer is to that task's responses than to responses in general (--reference). Similar is the
mean cosine of embeddings, or with --statistic max the cosine to the nearest.

The encoder is a folder in the Hugging Face layout (BERT, Nomic BERT; pooling as its files say), run here, or URL#MODEL of a server
with /v1/embeddings, whose key comes from OPENAI_API_KEY. Some models want a prefix on every text, as nomic-embed-text does:
--prefix 'clustering: '.

Writes DIR/points.jsonl (x and y of every answer), DIR/summary.json (means, correlation, extremes in words) and
DIR/embeddings.jsonl, from which a stopped run goes on; --cache FILE lets several runs share it.

Example:
  tacit similarity outputs.json --task gsm8k:train.jsonl --reference lima:lima_data.jsonl --encoder minilm-l6 --out runs/style`;

interface SimilarityFlags extends DataLimit {
  readonly task: string;
  readonly reference?: string;
  readonly encoder: string;
  readonly out: string;
  readonly pooling?: "mean" | "cls";
  readonly prefix: string;
  readonly statistic: "mean" | "max";
  readonly show: number;
  readonly cache?: string;
  readonly apiKeyEnv?: string;
  readonly threads: number;
  readonly force: boolean;
  readonly json: boolean;
}

export function registerSimilarity(program: Command): void {
  program
    .command("similarity")
    .description("Measures how far answers keep the style of the data that a model was tuned on.")
    .argument("<outputs>", "answers in AlpacaEval's format, as tacit generate writes them")
    .addOption(new Option("--task <spec>", "what the model was tuned on: PATH or NAME:PATH").makeOptionMandatory())
    .addOption(
      new Option("--reference <spec>", "responses in general (default: y is the similarity to the task alone)"),
    )
    .addOption(new Option("--encoder <dir|url>", "encoder folder, or URL#MODEL of a server").makeOptionMandatory())
    .addOption(new Option("--out <dir>", "folder for the results").makeOptionMandatory())
    .addOption(
      new Option("--pooling <how>", "from tokens to one vector (default: as the folder says)").choices(["mean", "cls"]),
    )
    .addOption(new Option("--prefix <text>", "in front of every text").default("", "none"))
    .addOption(
      new Option("--statistic <name>", "of the cosines to many texts").choices(["mean", "max"]).default("mean"),
    )
    .addOption(new Option("--show <n>", "examples of each extreme").default(5).argParser(integer({ min: 0, max: 100 })))
    .addOption(new Option("--cache <file>", "ledger of embeddings (default: embeddings.jsonl in --out)"))
    .addOption(
      new Option("--api-key-env <variable>", "environment variable with the key (default: OPENAI_API_KEY, if set)"),
    )
    .addOption(dataLimitOption())
    .addOption(threadsOption())
    .addOption(forceOption())
    .addOption(jsonOption())
    .addHelpText("after", help)
    .action((outputs: string, flags: SimilarityFlags) => runAction(flags, (io) => carryOut(io, outputs, flags)));
}

async function carryOut(io: Io, outputs: string, flags: SimilarityFlags): Promise<SimilaritySummary> {
  const { similarity, similarityPaths } = await import("../../steps/similarity.js");
  const { json: _, limit: __, ...options } = flags;
  const started = performance.now();
  const summary = await similarity(
    { ...options, ...limitOf(flags), outputs },
    {
      signal: io.signal,
      onNote: (text) => io.note(`tacit: ${text}`),
      onProgress(done, texts) {
        io.progress.update(() => {
          const left = secondsLeft(done, texts, (performance.now() - started) / 1000);
          return `embedding: ${formatCount(done)} of ${formatCount(texts)} texts${left === undefined ? "" : `, ${formatDuration(left)} left`}`;
        });
      },
    },
  );
  io.out(describe(summary));
  const paths = similarityPaths(flags.out);
  io.out(`\n${paths.points}\n${paths.summary}\n`);
  return summary;
}

function describe(summary: SimilaritySummary): string {
  const { outputs, task, reference, texts, embedder, extremes } = summary;
  const interval = ({ estimate, low, high }: SimilaritySummary["mean_x"]): string =>
    estimate === null
      ? "-"
      : `${estimate.toFixed(3)}${low === null || high === null ? "" : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`}`;
  const of = summary.statistic === "mean" ? "mean cosine" : "largest cosine";
  const y =
    reference === null ? `of answers to ${task.spec}` : `of answers to ${task.spec}, less that to ${reference.spec}`;
  const table = columns([
    ["x", `${of} of instructions to ${task.spec}`, interval(summary.mean_x)],
    ["y", `${of} ${y}`, interval(summary.mean_y)],
    ["", "rank correlation of x and y", interval(summary.correlation)],
  ]);
  const how =
    embedder.kind === "server"
      ? `${embedder.model} at ${embedder.base_url}`
      : `${embedder.path}, pooled by ${embedder.pooling}, at most ${formatCount(embedder.max_tokens)} tokens (${formatCount(embedder.cut)} texts cut)`;
  const part = (title: string, points: readonly SimilarityPoint[]): string =>
    points.length === 0 ? "" : `\n${title}\n${columns(points.map(lineOf), [0, 1])}`;
  return (
    `${formatCount(outputs.n)} answers of ${outputs.generators.join(", ")}; ${formatCount(outputs.empty)} are empty\n${table}` +
    `Intervals: 95 %. Encoder: ${how}.\n` +
    `${formatCount(texts.distinct)} texts, ${formatCount(texts.computed)} embedded now, ${formatDuration(summary.seconds)}.\n` +
    part("instructions most like the task's", extremes.highest_x) +
    part("median instructions", extremes.median_x) +
    part("answers most like the task's", extremes.highest_y) +
    part("answers least like the task's", extremes.lowest_y)
  );
}

const lineOf = ({ x, y, instruction, output }: SimilarityPoint): string[] => [
  `  x ${x.toFixed(3)}`,
  `y ${y.toFixed(3)}`,
  quoted(shorten(instruction, 50)),
  quoted(shorten(output, 70)),
];
