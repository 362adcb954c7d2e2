/** What is compared: the arms in words, and what of the study is not here. */
import { basename } from "node:path";
import { plural } from "../../util/progress.js";
import { type Block, paragraph, type Section, table, text, warning } from "../document.js";
import { armsOf } from "../names.js";
import type { StudyFolder } from "../read.js";

export function compared(study: StudyFolder): Section {
  const { record, results } = study;
  const arms = Object.entries(record.study.arms);
  const failed = results.steps.filter(({ state }) => state === "failed");
  const open = results.steps.filter(({ state }) => state === "to-do" || state === "open" || state === "blocked");
  const blocks: Block[] = [
    paragraph(setting(study)),
    table({
      id: "arms",
      caption: "The arms: how the answers of each come about.",
      columns: [
        { key: "arm", label: "arm" },
        { key: "kind", label: "kind" },
        { key: "about", label: "what it is", csvOnly: arms.every(([, { about }]) => about === undefined) },
        { key: "data", label: "tuned on" },
        { key: "epochs", label: "epochs" },
        { key: "seeds", label: "seeds" },
      ],
      rows: arms.map(([name, arm]) => {
        const cells = armsOf(study)
          .filter((one) => one.arm === name)
          .flatMap(({ chosen }) => chosen);
        const list = (values: readonly (number | null)[]): string =>
          [...new Set(values)].filter((value) => value !== null).join(", ") || "–";
        return [
          text(name),
          text(arm.kind),
          text(arm.about ?? "–"),
          text("data" in arm ? arm.data : "–"),
          text(list(cells.map(({ epochs }) => epochs))),
          text(list(cells.map(({ seed }) => seed))),
        ];
      }),
    }),
  ];
  if (failed.length > 0) {
    blocks.push(
      warning(
        `${plural(failed.length, "step")} failed; what depends on ${failed.length === 1 ? "it" : "them"} is missing below. The reasons stand under “How it came about”.`,
      ),
    );
  }
  if (open.length > 0)
    blocks.push(
      warning(
        `${plural(open.length, "step")} of the study ${open.length === 1 ? "is" : "are"} not done: this report is of what there is.`,
      ),
    );
  for (const { what, reason } of results.left_out) blocks.push(warning(`Left out: ${what}: ${reason}.`));
  return { id: "compared", title: "What is compared", blocks };
}

/** The base models, the questions, how they were answered, and who judged, in one paragraph. */
function setting({ record: { study } }: StudyFolder): string {
  const { models, generation, judge, selection } = study;
  const names = Object.entries(models).map(([name, { path }]) => {
    const folder = basename(path);
    return folder === name ? name : `${name} (${folder})`;
  });
  const sentences = [`Base ${names.length === 1 ? "model" : "models"}: ${names.join(", ")}.`];
  if (generation !== undefined) {
    const { prompts, limit, temperature = 0, max_new_tokens: most } = generation;
    const first = typeof limit === "number" ? `the first ${limit} of “${prompts}”` : `“${prompts}”`;
    const how = temperature === 0 ? "greedily" : `at temperature ${temperature}`;
    const length = most === undefined ? "" : `, at most ${most.toLocaleString("en-US")} tokens each`;
    sentences.push(`Test instructions: ${first}, answered ${how}${length}.`);
  }
  sentences.push(judge === null ? "No judge." : `Judge: ${judge}.`);
  if (selection !== undefined) {
    const by = selection.measure === "loss" ? `loss on “${selection.data}”` : `win rate on “${selection.prompts}”`;
    sentences.push(`Epochs, where there were several, were chosen by ${by}.`);
  }
  return sentences.join(" ");
}
