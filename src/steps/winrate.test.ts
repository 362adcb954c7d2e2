import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { agreement } from "./agreement.js";
import { codePoints } from "./winrate/read-annotations.js";
import { winrate } from "./winrate.js";

const files = temporaryFolder();
const fixture = (name: string) => join(import.meta.dirname, "..", "..", "test", "fixtures", "winrate", name);
const official = JSON.parse(readFileSync(fixture("expected.json"), "utf8")) as Record<string, Record<string, number>>;
const madeUp = JSON.parse(readFileSync(fixture("annotations.json"), "utf8")) as Row[];

interface Row {
  instruction: string;
  output_1: string;
  output_2: string;
  generator_1: string;
  generator_2: string;
  annotator: string;
  preference: number | null;
  outcome?: string;
  calls?: object[];
}
const row = (i: number, preference: number | null, more: Partial<Row> = {}): Row => ({
  instruction: `do ${i}`,
  output_1: "b".repeat(10 + (i % 7)),
  output_2: "m".repeat(10 + (i % 5)),
  generator_1: "base",
  generator_2: "model",
  annotator: "judge",
  preference,
  ...more,
});
const write = (name: string, rows: readonly Row[]) =>
  files.write(name, name.endsWith("l") ? rows.map((one) => `${JSON.stringify(one)}\n`).join("") : JSON.stringify(rows));

describe("the official package's figures on odd rows", () => {
  it.each(["v1", "noreg", "minimal"] as const)("%s", async (lc) => {
    const folds = fixture("folds.json");
    const lcData = files.path("official");
    await import("node:fs").then(({ mkdirSync, copyFileSync }) => {
      mkdirSync(lcData, { recursive: true });
      copyFileSync(fixture("df_gamed.csv"), join(lcData, "df_gamed.csv"));
    });
    const { models } = await winrate({
      annotations: [fixture("annotations.json")],
      lc,
      lcData,
      folds,
      compat: "alpaca_eval",
    });
    const entry = models[0] as unknown as Record<string, number>;
    const expected = official[`length_controlled_${lc}`]!;
    for (const key of [
      "win_rate",
      "standard_error",
      "discrete_win_rate",
      "n_wins",
      "n_wins_base",
      "n_draws",
      "n_total",
    ]) {
      expect(entry[key]).toBeCloseTo(expected[key]!, 9);
    }
    // liblinear stops at a tolerance of 1e-4; few rows make its distance from the optimum larger than on 805
    expect(Math.abs(entry.length_controlled_winrate! - expected.length_controlled_winrate!)).toBeLessThan(0.05);
    expect(Math.abs(entry.lc_standard_error! - expected.lc_standard_error!)).toBeLessThan(0.05);
  });
});

