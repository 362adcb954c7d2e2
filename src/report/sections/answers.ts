/**
 * Answers of all arms to the same instruction side by side: some instructions by lot, and of every compared arm the ones it lost and won
 * most clearly. Nothing is picked by hand.
 */

import type { CheckedScore } from "../../records/annotations.js";
import type { Output } from "../../records/outputs.js";
import type { ComparisonResult } from "../../records/study.js";
import { randomStream } from "../../util/random.js";
import { type Answers, type Block, paragraph, quote, type Section } from "../document.js";
import { type ArmCells, armName, armsOf } from "../names.js";
import { readOutputs, readVerdicts, type StudyFolder, testAnswers } from "../read.js";
import { scoredAnswers } from "../scores.js";

const BY_LOT = 6;
const CASES = 2;
const LOT_SEED = 1;

interface Shown {
  readonly arm: ArmCells;
  readonly seed: number | null;
  readonly outputs: ReadonlyMap<string, Output>;
  /** By instruction; of a judge that scores nothing, none. */
  readonly scores: ReadonlyMap<string, CheckedScore>;
}

export async function answers(study: StudyFolder): Promise<Section | undefined> {
  const shown: Shown[] = [];
  for (const arm of armsOf(study)) {
    const cell = arm.chosen.find((one) => testAnswers(one) !== undefined);
    const place = cell === undefined ? undefined : testAnswers(cell);
    if (cell === undefined || place === undefined) continue;
    const outputs = await readOutputs(study, place.outputs);
    const [scored] = await scoredAnswers(study, arm, { seed: cell.seed });
    shown.push({
      arm,
      seed: cell.seed,
      outputs: new Map(outputs.map((output) => [output.instruction, output])),
      scores: scored?.scores ?? new Map(),
    });
  }
  const [first] = shown;
  if (first === undefined) return undefined;
  const common = [...first.outputs.keys()].filter((instruction) =>
    shown.every(({ outputs }) => outputs.has(instruction)),
  );
  const lot = randomStream(LOT_SEED, "answers shown in the report").shuffle(common).slice(0, BY_LOT);
  const blocks: Block[] = [
    paragraph(
      `${lot.length} instructions drawn by lot (seed ${LOT_SEED}) of the ${common.length.toLocaleString("en-US")} that every arm answered; of each arm its first seed.`,
    ),
    ...lot.map((instruction): Block => ({ kind: "answers", answers: sideBySide(shown, instruction, "by lot") })),
    ...(await cases(study, shown)),
  ];
  return { id: "answers", title: "Answers side by side", blocks };
}

const sideBySide = (shown: readonly Shown[], instruction: string, why: string): Answers => ({
  instruction,
  why,
  answers: shown.flatMap(({ arm, seed, outputs, scores }) => {
    const output = outputs.get(instruction);
    if (output === undefined) return [];
    const ended = output.stop === "eos" ? "ended by itself" : "cut off";
    const score = scores.get(instruction);
    return [
      {
        arm: `${arm.name}${seed === null ? "" : `, seed ${seed}`}`,
        text: quote(output.output),
        note: `${output.tokens} tokens, ${ended}${score === undefined ? "" : `, ${describeScore(score)}`}`,
      },
    ];
  }),
});

/** "score 0.85: about 1, facts 0.5, …" */
const describeScore = ({ total, parts = {} }: CheckedScore): string => {
  const all = Object.entries(parts).map(([part, value]) => `${part} ${Number(value.toFixed(2))}`);
  return `score ${total.toFixed(2)}${all.length === 0 ? "" : `: ${all.join(", ")}`}`;
};

/** Of each comparison the instructions with the lowest and the highest preference; equals by lot. */
async function cases(study: StudyFolder, shown: readonly Shown[]): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const comparison of study.results.comparisons) {
    const pair = comparison.pairs[0];
    if (pair === undefined) continue;
    const verdicts = await readVerdicts(study, pair.annotations);
    const both = shown.filter(
      ({ arm }) => arm.model === comparison.model && (arm.arm === comparison.arm || arm.arm === comparison.against),
    );
    if (both.length < 2) continue;
    const judged = verdicts.flatMap(({ instruction, preference }) =>
      preference !== null && both.every(({ outputs }) => outputs.has(instruction)) ? [{ instruction, preference }] : [],
    );
    blocks.push(...extremes(study, comparison, judged, both));
  }
  return blocks.length === 0
    ? []
    : [
        paragraph(
          "The clearest losses and wins of every arm in its comparison, first seed; of equals, those that the lot put first.",
        ),
        ...blocks,
      ];
}

function extremes(
  study: StudyFolder,
  comparison: ComparisonResult,
  judged: readonly { readonly instruction: string; readonly preference: number }[],
  both: readonly Shown[],
): Block[] {
  const order = randomStream(LOT_SEED, "cases shown in the report")
    .shuffle(judged)
    .sort((a, b) => a.preference - b.preference);
  const name = armName(study, comparison);
  const pick = (rows: readonly { readonly instruction: string; readonly preference: number }[], how: string): Block[] =>
    rows.map(
      ({ instruction, preference }): Block => ({
        kind: "answers",
        answers: sideBySide(
          both,
          instruction,
          `${name} ${how} (preferred with ${(100 * (preference - 1)).toFixed(0)} %)`,
        ),
      }),
    );
  return [
    ...pick(order.filter(({ preference }) => preference < 1.5).slice(0, CASES), "lost"),
    ...pick(
      order
        .filter(({ preference }) => preference > 1.5)
        .slice(-CASES)
        .reverse(),
      "won",
    ),
  ];
}
