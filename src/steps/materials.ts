/**
 * Small things of `text` and `data` that a study needs to call the steps, because it does not see those folders.
 * May not know: studies.
 */
import { collectExamples } from "../data/load.js";
import { instructionOf, responseOf } from "../records/example.js";
import type { ScoreInput } from "../records/scores.js";
import { type Template, templateFrom } from "../text/template.js";

/** A template by its name and tags. */
export const namedTemplate = (name: string, userTag?: string, assistantTag?: string): Template =>
  templateFrom({
    template: name,
    ...(userTag === undefined ? {} : { userTag }),
    ...(assistantTag === undefined ? {} : { assistantTag }),
  });

/** Instruction and response of every example of a data set, as `score` takes them; of a dialogue its first exchange. */
export async function scorePairs(data: string, limit?: number | "all"): Promise<ScoreInput[]> {
  const { examples } = await collectExamples(data, limit === undefined ? {} : { limit });
  return examples.map((example) => ({
    id: example.id,
    instruction: instructionOf(example),
    response: responseOf(example),
  }));
}
