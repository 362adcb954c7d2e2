import { expect, it } from "vitest";
import { winrateEntry } from "../../../test/winrate-entry.js";
import { studySchema } from "../../records/study-file.js";
import type { StudyFolder } from "../read.js";
import { headToHead } from "./head-to-head.js";

const SEEDS_ALONE = "95 % t interval over seeds alone";
const BOTH = "95 % t interval over prompts and 2 runs";

const spread = (values: readonly number[], method: string) => ({
  seeds: values.map((value, i) => ({ seed: i + 1, value })),
  mean: values.reduce((a, b) => a + b, 0) / values.length,
  sd: 1,
  interval: { estimate: values[0], low: 1, high: 99, n: 8, method },
});

/** Two arms with these length-controlled rates; the raw ones are 20 and 60. */
function studyOf(fitted: readonly (readonly number[] | null)[], seeds = 2): StudyFolder {
  const comparisons = fitted.map((values, i) => ({
    ...{ model: "base", arm: ["response", "untuned"][i], against: "instruction" },
    pairs: Array.from({ length: seeds }, () => ({
      summary: winrateEntry({ lc: { model: values === null ? null : "minimal" } }),
    })),
    win_rate: spread(Array(seeds).fill([20, 60][i]), BOTH),
    length_controlled: values === null ? null : spread(values, SEEDS_ALONE),
    published: i === 0 ? { Llama: { mean: 43.3 }, OLMo: { mean: 43.7 } } : null,
  }));
  const study = studySchema.parse({
    ...{ version: 1, name: "s", about: "x", models: { base: { path: "base" } }, data: {}, arms: {} },
  });
  return { folder: "", record: { study }, results: { comparisons } } as unknown as StudyFolder;
}

function shown(study: StudyFolder) {
  const blocks = headToHead(study)?.blocks ?? [];
  const [figure] = blocks.flatMap((block) => (block.kind === "figure" ? [block.figure] : []));
  const [text] = blocks.flatMap((block) => (block.kind === "text" ? [block.text] : []));
  return { figure: figure!, text: text! };
}

it("draws length-controlled rates where all arms have one, and says so, by which fit, and over what the intervals are", () => {
  const { figure, text } = shown(
    studyOf([
      [40, 44],
      [2, 4],
    ]),
  );
  expect(figure.alt).toBe(
    "Length-controlled win rate against instruction. response 42.0 percent, untuned 3.0 percent.",
  );
  expect(figure.caption).toBe(`Length-controlled win rate against instruction. Lines: ${SEEDS_ALONE}.`);
  expect(figure.svg).toContain("length-controlled win rate against instruction, %");
  expect(text).toContain("the interval over seeds alone");
  expect(text).toContain("(minimal: by length and arm, both penalised)");
  expect(text).toContain("length-controlled win rates judged by GPT-4, of the paper's own models");
});

it("draws raw rates of all where one has no other", () => {
  const { figure, text } = shown(studyOf([[40, 44], null]));
  expect(figure.alt).toBe("Win rate against instruction. response 20.0 percent, untuned 60.0 percent.");
  expect(figure.caption).toBe(`Win rate against instruction. Lines: ${BOTH}.`);
  expect(figure.svg).not.toContain("length-controlled");
  expect(text).toContain("the interval over prompts and seeds");
  expect(text).toContain("the figure is of the raw one");
});

it("has another open mark for every published model, named below", () => {
  const { svg } = shown(studyOf([null, null])).figure;
  const marks = [...svg.matchAll(/d="M([^"]*)Z" class="open"><title>/g)].map(([, points]) => points!.split("L").length);
  expect(marks).toEqual([4, 3]); // a diamond and a triangle
  for (const name of ["the paper's Llama", "the paper's OLMo"]) expect(svg).toContain(`>${name}</text>`);
});

it("never draws a rate whose penalty left nothing of the arm, of an older record for one, and says why", () => {
  const study = studyOf([
    [50, 50],
    [2, 4],
  ]);
  const [first] = study.results.comparisons;
  for (const { summary } of first!.pairs) Object.assign(summary, { weights: { length: 0, bias: 0 } });
  const { figure, text } = shown(study);
  expect(figure.alt).toBe("Win rate against instruction. response 20.0 percent, untuned 60.0 percent.");
  expect(text).toContain("It is undefined for response");
  const warned = headToHead(study)?.blocks.filter((block) => block.kind === "warning");
  expect(warned).toMatchObject([
    { text: expect.stringContaining("response: the penalty of the length-controlled fit") },
  ]);
});
