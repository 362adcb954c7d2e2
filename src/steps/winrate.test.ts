import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { codePoints } from "../util/code-points.js";
import { agreement } from "./agreement.js";
import { openPromptIds } from "./winrate/prompt-ids.js";
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

const gamedModel = (n: number) => ({
  name: "verbose",
  lenModel: Array.from({ length: n }, (_, i) => 20 + (i % 7)),
  lenBaseline: Array.from({ length: n }, () => 15),
  preferenceStandIn: Array.from({ length: n }, (_, i) => 0.4 + (i % 3) / 10),
});

describe("instructions that differ in white space alone", () => {
  const listed = Array.from({ length: 40 }, (_, i) => `do ${i}:\n\n  - one\n  - two "caf\u00e9"\n`);
  const data = async (): Promise<string> => {
    const { mkdirSync, writeFileSync } = await import("node:fs");
    const folder = files.path("spaced");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "prompts.json"), JSON.stringify(listed.map((instruction) => ({ instruction }))));
    writeFileSync(join(folder, "instruction-difficulty.json"), JSON.stringify(listed.map((_, i) => (i % 9) / 4 - 1)));
    writeFileSync(join(folder, "gamed-baseline.json"), JSON.stringify({ rowWeight: 0.1, models: [gamedModel(40)] }));
    return folder;
  };
  const rows = listed.map((instruction, i) => row(i, 1 + ((i * 7) % 10) / 20, { instruction }));
  it.each([
    ["stripped", (text: string) => text.trim()],
    ["with CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["with a no-break space and a byte order mark", (text: string) => `\ufeff${text.replace(" ", "\u00a0")}`],
    ["in Unicode's decomposed form", (text: string) => text.normalize("NFD")],
  ])("%s: the same fit to the digit, and counted", async (name, change) => {
    const lcData = await data();
    const plain = (await winrate({ annotations: [write("plain.json", rows)], lcData, lcC: 100 })).models[0]!;
    const changed = rows.map((one, i) => (i % 8 === 0 ? { ...one, instruction: change(one.instruction) } : one));
    const moved = (await winrate({ annotations: [write(`${name}.json`, changed)], lcData, lcC: 100 })).models[0]!;
    expect(plain.lc).toMatchObject({ model: "v1", matched: { exact: 40, normalised: 0, foreign: 0 }, note: null });
    expect(moved.lc).toMatchObject({
      model: "v1",
      difficulty_by: "instruction",
      matched: { exact: 35, normalised: 5, foreign: 0 },
    });
    expect(moved.length_controlled_winrate).toBe(plain.length_controlled_winrate);
    expect(moved.ledger).toMatchObject({ absent: 0, repeated: 0, normalised: 5 });
    expect(moved.warnings.join()).toContain("5 rows have their instruction with other white space");
  });
  it("pairs models by them, and keeps apart what a list has twice", async () => {
    const stripped = rows.map((one) => ({ ...one, instruction: one.instruction.trim(), generator_2: "other" }));
    const { comparisons } = await winrate({
      annotations: [write("w1.json", rows), write("w2.json", stripped)],
      compare: "all",
    });
    expect(comparisons).toMatchObject([{ prompts: 40, left_out: 0 }]);
    const ids = openPromptIds(["a b", "a  b", "c"]);
    expect(["a b", "a  b", "c", " c\n"].map((text) => ids.of(text).id)).toEqual([0, 1, 2, 2]);
    expect(ids.of("a\tb").id).toBe(3); // either of the two: none is taken
  });
});