describe("winrate", () => {
  it("gives the same figures for an array, for lines, and in another order of rows", async () => {
    const array = await winrate({ annotations: [write("a.json", madeUp)] });
    const lines = await winrate({ annotations: [write("b.jsonl", madeUp)] });
    const { file: _a, ...one } = array.models[0]!;
    const { file: _b, ...two } = lines.models[0]!;
    expect(two).toEqual(one);
    const turned = await winrate({ annotations: [write("c.json", madeUp.toReversed())], lcC: 1 });
    const straight = await winrate({ annotations: [write("d.json", madeUp)], lcC: 1 });
    expect(turned.models[0]!.length_controlled_winrate).toBeCloseTo(straight.models[0]!.length_controlled_winrate!, 9);
    expect(turned.models[0]!.win_rate).toBeCloseTo(straight.models[0]!.win_rate!, 9);
  });

  it("accounts for every row, and gives bounds where verdicts are missing", async () => {
    const rows = [
      row(0, 2),
      row(1, 1),
      row(2, 1.5),
      row(3, 1.8, { outcome: "judged" }),
      row(4, null, { outcome: "refused" }),
      row(5, null, { outcome: "failed" }),
      row(6, null),
      row(7, 3),
      row(8, 1.5, { output_1: "same", output_2: "same" }),
      row(0, 2),
    ];
    const { models } = await winrate({ annotations: [write("ledger.json", rows)], lc: "none" });
    const [entry] = models;
    expect(entry?.ledger).toMatchObject({
      n: 10,
      judged: 5,
      identical: 1,
      refused: 1,
      failed: 1,
      unexplained: 1,
      out_of_range: 1,
      ties: 2,
      repeated: 1,
    });
    expect(entry).toMatchObject({
      n_total: 6,
      n_wins: 3,
      n_wins_base: 1,
      n_draws: 2,
      length_controlled_winrate: null,
      c: null,
    });
    expect(entry?.win_rate).toBeCloseTo(380 / 6, 9);
    expect(entry?.bounds?.low).toBeCloseTo(38, 9);
    expect(entry?.bounds?.high).toBeCloseTo(78, 9);
    expect(entry?.intervals.win_rate).toMatchObject({ n: 6, method: expect.stringContaining("5 clusters") });
  });

  it("has no figure without a verdict, never a zero", async () => {
    const { models } = await winrate({ annotations: [write("none.json", [row(0, null), row(1, null)])] });
    expect(models[0]).toMatchObject({
      win_rate: null,
      standard_error: null,
      discrete_win_rate: null,
      length_controlled_winrate: null,
      n_total: 0,
      bounds: { low: 0, high: 100 },
    });
    expect(models[0]?.lc.note).toBe("no row has a verdict");
  });

  it("says that foreign instructions get the minimal fit, and refuses v1 without data", async () => {
    const lcData = files.path("lc");
    const { mkdirSync, writeFileSync } = await import("node:fs");
    mkdirSync(lcData, { recursive: true });
    const listed = madeUp.slice(0, 60).map(({ instruction }) => ({ instruction }));
    writeFileSync(join(lcData, "prompts.json"), JSON.stringify(listed));
    writeFileSync(join(lcData, "instruction-difficulty.json"), JSON.stringify(listed.map((_, i) => (i % 9) / 4 - 1)));
    const foreign = await winrate({
      annotations: [
        write(
          "f.json",
          Array.from({ length: 30 }, (_, i) => row(i, 1 + (i % 4) / 4)),
        ),
      ],
      lc: "noreg",
      lcData,
    });
    expect(foreign.models[0]?.lc).toMatchObject({
      model: "minimal",
      difficulty_by: null,
      note: expect.stringContaining("30 instructions are not in"),
    });
    const own = await winrate({ annotations: [write("g.json", madeUp.slice(3))], lc: "noreg", lcData });
    expect(own.models[0]).toMatchObject({
      lc: { model: "noreg", difficulty_by: "instruction", note: null },
      ledger: { absent: 3 },
    });
    await expect(winrate({ annotations: [write("h.json", madeUp)], lc: "v1" })).rejects.toThrow(
      "needs the instructions' difficulties",
    );
    await expect(winrate({ annotations: [write("i.json", madeUp)], lc: "v1", lcData })).rejects.toThrow(
      "no gamed baselines",
    );
    await expect(
      winrate({ annotations: [write("j.json", madeUp)], folds: fixture("folds.json"), lcData, lc: "minimal" }),
    ).resolves.toBeDefined();
  });

  it("treats files of one name as runs, compares models on shared prompts, and refuses two judges in one table", async () => {
    const run = (name: string, shift: number) =>
      write(
        name,
        Array.from({ length: 40 }, (_, i) => row(i, 1 + ((i * 7 + shift) % 10) / 10)),
      );
    const summary = await winrate({
      annotations: [
        `ours=${run("s0.json", 5)}`,
        `ours=${run("s1.json", 3)}`,
        `base=${write(
          "t.json",
          Array.from({ length: 30 }, (_, i) => row(i, 1.1)),
        )}`,
      ],
      lc: "none",
    });
    expect(summary.runs).toMatchObject([{ name: "ours", win_rate: { n: 2, mean: 45 } }]);
    expect(summary.comparisons).toMatchObject([
      { a: "ours", b: "base", prompts: 30, left_out: 10, mcnemar: { only_b: 0 } },
    ]);
    expect(summary.comparisons[0]?.difference.low).toBeGreaterThan(0);
    const other = write("k.json", [row(0, 2, { annotator: "another" })]);
    await expect(winrate({ annotations: [run("l.json", 1), other] })).rejects.toThrow("come from 2 judges");
    await expect(winrate({ annotations: [other, other] })).rejects.toThrow("named twice");
  });

  it("refuses what is no annotation, with its place", async () => {
    await expect(
      winrate({ annotations: [files.write("m.json", '[{"instruction":"x","output":"y"}]')] }),
    ).rejects.toThrow("m.json, row 1: no annotation");
    await expect(winrate({ annotations: [files.write("n.json", "[]")] })).rejects.toThrow("has no annotations");
    await expect(winrate({ annotations: [write("o.json", [row(0, 2, { outcome: "failed" })])] })).rejects.toThrow(
      '"failed" and has the preference 2',
    );
    await expect(winrate({ annotations: [files.path("absent.json")] })).rejects.toThrow("no such file or folder");
  });

  it("counts code points", () => {
    expect(["abc", "a😀c", "", "\ud83d", "\ude00\ud83d", "😀😀"].map(codePoints)).toEqual([3, 3, 0, 1, 2, 2]);
  });
});

