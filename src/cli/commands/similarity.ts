/**
 * `tacit similarity`: does a tuned model keep the style of what it was tuned on, and where?
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { similarityOptions } from "../../options/measure.js";
import type { SimilarityPoint, SimilaritySummary } from "../../records/similarity.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatDuration, plural } from "../../util/progress.js";
import { columns, quoted, shorten } from "../../util/terminal.js";
import { defaultLimits } from "../data-options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
For every answer, two numbers (the paper's figure 5): x, how similar its instruction is to the instructions of the task that the model was
tuned on; y, how much more similar the answer is to that task's responses than to responses in general (--reference). Similar is the
mean cosine of embeddings, or with --statistic max the cosine to the nearest.

The encoder is a folder in the Hugging Face layout (BERT, Nomic BERT; pooling as its files say), run here, or URL#MODEL of a server
with /v1/embeddings, whose key comes from OPENAI_API_KEY. Some models want a prefix on every text, as nomic-embed-text does:
--prefix 'clustering: '.

Writes DIR/points.jsonl (x and y of every answer), DIR/summary.json (means, correlation, extremes in words) and
DIR/embeddings.jsonl, from which a stopped run resumes; --cache FILE lets several runs share it.

Example:
  tacit similarity outputs.json --task gsm8k:train.jsonl --reference lima:lima_data.jsonl --encoder minilm-l6 --out runs/style`;

type SimilarityFlags = FlagsOf<typeof similarityOptions>;

export function registerSimilarity(program: Command): void {
  const command = program
    .command("similarity")
    .description("Measures how far answers keep the style of the data that a model was tuned on.");
  addOptions(command, similarityOptions, { limits: defaultLimits() })
    .addHelpText("after", help)
    .action((outputs: string, flags: SimilarityFlags) => runAction(flags, (io) => carryOut(io, outputs, flags)));
}

async function carryOut(io: Io, outputs: string, flags: SimilarityFlags): Promise<SimilaritySummary> {
  const { similarity, similarityPaths } = await import("../../steps/similarity.js");
  const { json: _, events: _events, ...options } = flags;
  const summary = await similarity({ ...options, outputs }, io.watch());
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
      : `${embedder.path}, pooled by ${embedder.pooling}, at most ${formatCount(embedder.max_tokens)} tokens (${plural(embedder.cut, "text")} cut)`;
  const part = (title: string, points: readonly SimilarityPoint[]): string =>
    points.length === 0 ? "" : `\n${title}\n${columns(points.map(lineOf), [0, 1])}`;
  return (
    `${plural(outputs.n, "answer")} of ${outputs.generators.join(", ")}; ${formatCount(outputs.empty)} are empty\n${table}` +
    `Intervals: 95 %. Encoder: ${how}.\n` +
    `${plural(texts.distinct, "text")}, ${formatCount(texts.computed)} embedded now, ${formatDuration(summary.seconds)}.\n` +
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
