/**
 * Do answers keep the style of what was tuned on (section 5.2 and figure 5 of the paper)? One point an answer: how near its instruction is to
 * the task's, and how much nearer the answer is to the task's responses than to the reference's.
 */
import { type SimilaritySummary, similarityPointSchema, similaritySummarySchema } from "../../records/similarity.js";
import { type Block, interval, number, type Section, text } from "../document.js";
import { scatterFigure } from "../figures/scatter.js";
import { armName, plural } from "../names.js";
import { readJsonOf, readLinesOf, type StudyFolder } from "../read.js";

/** Points drawn of one arm: a cloud of more is a blot. Those left out are said. */
const POINTS = 805;

export async function similarity(study: StudyFolder): Promise<Section | undefined> {
  const clouds = [];
  const rows = [];
  const words: Block[] = [];
  const settings = new Set<string>();
  const tasks = new Set<string>();
  const references = new Set<string>();
  for (const one of study.results.similarities) {
    const name = `${armName(study, one)}${one.seed === null ? "" : `, seed ${one.seed}`}`;
    const summary = await readJsonOf(study, one.summary, similaritySummarySchema);
    const points = await readLinesOf(study, `${one.folder}/points.jsonl`, similarityPointSchema);
    clouds.push({ name, points: points.slice(0, POINTS).map(({ x, y }) => [x, y] as const) });
    rows.push([
      text(name),
      number(points.length, 0),
      ...interval(summary.mean_x, { digits: 3 }),
      ...interval(summary.mean_y, { digits: 3 }),
      ...interval(summary.correlation, { digits: 3 }),
    ]);
    words.push(...extremes(name, summary.extremes));
    settings.add(settingOf(summary));
    tasks.add(nameOf(study, summary.task.hash));
    references.add(summary.reference === null ? "" : nameOf(study, summary.reference.hash));
  }
  if (clouds.length === 0) return undefined;
  const compared = !references.has("");
  const axes = {
    xAxis: "nearness of the instruction to the task's",
    yAxis: compared ? "answer: to the task, less to the reference" : "nearness of the answer to the task's",
  };
  const [task, reference] = [[...tasks].join(", "), [...references].filter((one) => one !== "").join(", ")];
  return {
    id: "similarity",
    title: "Does it keep the style it was tuned on?",
    blocks: [
      {
        kind: "text",
        text: `To the right, instructions that resemble those of the task (${task}); upwards, answers that resemble the task's responses${
          compared ? ` more than the reference's (${reference})` : ""
        }. Answers in the style of the task to instructions unlike it would lie on the upper left.`,
      },
      ...[...settings].map((words): Block => ({ kind: "text", text: words })),
      {
        kind: "figure",
        figure: {
          id: "similarity",
          caption: `One mark an answer${clouds.some(({ points }) => points.length === POINTS) ? `, at most ${POINTS} of an arm` : ""}. Cosines of embeddings.`,
          alt: `Similarity of answers to the tuned task over that of their instructions, for ${clouds.map(({ name }) => name).join(", ")}.`,
          svg: scatterFigure(clouds, { ...axes, alt: "Adherence to the tuned style" }),
        },
      },
      {
        kind: "table",
        table: {
          id: "similarity",
          caption: "Means of both axes and Spearman's rank correlation of them, with 95 % intervals over prompts.",
          columns: [
            { key: "arm", label: "arm" },
            { key: "answers", label: "answers", numeric: true },
            ...["instruction", "answer", "correlation"].flatMap((key) => [
              { key, label: key, numeric: true },
              { key: `${key}_low`, label: "", csvOnly: true },
              { key: `${key}_high`, label: "", csvOnly: true },
            ]),
          ],
          rows,
        },
      },
      ...words,
    ],
  };
}

/** Everything that decides a point besides its texts. */
function settingOf({ embedder, prefix, statistic }: SimilaritySummary): string {
  const by =
    embedder.kind === "server"
      ? `${embedder.model} at ${embedder.base_url}`
      : `${embedder.path} (${embedder.hash.slice(0, 16)}…), pooled by ${embedder.pooling}, at most ${embedder.max_tokens} tokens (${plural(embedder.cut, "text")} cut)`;
  const front = prefix === "" ? "no prefix" : `prefix “${prefix}”`;
  return `Embedded by ${by}; ${front}; ${statistic === "mean" ? "mean cosine" : "largest cosine"}.`;
}

/** What the study calls data of this content. */
const nameOf = ({ record }: StudyFolder, hash: string): string =>
  record.inputs.find((input) => input.role === "data" && input.hash === hash)?.name ?? hash.slice(0, 16);

/** One of each kind, in words. */
const KINDS = [
  ["highest_x", "the instruction nearest to the task"],
  ["median_x", "an instruction of middling nearness"],
  ["highest_y", "the answer most in the task's style"],
  ["lowest_y", "the answer least in the task's style"],
] as const;

const extremes = (name: string, found: SimilaritySummary["extremes"]): Block[] =>
  KINDS.flatMap(([key, why]) =>
    found[key].slice(0, 1).map(
      ({ instruction, output, x, y }): Block => ({
        kind: "answers",
        answers: {
          instruction,
          why: `${name}: ${why}`,
          answers: [{ arm: name, text: output, note: `instruction ${x.toFixed(3)}, answer ${y.toFixed(3)}` }],
        },
      }),
    ),
  );
