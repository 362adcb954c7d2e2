/**
 * Do answers keep the style of what was tuned on (section 5.2 and figure 5 of the paper)? One point an answer: how near its instruction is to
 * the task's, and how much nearer the answer is to the task's responses than to the reference's.
 */
import { type SimilaritySummary, similarityPointSchema, similaritySummarySchema } from "../../records/similarity.js";
import { plural } from "../../util/progress.js";
import {
  type Block,
  ends,
  figure,
  integer,
  interval,
  number,
  paragraph,
  quote,
  type Section,
  type Table,
  table,
  text,
} from "../document.js";
import { type Cloud, scatterFigure } from "../figures/scatter.js";
import { armName } from "../names.js";
import { shownPath } from "../paths.js";
import { readJsonOf, readLinesOf, type StudyFolder } from "../read.js";

/** Points drawn of one arm: a cloud of more is a blot. Those left out are said. */
const POINTS = 805;

type Similarity = StudyFolder["results"]["similarities"][number];

/** One arm and seed. */
interface Found {
  readonly one: Similarity;
  readonly name: string;
  readonly summary: SimilaritySummary;
  /** By its name; with that of the analysis where there are several. */
  readonly task: string;
}

export async function similarity(study: StudyFolder): Promise<Section | undefined> {
  const { similarities } = study.results;
  const analyses = new Set(similarities.map((one) => one.name));
  const found: Found[] = [];
  for (const one of similarities) {
    const summary = await readJsonOf(study, one.summary, similaritySummarySchema);
    const task = nameOf(study, summary.task.hash);
    const name = `${armName(study, one)}${one.seed === null ? "" : `, seed ${one.seed}`}`;
    found.push({ one, name, summary, task: analyses.size > 1 ? `${one.name}: ${task}` : task });
  }
  if (found.length === 0) return undefined;
  const tasks = [...new Set(found.map(({ task }) => task))];
  const blocks: Block[] = [];
  const words: Block[] = [];
  for (const task of tasks) {
    const arms = firstSeeds(found.filter((one) => one.task === task));
    const id = tasks.length === 1 ? "similarity" : `similarity-${task.replaceAll(": ", "-")}`;
    blocks.push(...(await plane(study, arms, id)));
    words.push(...arms.flatMap(({ name, summary }) => extremes(name, summary.extremes)));
  }
  const told = "Quoted and drawn is the first seed of every arm; the table has all.";
  blocks.push(paragraph(told), table(meansTable(found, tasks.length > 1)), ...words);
  return { id: "similarity", title: "Does it keep the style it was tuned on?", blocks };
}

function firstSeeds(found: readonly Found[]): Found[] {
  const arms = new Map<string, Found>();
  for (const one of found) {
    const key = armKey(one.one);
    if ((one.one.seed ?? 0) < (arms.get(key)?.one.seed ?? Number.POSITIVE_INFINITY)) arms.set(key, one);
  }
  return [...arms.values()];
}

const armKey = ({ model, arm }: Similarity): string => `${model}\n${arm}`;

/** Answers of several arms to the instructions of one task's plane. */
async function plane(study: StudyFolder, arms: readonly Found[], id: string): Promise<Block[]> {
  const clouds: (Cloud & { readonly all: number })[] = [];
  for (const { one, name } of arms) {
    const points = await readLinesOf(study, `${one.folder}/points.jsonl`, similarityPointSchema);
    clouds.push({ name, all: points.length, points: points.slice(0, POINTS).map(({ x, y }) => [x, y] as const) });
  }
  const task = arms[0]?.task ?? "";
  const references = new Set(arms.flatMap(({ summary }) => summary.reference?.hash ?? []));
  const reference = [...references].map((hash) => nameOf(study, hash)).join(", ");
  const means = arms.map(({ name, summary }) => {
    const [x, y] = [summary.mean_x.estimate, summary.mean_y.estimate].map((mean) => number(mean, 3).text);
    return `${name} ${x} and ${y}`;
  });
  return [
    paragraph(
      `To the right, instructions that resemble those of the task (${task}); upwards, answers that resemble the task's responses${
        references.size > 0 ? ` more than the reference's (${reference})` : ""
      }. Answers in the style of the task to instructions unlike it would lie on the upper left.`,
    ),
    ...[...new Set(arms.map(({ summary }) => settingOf(summary)))].map((words): Block => paragraph(words)),
    figure({
      id,
      caption: `One mark an answer, first seed of every arm${clouds.some(({ all }) => all > POINTS) ? `, at most ${POINTS} of an arm` : ""}. Cosines of embeddings.`,
      ...scatterFigure(clouds, {
        xAxis: "nearness of the instruction to the task's",
        yAxis:
          references.size > 0 ? "answer: to the task, less to the reference" : "nearness of the answer to the task's",
        alt: `Nearness of instructions to those of ${task}, and of answers to its responses, means: ${means.join(", ")}.`,
      }),
    }),
  ];
}

const meansTable = (found: readonly Found[], several: boolean): Table => ({
  id: "similarity",
  caption: "Means of both axes and Spearman's rank correlation of them, with 95 % intervals over prompts.",
  columns: [
    { key: "arm", label: "arm" },
    { key: "task", label: "task", csvOnly: !several },
    { key: "answers", label: "answers", numeric: true },
    ...["instruction", "answer", "correlation"].flatMap((key) => [{ key, label: key, numeric: true }, ...ends(key)]),
  ],
  rows: found.map(({ name, task, summary }) => [
    text(name),
    text(task),
    integer(summary.outputs.n),
    ...interval(summary.mean_x, { digits: 3 }),
    ...interval(summary.mean_y, { digits: 3 }),
    ...interval(summary.correlation, { digits: 3 }),
  ]),
});

/** Everything that decides a point besides its texts. */
function settingOf({ embedder, prefix, statistic }: SimilaritySummary): string {
  const by =
    embedder.kind === "server"
      ? `${embedder.model} at ${embedder.base_url}`
      : `${shownPath(embedder.path)} (${embedder.hash.slice(0, 16)}…), pooled by ${embedder.pooling}, at most ${embedder.max_tokens} tokens (${plural(embedder.cut, "text")} cut)`;
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
          answers: [{ arm: name, text: quote(output), note: `instruction ${x.toFixed(3)}, answer ${y.toFixed(3)}` }],
        },
      }),
    ),
  );