describe("the scale of preferences", () => {
  const cases: readonly [string, readonly (number | null)[]][] = [
    ["zeros and ones", [1, 0, 0, 1, 0, null]],
    ["with halves", [1, 0, 0.5, 1, 0]],
    ["shares", [0.3, 0.8, 0.55]],
    ["zeros", [0, 0, 0]],
    ["of signs", [-1, 0, 1]],
    ["with a damaged one", [0, 1, 0, 1, 0, 1, 100]],
  ];
  it.each(cases)(
    "%s, none above 1: refused with the remedy, by winrate and by agreement",
    async (name, preferences) => {
      const file = write(
        `scale ${name}.json`,
        preferences.map((preference, i) => row(i, preference)),
      );
      for (const command of [winrate, agreement] as const) {
        await expect(command({ annotations: [file] })).rejects.toMatchObject({
          message: expect.stringContaining("no preference is above 1"),
          remedy: expect.stringContaining('scale: "0..1"'),
        });
      }
    },
  );
  it("0..1: 1 is the model's win, 0 its loss and one half a draw; 1..2 by name reads old files of losses and draws", async () => {
    const file = write(
      "scale.json",
      [1, 1, 1, 0, 0.5, 0.25].map((preference, i) => row(i, preference)),
    );
    const { models } = await winrate({ annotations: [file], scale: "0..1" });
    expect(models[0]).toMatchObject({ n_wins: 3, n_wins_base: 2, n_draws: 1, n_total: 6 });
    expect(models[0]?.win_rate).toBeCloseTo((100 * 3.75) / 6, 9);
    expect((await agreement({ annotations: [file], scale: "0..1" })).raters[0]).toMatchObject({
      model_wins: 3,
      ties: 1,
    });
    const old = write(
      "scale-old.json",
      [1, 0, 0, 1].map((preference, i) => row(i, preference)),
    );
    expect((await winrate({ annotations: [old], scale: "1..2" })).models[0]).toMatchObject({
      n_draws: 2,
      n_wins_base: 2,
    });
    const mixed = write(
      "scale-mixed.json",
      [1, 0, 0, 2].map((preference, i) => row(i, preference)),
    );
    expect((await winrate({ annotations: [mixed] })).models[0]).toMatchObject({
      n_draws: 2,
      n_wins: 1,
      n_wins_base: 1,
    });
    await expect(winrate({ annotations: [mixed], scale: "0..1" })).rejects.toThrow(
      "a preference is 2, which the scale 0..1",
    );
  });
  it("warns of a foreign file in which every preference is 1, and not of ours", async () => {
    const warnings = async (name: string, more: Partial<Row>) =>
      (
        await winrate({
          annotations: [
            write(
              name,
              [0, 1, 2].map((i) => row(i, 1, more)),
            ),
          ],
        })
      ).models[0]?.warnings.join();
    expect(await warnings("ones.json", {})).toContain("every preference is 1");
    expect(await warnings("ones-ours.json", { outcome: "judged" })).not.toContain("every preference is 1");
  });
  it.each([
    ["-1..1", [-1, 1, 1, -1, 1, 0, 1, -1], "3 of 8 preferences are on neither scale, 0..1 or 1..2 (one is -1)"],
    ["of another kind", [0.5, 1, -7, 2.5], "2 of 4 preferences are on neither scale, 0..1 or 1..2 (one is -7)"],
    ["0..100", [0, 50, 100, 100, 0, 0, 50, 100], "5 of 8 preferences are on neither scale, 0..1 or 1..2 (one is 50)"],
  ])("%s is none that is read here, whatever scale is named", async (name, preferences, line) => {
    const file = write(
      `scale ${name}.json`,
      preferences.map((preference, i) => row(i, preference)),
    );
    for (const scale of [undefined, "0..1", "1..2"] as const) {
      const asked = winrate({ annotations: [file], ...(scale === undefined ? {} : { scale }) });
      await expect(asked).rejects.toMatchObject({
        message: expect.stringContaining(line),
        remedy: "convert them to one of these",
      });
    }
  });
});

