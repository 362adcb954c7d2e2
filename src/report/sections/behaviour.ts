/** What can be said of answers without a judge: do they end, how long are they, do they repeat the question, do tags leak? */
import type { AnswerCountsRecord } from "../../records/study.js";
import { integer, number, type Section, shareOf, text } from "../document.js";
import { armsOf } from "../names.js";
import { type StudyFolder, testAnswers } from "../read.js";

export function behaviour(study: StudyFolder): Section | undefined {
  const rows = armsOf(study).flatMap(({ name, chosen }) => {
    const counts = chosen.flatMap((cell) => testAnswers(cell)?.counts ?? []);
    return counts.length === 0 ? [] : [{ name, all: sum(counts), seeds: counts.length }];
  });
  if (rows.length === 0) return undefined;
  return {
    id: "behaviour",
    title: "How the answers look",
    blocks: [
      {
        kind: "table",
        table: {
          id: "behaviour",
          caption:
            "Test answers of all seeds together: how many end by themselves, repeat the question word for word, hold a tag of the template, or are empty.",
          columns: [
            { key: "arm", label: "arm" },
            { key: "answers", label: "answers", numeric: true },
            { key: "stopped_percent", label: "end by themselves", numeric: true },
            { key: "echo_percent", label: "repeat the question", numeric: true },
            { key: "tags_percent", label: "hold a tag", numeric: true },
            { key: "empty_percent", label: "empty", numeric: true },
            { key: "mean_tokens", label: "tokens an answer", numeric: true },
          ],
          rows: rows.map(({ name, all }) => [
            text(name),
            integer(all.answers),
            shareOf(all.stopped, all.answers),
            shareOf(all.echoes, all.answers),
            shareOf(all.tags, all.answers),
            shareOf(all.empty, all.answers),
            number(all.mean_tokens),
          ]),
        },
      },
    ],
  };
}

function sum(counts: readonly AnswerCountsRecord[]): AnswerCountsRecord {
  const add = (key: "answers" | "stopped" | "echoes" | "tags" | "empty"): number =>
    counts.reduce((total, one) => total + one[key], 0);
  const answers = add("answers");
  const tokens = counts.reduce((total, one) => total + (one.mean_tokens ?? 0) * one.answers, 0);
  return {
    answers,
    stopped: add("stopped"),
    echoes: add("echoes"),
    tags: add("tags"),
    empty: add("empty"),
    mean_tokens: answers === 0 ? null : tokens / answers,
  };
}
