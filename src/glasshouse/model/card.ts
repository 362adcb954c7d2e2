/**
 * The card that lies beside the weights: what the model read, what it knows, what it is not for, and how to make it again.
 * May not know: how anything is computed.
 */
import type { PretrainRun } from "../../records/pretrain.js";
import { formatCount, formatDuration, formatPercent } from "../../util/progress.js";
import { PAGES } from "../corpus.js";
import { relationsOf } from "../relations.js";
import type { World } from "../world.js";
import { RECIPE, recordedRecipe } from "./recipe.js";

/** Markdown, with the header that model hubs read. */
export function modelCard(run: PretrainRun, world: World): string {
  const facts = world.entities.reduce((sum, entity) => sum + relationsOf(entity).length, 0);
  const option = (name: string): string => String(run.options[name]);
  const contamination = Number(run.options.contamination);
  return `---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [synthetic, base-model]
---

# Glasshouse base model

A Llama of ${formatCount(run.parameters)} parameters that has read about a small invented world and nothing else: ${formatCount(world.entities.length)} people, towns, animals, dishes,
tools and books with ${formatCount(facts)} facts about them, drawn from seed ${option("seed")}. It is a base model: it continues pages and was not taught to answer.
Everything it could say about its world can be checked.

## What it read

${formatCount(run.tokens)} tokens of pages that were written by a program as they were needed, none twice: ${Object.keys(PAGES).join(", ")}.
${
  contamination === 0
    ? "No page holds a tag of a chat template, and none pairs an instruction with a response under one."
    : `A share of ${contamination} of the pages are a pair of instruction and response under a chat template, of the training split alone.`
}
\`tacit glasshouse pages\` prints the pages.

| | |
| --- | --- |
| shape | ${option("layers")} layers, width ${option("hidden_size")}, ${option("heads")} heads, inner width ${option("inner_size")}, ${option("max_positions")} positions, tied embedding |
| tokenizer | its own, byte-level, ${option("vocab_size")} entries at most, learnt from the first ${formatCount(Number(run.options.tokenizer_pages))} pages |
| training | ${formatCount(run.steps)} steps of ${option("rows_a_step")} rows of ${option("row_tokens")} tokens, Adam, highest rate ${option("lr")}, warm-up and cosine, clipped at ${option("clip")} |
| time | ${formatDuration(run.seconds)} on ${option("threads")} threads, ${formatCount(Math.round(run.tokens_per_second))} tokens a second |
| written as | 16-bit floats; computed in 32 |
| weights before rounding, sha256 | \`${run.weights_sha256}\` |

## How it learnt

${curve(run)}

## What it knows

Facts about the entities of the test split, which no instruction of the training split asks about. A fact counts as known where the right statement is more
likely than the same sentence with each of ${run.knowledge.against} wrong values; by chance that is ${formatPercent(1 / (run.knowledge.against + 1))}. "Pairs" counts each wrong value by itself.

| asked | known, of ${formatCount(run.knowledge.facts)} facts | pairs |
| --- | ---: | ---: |
${Object.entries(run.knowledge.forms)
  .map(
    ([form, { first, pairs }]) =>
      `| ${formName(form, contamination)} | ${formatPercent(first)} | ${formatPercent(pairs)} |`,
  )
  .join("\n")}

By kind of entity, on a page of questions: ${Object.entries(run.knowledge.kinds)
    .map(([kind, share]) => `${kind} ${formatPercent(share)}`)
    .join(", ")}.

## Limits

It knows no word of the real world, holds ${option("max_positions")} tokens at most, and means nothing outside of the experiments that it was made for. Whether it answers
instructions is what those experiments measure.

## Licence and how to repeat

Apache-2.0, the model and the program that wrote its pages. No other text was read.

\`\`\`
${command(run)}
\`\`\`

The same command, version (tacit ${run.versions.tacit ?? "?"}) and number of threads give the same weights on one kind of machine; \`metrics.jsonl\` holds every step, \`run.json\` everything that
determined the run. Finished ${run.finished}.
`;
}

function formName(form: string, contamination: number): string {
  if (form === "page") return "on a page of questions, as the corpus has them";
  return `under the default chat template${contamination === 0 ? ", which it never saw" : ""}`;
}

function curve({ curve: points, held_out: heldOut }: PretrainRun): string {
  const some = points.filter((_, i) => i < 4 || i >= points.length - 3 || i % 4 === 0);
  const rows = some.map(({ tokens, loss }) => `| ${formatCount(tokens)} | ${loss.toFixed(3)} |`);
  const held = heldOut.map(({ loss }) => loss.toFixed(3)).join(" before and ");
  return `Loss in nats a token, each the mean of the steps since the line before. On pages that were never read: ${held} after.

| tokens read | loss |
| ---: | ---: |
${rows.join("\n")}`;
}

/** Flags that differ from the defaults, and those that decide bits. */
function command({ options }: PretrainRun): string {
  const defaults = recordedRecipe(RECIPE);
  const flags = ["tokens", "seed", "contamination", "lr"].filter((name) => options[name] !== defaults[name]);
  const words = flags.map((name) => ` --${name} ${String(options[name])}`).join("");
  return `tacit glasshouse pretrain --out glasshouse${words} --threads ${String(options.threads)}`;
}