describe("a rate", () => {
  const same = { output_1: "same", output_2: "same" };
  it("does not come from identical outputs alone, and does of a model against itself", async () => {
    const rows = [row(0, 1.5, same), row(1, 1.5, same), row(2, null, { outcome: "failed" })];
    const { models } = await winrate({ annotations: [write("same.json", rows)] });
    expect(models[0]).toMatchObject({
      win_rate: null,
      discrete_win_rate: null,
      length_controlled_winrate: null,
      n_draws: 2,
    });
    expect(models[0]?.bounds).toMatchObject({ low: expect.closeTo(100 / 3, 9), high: expect.closeTo(200 / 3, 9) });
    expect(models[0]?.warnings.join()).toContain("all 2 verdicts are draws of identical outputs");
    const judged = await winrate({ annotations: [write("same2.json", [...rows, row(3, 2)])] });
    expect(judged.models[0]?.win_rate).toBeCloseTo(200 / 3, 9);
    const own = rows.slice(0, 2).map((one) => ({ ...one, generator_2: "base" }));
    expect((await winrate({ annotations: [write("own.json", own)] })).models[0]).toMatchObject({ win_rate: 50 });
  });
  it("of verdicts that are all the same has an interval with a width", async () => {
    const { models } = await winrate({
      annotations: [
        write(
          "won.json",
          Array.from({ length: 24 }, (_, i) => row(i, 2)),
        ),
      ],
    });
    const { win_rate, length_controlled_winrate: lc } = models[0]!.intervals;
    expect(win_rate).toMatchObject({ estimate: 100, high: 100 });
    expect(win_rate.low).toBeCloseTo((100 * 24) / (24 + 1.959964 ** 2), 3); // Wilson's at n of n
    expect(lc.low).toBeGreaterThan(60);
    expect(lc.low).toBeLessThan(95);
    expect(models[0]?.lc_standard_error).toBeGreaterThan(0);
  });
});

describe("numbers beside annotations", () => {
  const csv = (change: (rows: string[]) => void) => {
    const rows = ["model,preference,index,std_delta_len,instruction_difficulty"];
    for (let i = 0; i < 20; i++) rows.push(`verbose,0.${1 + (i % 8)},${i},${(i % 5) - 2}.5,0.${i % 7}`);
    change(rows);
    return `${rows.join("\n")}\n`;
  };
  it.each([
    ["inf", 3, "verbose,0.5,2,inf,0.1", "std_delta_len is inf"],
    ["Infinity", 3, "verbose,0.5,2,0.2,Infinity", "instruction_difficulty is Infinity"],
    ["an overflow", 5, "verbose,0.5,4,-1e999,0.1", "std_delta_len is -1e999"],
    ["a hexadecimal", 5, "verbose,0x1,4,0.1,0.1", "preference is 0x1"],
    ["NaN", 5, "verbose,NaN,4,0.1,0.1", "preference is NaN"],
    ["beyond its range", 5, "verbose,1.5,4,0.1,0.1", "preference is 1.5"],
    ["a huge difficulty", 5, "verbose,0.5,4,0.1,1e300", "instruction_difficulty is 1e300"],
    ["half an index", 5, "verbose,0.5,4.5,0.1,0.1", "index is 4.5"],
    ["an empty cell", 5, "verbose,0.5,4,,0.1", "std_delta_len is empty"],
  ])("%s is refused with file and row", async (name, line, text, message) => {
    const { mkdirSync } = await import("node:fs");
    const lcData = files.path(`csv ${name}`);
    mkdirSync(lcData, { recursive: true });
    files.write(
      `csv ${name}/df_gamed.csv`,
      csv((rows) => void rows.splice(line - 1, 1, text)),
    );
    await expect(winrate({ annotations: [write("z.json", madeUp)], lcData })).rejects.toThrow(
      `df_gamed.csv:${line}: ${message}`,
    );
  });
  it.each([
    ["instruction-difficulty.json", "[0.1, 1e999, 0.2]", "instruction-difficulty.json: [1]: "],
    ["instruction-difficulty.json", "[0.1, 0.2, 1e200]", "instruction-difficulty.json: [2]: "],
  ])("%s %s", async (file, text, message) => {
    const { mkdirSync } = await import("node:fs");
    const name = `json ${text.length}`;
    mkdirSync(files.path(name), { recursive: true });
    files.write(`${name}/${file}`, text);
    await expect(winrate({ annotations: [write("z.json", madeUp)], lcData: files.path(name) })).rejects.toThrow(
      message,
    );
  });
  it("a preference that JSON makes infinite is refused with its line, and --lc-c has nothing to fix in length", async () => {
    const text = JSON.stringify([row(0, 1), row(1, 123)])
      .replace("123", "1e999")
      .replace("},{", "},\n{");
    await expect(winrate({ annotations: [files.write("inf.json", text)] })).rejects.toThrow(
      /inf\.json, row 2 .*preference/,
    );
    await expect(winrate({ annotations: [write("z.json", madeUp)], lcC: 1 })).rejects.toThrow(
      "no penalty whose strength",
    );
  });
});