describe("agreement", () => {
  it("recognises pairs by their texts, whichever output a file calls the baseline's", async () => {
    const rows = Array.from({ length: 12 }, (_, i) =>
      row(i, i % 3 === 0 ? 1.5 : i % 2 === 0 ? 2 : 1, { output_2: `m${i}` }),
    );
    const turned = rows.map((one) => ({
      ...one,
      annotator: "people",
      output_1: one.output_2,
      output_2: one.output_1,
      preference: 3 - one.preference!,
    }));
    const { raters, pairs } = await agreement({ annotations: [write("p.json", rows), write("q.jsonl", turned)] });
    expect(pairs).toMatchObject([
      { shared: 12, undecided: 0, n: 12, agreement: { estimate: 1 }, kappa: { estimate: 1 } },
    ]);
    expect(raters.map(({ model_wins, baseline_wins, ties }) => [model_wins, ties, baseline_wins])).toEqual([
      [4, 4, 4],
      [4, 4, 4],
    ]);
    const other = rows.map((one, i) => ({
      ...one,
      annotator: "other",
      preference: i < 6 ? one.preference : 3 - one.preference!,
    }));
    const [pair] = (await agreement({ annotations: [write("r.json", rows), write("s.json", other)] })).pairs;
    expect(pair).toMatchObject({ agreement: { estimate: 8 / 12 }, agreement_without_ties: { estimate: 0.5 } });
    expect(pair?.confusion).toEqual([
      [2, 0, 2],
      [0, 4, 0],
      [2, 0, 2],
    ]);
  });

  it("measures position bias and flips from the calls", async () => {
    const first = { outcome: "judged", reason: undefined };
    const rows = [0, 1, 2, 3].map((i) =>
      row(i, i === 3 ? 2 : 1.5, {
        calls: [
          { switched: false, preference: i === 3 ? 2 : 1, ...first },
          { switched: true, preference: 2, ...first },
        ],
      }),
    );
    const { raters } = await agreement({ annotations: [write("u.json", rows)] });
    expect(raters[0]).toMatchObject({
      order_from: "calls",
      flip_rate: { estimate: 0.75, n: 4 },
      first_wins: { estimate: 7 / 8, n: 8 },
    });
  });
});
