/** What the scores are made of: the mean of every part that a checker looked at, arm by arm. */
import type { CheckedScore } from "../../records/annotations.js";
import { integer, number, paragraph, type Section, table, text } from "../document.js";
import { armsOf } from "../names.js";
import type { StudyFolder } from "../read.js";
import { losesNothing, meanOf, scoredAnswers } from "../scores.js";

export async function scores(study: StudyFolder): Promise<Section | undefined> {
  const rows: { readonly name: string; readonly scores: readonly CheckedScore[] }[] = [];
  for (const arm of armsOf(study)) {
    const scored = (await scoredAnswers(study, arm)).flatMap((one) => [...one.scores.values()]);
    if (scored.length > 0) rows.push({ name: arm.name, scores: scored });
  }
  if (rows.length === 0) return undefined;
  const parts = [...new Set(rows.flatMap((row) => row.scores.flatMap((score) => Object.keys(score.parts ?? {}))))];
  return {
    id: "scores",
    title: "What the scores are made of",
    blocks: [
      paragraph(
        "The judge is a program that scores every answer by itself, from parts between 0 and 1; the higher score of a pair wins. Means over the test answers of all seeds.",
      ),
      table({
        id: "scores",
        caption: "Answers of every arm, those that lose nothing in any part, their mean score, and each part of it.",
        columns: [
          { key: "arm", label: "arm" },
          { key: "answers", label: "answers", numeric: true },
          { key: "right", label: "lose nothing", numeric: true },
          { key: "score", label: "score", numeric: true },
          ...parts.map((part) => ({ key: part, label: part, numeric: true })),
        ],
        rows: rows.map((row) => [
          text(row.name),
          integer(row.scores.length),
          integer(row.scores.filter(losesNothing).length),
          number(meanOf(row.scores.map(({ total }) => total)), 2),
          ...parts.map((part) => number(meanOf(row.scores.flatMap((score) => score.parts?.[part] ?? [])), 2)),
        ]),
      }),
    ],
  };
}
