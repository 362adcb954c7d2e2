/** How the answers came about: the template, and of the rules what was left out and what could not be applied. */
import { generateRunSchema } from "../../records/outputs.js";
import { integer, number, oneLine, type Section, table, text } from "../document.js";
import { armsOf } from "../names.js";
import { readJsonOf, type StudyFolder, testAnswers } from "../read.js";

export async function generation(study: StudyFolder): Promise<Section | undefined> {
  const rows = [];
  for (const { name, chosen } of armsOf(study)) {
    const place = chosen.map(testAnswers).find((answers) => answers !== undefined);
    if (place === undefined) continue;
    const { rules, template, trimmed, options } = await readJsonOf(study, place.run, generateRunSchema);
    rows.push([
      text(name),
      text(rules?.name ?? "none"),
      rules === null ? number(null) : text(rules.hash),
      list(rules?.disabled),
      list(rules?.unresolved.map((string) => JSON.stringify(string))),
      oneLine(template ?? "none: instructions as they are"),
      text(trimmed ? "yes" : "no"),
      integer(options.max_new_tokens),
      { text: String(options.temperature), value: options.temperature },
    ]);
  }
  if (rows.length === 0) return undefined;
  return {
    id: "generation",
    title: "How the answers came about",
    blocks: [
      table({
        id: "generation",
        caption:
          "How the test answers of every arm were made, first seed. Not applied: strings of the rules that are not one token in the model's vocabulary and were ignored. Trimmed: without white space at both ends of an instruction.",
        columns: [
          { key: "arm", label: "arm" },
          { key: "rules", label: "rules" },
          { key: "rules_sha256", label: "", csvOnly: true },
          { key: "left_out", label: "left out" },
          { key: "not_applied", label: "not applied" },
          { key: "template", label: "template" },
          { key: "trimmed", label: "trimmed" },
          { key: "max_new_tokens", label: "tokens at most", numeric: true },
          { key: "temperature", label: "temperature", numeric: true },
        ],
        rows,
      }),
    ],
  };
}

/** Of rules; where there are none, nothing could be left out. */
const list = (words: readonly string[] | undefined) =>
  words === undefined ? number(null) : text(words.join(", ") || "none");