describe("winrate", () => {
  it("gives the same figures for an array, for lines, and in another order of rows", async () => {
    const array = await winrate({ annotations: [write("a.json", madeUp)] });
    const lines = await winrate({ annotations: [write("b.jsonl", madeUp)] });
    const { file: _a, ...one } = array.models[0]!;
    const { file: _b, ...two } = lines.models[0]!;
    expect(two).toEqual(one);
    const turned = await winrate({ annotations: [write("c.json", madeUp.toReversed())], lc: "minimal", lcC: 1 });
    const straight = await winrate({ annotations: [write("d.json", madeUp)], lc: "minimal", lcC: 1 });
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

  it("fits foreign instructions by length and says so, refuses a fit by name that cannot be had, and v1 without data", async () => {
    const lcData = files.path("lc");
    const { mkdirSync, writeFileSync } = await import("node:fs");
    mkdirSync(lcData, { recursive: true });
    const listed = madeUp.slice(0, 60).map(({ instruction }) => ({ instruction }));
    writeFileSync(join(lcData, "prompts.json"), JSON.stringify(listed));
    writeFileSync(join(lcData, "instruction-difficulty.json"), JSON.stringify(listed.map((_, i) => (i % 9) / 4 - 1)));
    const foreign = Array.from({ length: 30 }, (_, i) => row(i, 1 + (i % 4) / 4));
    await expect(winrate({ annotations: [write("f.json", foreign)], lc: "noreg", lcData })).rejects.toThrow(
      'lc: "noreg" cannot be fitted: 30 of 30 instructions are not in',
    );
    const own = await winrate({ annotations: [write("g.json", madeUp.slice(3))], lc: "noreg", lcData });
    expect(own.models[0]).toMatchObject({
      lc: {
        model: "noreg",
        difficulty_by: "instruction",
        note: null,
        matched: { exact: 57, normalised: 0, foreign: 0 },
      },
      ledger: { absent: 3 },
    });
    writeFileSync(join(lcData, "gamed-baseline.json"), JSON.stringify({ rowWeight: 0.1, models: [gamedModel(60)] }));
    const edited = madeUp
      .slice(0, 60)
      .map((one, i) => (i < 2 ? { ...one, instruction: `${one.instruction} please` } : one));
    const { models } = await winrate({ annotations: [write("f2.json", edited)], lcData });
    expect(models[0]).toMatchObject({
      lc: {
        model: "length",
        matched: { exact: 58, foreign: 2 },
        note: expect.stringContaining("2 of 60 instructions are not in"),
      },
    });
    expect(models[0]?.warnings.join()).toContain("fitted by length, which needs no difficulties, in place of v1");
    await expect(winrate({ annotations: [write("h.json", madeUp)], lc: "v1" })).rejects.toThrow(
      "needs the instructions' difficulties",
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
        { name: "ours", file: run("s0.json", 5) },
        { name: "ours", file: run("s1.json", 3) },
        {
          name: "base",
          file: write(
            "t.json",
            Array.from({ length: 30 }, (_, i) => row(i, 1.1)),
          ),
        },
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
    await expect(winrate({ annotations: [other, { name: "a", file: other }] })).rejects.toThrow("named twice");
    await expect(winrate({ annotations: [`a=${other}`] })).rejects.toThrow("no such file"); // syntax of the command line alone
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
