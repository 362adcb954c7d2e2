/**
 * Similarity: whether answers keep the style of what a model was tuned on.
 * May not know: how answers come about.
 */
import { join } from "node:path";
import { studySettings } from "../../options/study-settings.js";
import { similaritySummarySchema } from "../../records/similarity.js";
import { similarity, similarityPaths } from "../../steps/similarity.js";
import { sha256 } from "../../util/files.js";
import { deciding, type OptionsOf } from "../../util/options.js";
import { readRecord } from "../../util/record-file.js";
import {
  leavesFiles,
  NOTHING,
  type Place,
  READING_MEMORY,
  type Source,
  type StepDefinition,
  UNREADABLE,
} from "../step.js";
import { isWhole, timed } from "./computing.js";

export interface SimilarityWork {
  readonly kind: "similarity";
  readonly encoder: Source;
  readonly settings: Partial<OptionsOf<typeof studySettings.similarity>>;
  readonly outputs: Source;
  readonly task: Source;
  readonly reference: Source | undefined;
}

const SIMILARITY = "similarity";
/** An encoder's limit is mostly this, or not much more. */
const EMBEDDED_TOKENS = 256;

export const similarityStep: StepDefinition<SimilarityWork> = {
  lane: "computing",
  alone: true, // all share a ledger of embeddings
  memory: { ...READING_MEMORY, leastPerParameter: 0 }, // the study's models are not loaded, an encoder is
  models: () => 0,
  result: SIMILARITY,
  leaves: leavesFiles(similarityPaths(SIMILARITY)),
  inputs: ({ outputs, encoder, task, reference }) => [
    ...[outputs, encoder, task],
    ...(reference === undefined ? [] : [reference]),
  ],
  request: ({ encoder, settings, outputs, task, reference }) => ({
    ...{
      encoder: encoder.is,
      settings: deciding(studySettings.similarity, settings),
      outputs: outputs.is,
      task: task.is,
      reference: reference?.is ?? null,
    },
  }),
  async run({ encoder, settings, outputs, task, reference }, { folder, at, common, watch }) {
    const out = join(folder, SIMILARITY);
    const { points, summary } = similarityPaths(out);
    if (!isWhole(points, summary)) {
      await similarity(
        {
          ...settings,
          ...(reference === undefined ? {} : { reference: at(reference.at) }),
          task: at(task.at),
          encoder: at(encoder.at),
          outputs: at(outputs.at),
          cache: at(embeddingsOf(encoder)),
          out,
          force: true, // the folder is this step's alone
          ...common,
        },
        watch,
      );
    }
    const { texts } = await readRecord(summary, similaritySummarySchema, UNREADABLE);
    return { work: texts.computed, unit: "texts" }; // the others were embedded by another step
  },
  /** At most: texts that several steps share are embedded once, and the vectors of words in an encoder's weights are not multiplied. */
  async forecast({ encoder, settings: { limit, pooling }, outputs, task, reference }, known) {
    const opened = await known.openEncoder(encoder.at, pooling);
    if (opened === undefined) return { ...NOTHING, seconds: undefined, atMost: true }; // a server of somebody else's
    const answers = await known.answersAt(outputs.at);
    const pairs = await Promise.all(
      [task, ...(reference === undefined ? [] : [reference])].map(({ at }) => known.pairs(at, limit)),
    );
    const texts = 2 * (answers?.rows ?? 0) + pairs.reduce((sum, { rows }) => sum + 2 * rows, 0);
    const tokens = texts * Math.min(EMBEDDED_TOKENS, opened.limits.maxTokens);
    return { ...(await timed(known, { tokens, work: texts }, opened.plan())), atMost: true };
  },
  async summarise(result) {
    const { summary } = similarityPaths(SIMILARITY);
    const { mean_x, mean_y, correlation } = await result.read(summary, similaritySummarySchema);
    const totals = { mean_x, mean_y, correlation };
    return { similarity: { folder: result.path(SIMILARITY), summary: result.path(summary), totals } };
  },
  decides: undefined,
};

/** The ledger of embeddings that all steps with this encoder share. */
const embeddingsOf = ({ is }: Source): Place => ({ inside: `embeddings/${sha256(String(is)).slice(0, 16)}.jsonl` });
