import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { winrateEntry } from "../../test/winrate-entry.js";
import type { StudyResults } from "../records/study.js";
import { studySchema } from "../records/study-file.js";
import { sha256 } from "../util/files.js";
import { csv } from "./csv.js";
import type { Section, Table } from "./document.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import { makeReport, report } from "./report.js";
import { escapeXml, scale } from "./svg.js";

const files = temporaryFolder();
let folders = 0;

const HOSTILE =
  '</pre><script>alert(1)</script>\n# heading\n```\n![x](http://example.org/x.png)\n=1+1 "quoted" & \u0000\u0007\u001b[31m\u009b\uD800';

const estimate = (value: number) => ({ estimate: value, low: value - 5, high: value + 5, n: 3, method: "a test" });
const spread = (values: readonly number[]) => ({
  seeds: values.map((value, i) => ({ seed: i + 1, value })),
  mean: values.reduce((a, b) => a + b, 0) / values.length,
  sd: null,
  interval: estimate(values[0] ?? 0),
});

const INSTRUCTIONS = ["What is rain?", "Name a town.", HOSTILE];

const SCORES = [
  { total: 0.875, parts: { facts: 1, [HOSTILE]: 0.75 } },
  { total: 0.25, parts: { facts: 0, [HOSTILE]: 0.5 } },
] as const;

const generateRun = (arm: string) => ({
  ...{ version: 1, command: "generate", tacit: "0.0.0", engine: "embedded", generator: arm },
  ...{ model: { path: "base", hash: "0" }, prompts: { source: "prompts.jsonl", count: 3, hash: "0" } },
  ...{ template: "<|user|>\n{instruction}", trimmed: true, bos: "auto" },
  rules:
    arm === "rules"
      ? { name: "paper", path: "paper.yaml", hash: "ff", disabled: ["eos"], unresolved: [HOSTILE, "<b>"] }
      : null,
  options: {
    ...{ max_new_tokens: 512, temperature: 0, seed: 0, stop_ids: [2], batch: 1, precision: "f32" },
    ...{ threads: 2, limit: null },
  },
  outcome: { eos: 3, length: 0, tokens: 27, computed: 3, reused: 0, duplicates: 0 },
  timings: { seconds: 1, decode_seconds: 1 },
});

/** A study's folder with two arms whose answers were judged; what a model says is as bad as it can be. */
async function studyFolder({ checked = false } = {}): Promise<string> {
  const folder = files.path(`study-${folders++}`);
  await mkdir(folder);
  const study = studySchema.parse({
    version: 1,
    name: "small",
    about: `Does it escape ${HOSTILE}?`,
    models: { base: { path: "base" } },
    data: { prompts: "prompts.jsonl" },
    arms: { untuned: { kind: "untuned", about: HOSTILE }, rules: { kind: "rules" } },
  });
  const cell = (arm: string) => ({
    model: "base",
    arm,
    seed: null,
    epochs: null,
    chosen: true,
    tuning: null,
    answers: [
      {
        split: "test" as const,
        step: `generate/base/${arm}`,
        outputs: `steps/${arm}/outputs.json`,
        run: `steps/${arm}/outputs.run.json`,
        counts: { answers: 3, stopped: 1, echoes: 1, tags: 0, empty: 0, mean_tokens: 7.5 },
      },
    ],
  });
  const results: StudyResults = {
    version: 1,
    name: "small",
    state: "failed",
    steps: [
      {
        id: "generate/base/rules",
        kind: "generate",
        key: "k",
        folder: "steps/rules",
        needs: [],
        state: "done",
        reason: null,
      },
      {
        ...{ id: "rank/base", kind: "rank", key: "k", folder: null, needs: [] },
        ...{ state: "failed", reason: HOSTILE, remedy: "free some memory" },
      },
    ],
    cells: [cell("untuned"), cell("rules")],
    choices: [],
    comparisons: [
      {
        model: "base",
        arm: "rules",
        against: "untuned",
        pairs: [
          {
            seed: null,
            epochs: null,
            against_seed: null,
            against_epochs: null,
            annotations: "steps/judge/annotations.json",
            summary: winrateEntry({
              n_total: 2,
              ledger: { ties: 1, refused: 1 },
              bounds: { low: 40, high: 73 },
              warnings: [HOSTILE],
            }),
          },
        ],
        win_rate: spread([60]),
        length_controlled: null,
        published: { "Llama-2-7B": { mean: 24.4, sd: 0.4 } },
      },
    ],
    rankings: [],
    similarities: [],
    left_out: [{ what: "a comparison", reason: "no judge" }],
  };
  const put = async (path: string, value: unknown): Promise<void> => {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), JSON.stringify(value));
  };
  await put("study.json", {
    version: 1,
    command: "study",
    tacit: "0.0.0",
    source: { path: "small.yaml", sha256: "0" },
    ...{ scale: null, flags: {} },
    study,
    inputs: [{ role: "model", name: "base", path: "base", hash: "abcdef0123456789ff" }],
    settings: { engine: "embedded", threads: 2 },
  });
  await put("results.json", results);
  for (const arm of ["untuned", "rules"]) {
    await put(
      `steps/${arm}/outputs.json`,
      INSTRUCTIONS.map((instruction) => ({ instruction, output: HOSTILE, generator: arm, tokens: 9, stop: "eos" })),
    );
    await put(`steps/${arm}/outputs.run.json`, generateRun(arm));
  }
  await put(
    "steps/judge/annotations.json",
    INSTRUCTIONS.map((instruction, i) => ({
      instruction,
      preference: [1, 2, null][i],
      ...(checked && i < 2 ? { score_1: SCORES[i], score_2: SCORES[1 - i] } : {}),
    })),
  );
  return folder;
}

const tableOf = (sections: readonly Section[], id: string): Table =>
  sections
    .flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === "table" ? [block.table] : [])))
    .find((table) => table.id === id)!;

describe("a report", () => {
  it("is one page without network or script, in which text of models is text", async () => {
    const page = [...html(await makeReport(await studyFolder()))].join("");
    expect(page).not.toMatch(/<script|<img|<link|<iframe|\son\w+=|src=|url\(|href="(?!#)/i);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page).toContain("default-src 'none'");
    expect(page).not.toContain("\u0000");
    expect(page).not.toMatch(/[\uD800-\uDFFF]/u);
    for (const id of page.matchAll(/href="#([^"]*)"/g)) expect(page).toContain(`id="${id[1]}"`);
  });

  it("has every opened element closed, and a heading, scope or title where a reader without eyes needs one", async () => {
    const page = [...html(await makeReport(await studyFolder()))].join("");
    for (const name of ["section", "table", "figure", "svg", "article", "pre", "div", "tr", "p"])
      expect(page.split(`<${name}`).filter((rest) => /^[\s>]/.test(rest)).length, name).toBe(
        page.split(`</${name}>`).length - 1,
      );
    for (const [cell] of page.matchAll(/<th[\s>][^>]*/g)) expect(cell).toMatch(/scope="(row|col)"/);
    for (const [svg] of page.matchAll(/<svg[^>]*/g)) expect(svg).toMatch(/role="img" aria-label="[^"]*\d[^"]*"/);
  });

  it("says what failed, what is missing and how far the win rate can be off", async () => {
    const { sections } = await makeReport(await studyFolder());
    const warnings = sections.flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.kind === "warning" ? [block.text] : [])),
    );
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringContaining("1 step failed"),
        "Left out: a comparison: no judge.",
        expect.stringMatching(/^Failed: rank\/base: .*\(free some memory\)$/s),
        expect.stringContaining("rules: </pre>"),
      ]),
    );
    const tables = sections.flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.kind === "table" ? [block.table] : [])),
    );
    const table = tables.find(({ id }) => id === "head-to-head-base-untuned");
    const row = Object.fromEntries(table?.columns.map(({ key }, i) => [key, table.rows[0]?.[i]?.value]) ?? []);
    expect(row).toMatchObject({
      arm: "rules",
      win_rate: 60,
      win_rate_low: 55,
      win_rate_high: 65,
      length_controlled_winrate: null,
      n: 2,
      ties: 1,
      without_verdict: 1,
      low_bound: 40,
      high_bound: 73,
      "published_Llama-2-7B": 24.4,
      "published_Llama-2-7B_sd": 0.4,
    });
  });

  it("says of every arm which rules made its answers, and what of them did not", async () => {
    const { sections } = await makeReport(await studyFolder());
    const { columns, rows } = tableOf(sections, "generation");
    expect(columns.map(({ key }) => key)).toEqual([
      ...["arm", "rules", "rules_sha256", "left_out", "not_applied", "template", "trimmed"],
      ...["max_new_tokens", "temperature"],
    ]);
    const template = "<|user|>\n{instruction}";
    expect(rows.map((row) => row.map(({ value }) => value))).toEqual([
      ["untuned", "none", null, null, null, template, "yes", 512, 0],
      ["rules", "paper", "ff", "eos", `${JSON.stringify(HOSTILE)}, "<b>"`, template, "yes", 512, 0],
    ]);
  });

  it("gives the reason of every step that was not carried out", async () => {
    const { sections } = await makeReport(await studyFolder());
    expect(tableOf(sections, "steps").rows.map((row) => row.map(({ value }) => value))).toEqual([
      ["generate/base/rules", "done", null, "steps/rules"],
      ["rank/base", "failed", HOSTILE, "–"],
    ]);
  });

  it("shows the clearest loss and win of the compared arm", async () => {
    const { sections } = await makeReport(await studyFolder());
    const shown = sections.flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.kind === "answers" ? [block.answers] : [])),
    );
    const why = (instruction: string) => shown.filter((one) => one.instruction === instruction).map((one) => one.why);
    expect(why("What is rain?")).toContain("rules lost (preferred with 0 %)");
    expect(why("Name a town.")).toContain("rules won (preferred with 100 %)");
    expect(why(HOSTILE)).toEqual(["by lot"]);
  });

  it("shows what the scores of a checker are made of, of both sides of a comparison and beside every answer", async () => {
    const { sections } = await makeReport(await studyFolder({ checked: true }));
    const blocks = sections.flatMap((section) => section.blocks);
    const table = blocks
      .flatMap((block) => (block.kind === "table" ? [block.table] : []))
      .find(({ id }) => id === "scores");
    expect(table?.columns.map(({ key }) => key)).toEqual(["arm", "answers", "right", "score", "facts", HOSTILE]);
    expect(table?.rows.map((row) => row.map(({ value }) => value))).toEqual([
      ["untuned", 2, 0, 0.5625, 0.5, 0.625],
      ["rules", 2, 0, 0.5625, 0.5, 0.625],
    ]);
    const shown = blocks.flatMap((block) => (block.kind === "answers" ? [block.answers] : []));
    const notes = shown.find(({ instruction }) => instruction === "What is rain?")?.answers.map(({ note }) => note);
    expect(notes?.map((note) => note.replace(HOSTILE, "…"))).toEqual([
      "9 tokens, ended by itself, score 0.88: facts 1, … 0.75",
      "9 tokens, ended by itself, score 0.25: facts 0, … 0.5",
    ]);
    const without = await makeReport(await studyFolder());
    expect(without.sections.map(({ id }) => id)).not.toContain("scores");
  });

  it("gives the same bytes for the same records, and every table and figure as a file", async () => {
    const study = await studyFolder();
    const [one, two] = [join(study, "one"), join(study, "two")];
    const summary = await report({ study, out: one });
    await report({ study, out: two });
    const written = ["index.html", "report.md", ...summary.tables, ...summary.figures];
    expect(await readdir(join(one, "tables"))).toHaveLength(summary.tables.length);
    for (const file of written)
      expect(await readFile(join(one, file), "utf8")).toBe(await readFile(join(two, file), "utf8"));
  });

  it("replaces a report when forced, and nothing that is somebody's own", async () => {
    const study = await studyFolder();
    const out = join(study, "replaced");
    await report({ study, out });
    await report({ study, out, force: true });
    for (const stranger of ["notes.md", "tables/mine.csv", "figures/scores.png"]) {
      await writeFile(join(out, stranger), "mine");
      await expect(report({ study, out, force: true })).rejects.toThrow(`holds ${stranger}, which is not Tacit's`);
      await rm(join(out, stranger));
    }
    const site = join(study, "site");
    await mkdir(site);
    await writeFile(join(site, "index.html"), "<!doctype html><title>My site</title>");
    await expect(report({ study, out: site, force: true })).rejects.toThrow(
      "holds no index.html that was written here",
    );
    expect(await readdir(site)).toEqual(["index.html"]);
  });

  it("says on top in plain words what came out, with interval and judge, and names no folder of its maker", async () => {
    const study = await studyFolder();
    const record = JSON.parse(await readFile(join(study, "study.json"), "utf8"));
    record.inputs[0].path = "/home/anna/models/base";
    record.flags = { models: ["base=/home/anna/models/base"], judge: "/home/anna/judge.yaml" };
    record.study.judge = "/home/anna/judge.yaml";
    await writeFile(join(study, "study.json"), JSON.stringify(record));
    const results = JSON.parse(await readFile(join(study, "results.json"), "utf8"));
    results.left_out[0].reason = `${study}/steps/x is missing and so is /home/anna/data/x.json`;
    await writeFile(join(study, "results.json"), JSON.stringify(results));
    const made = await makeReport(study);
    expect(made.result).toBe(
      "The untuned model with rules wins 60.0\u00a0% [55.0,\u00a065.0] against the untuned model. Win rates with 95 % intervals, a draw counts half; judge: judge.yaml.",
    );
    const page = [...html(made), ...markdown(made)].join("");
    expect(page).toContain(made.result);
    expect(page).not.toMatch(/home|anna|tmp/);
    expect(page).toContain("steps/x is missing and so is x.json");
  });

  it("has no control character of a model in it, whatever reads it", async () => {
    const study = await studyFolder();
    const out = join(study, "controls");
    const { tables, figures } = await report({ study, out });
    const controls = (text: string): string[] =>
      [...text].filter((c) => (c < " " && !"\t\r\n".includes(c)) || (c >= "\u007f" && c <= "\u009f"));
    for (const file of ["index.html", "report.md", ...tables, ...figures])
      expect(controls(await readFile(join(out, file), "utf8")), file).toEqual([]);
  });

  it("refuses results that are not what their steps left, with the file", async () => {
    const study = await studyFolder();
    const path = join(study, "steps", "rules", "outputs.json");
    const bytes = await readFile(path);
    const results = [{ path: "outputs.json", bytes: bytes.length, sha256: sha256(bytes) }];
    const timings = { seconds: 1, finished: "", work: 1, unit: "tokens", resumed: false };
    const step = { version: 1, kind: "generate", key: "k", request: {}, outcome: { kind: "done" }, timings, results };
    await writeFile(join(study, "steps", "rules", "step.json"), JSON.stringify(step));
    await makeReport(study);
    await writeFile(path, bytes.toString().replace("quoted", "quotid"));
    await expect(makeReport(study)).rejects.toThrow(`${path} has changed since its step was done`);
  });

  it("refuses a folder that is no study's, and a record that leads out of it", async () => {
    await expect(report({ study: files.path("."), out: files.path("x") })).rejects.toThrow(/holds no study\.json/);
    const study = await studyFolder();
    const results = await readFile(join(study, "results.json"), "utf8");
    await writeFile(join(study, "results.json"), results.replaceAll("steps/rules/outputs.json", "../../etc/passwd"));
    await expect(report({ study, out: join(study, "x") })).rejects.toThrow(/lies outside/);
  });
});

describe("answers on the page", () => {
  const page = (instruction: string, text: string): string => {
    const answers = { instruction, why: "by lot", answers: [{ arm: "a", text, note: "" }] };
    const section = { id: "s", title: "s", blocks: [{ kind: "answers" as const, answers }] };
    return [...html({ title: "t", lead: "l", sections: [section] })].join("");
  };

  it("have a short heading, with the whole of a long instruction below, and what scrolls is reached by the keyboard", () => {
    const long = "word ".repeat(80);
    expect(page("Why?", "Because.")).toContain("<h3>Why?</h3>");
    expect(page("Why?", "Because.")).not.toMatch(/<pre[^>]*tabindex|<pre class="instruction"/);
    expect(page(long, "Because.")).toContain(`<h3>${long.slice(0, 159)}…</h3>`);
    expect(page(long, "Because.")).toContain(`<pre class="instruction" tabindex="0">${long}</pre>`);
    expect(page("two\nlines", "Because.")).toContain(
      '<h3>two lines</h3><p class="why">by lot</p><pre class="instruction">two\nlines</pre>',
    );
    expect(page("Why?", long)).toContain(`<pre tabindex="0">${long}</pre>`);
    expect(page("Why?", "line\n".repeat(20))).toContain('<pre tabindex="0">line');
  });
});

describe("Markdown", () => {
  it("keeps text of models inside a fence that it cannot close", async () => {
    const text = [...markdown(await makeReport(await studyFolder()))].join("");
    const lines = text.split("\n");
    let open: string | undefined;
    for (const line of lines) {
      const fence = /^(`{3,})$/.exec(line)?.[1];
      if (open === undefined && fence !== undefined) open = fence;
      else if (fence !== undefined && fence === open) open = undefined;
      else if (open === undefined) expect(line).not.toMatch(/(?<!\\)<script|^# heading|(?<!\\)!\[x/);
    }
    expect(open).toBeUndefined();
  });
});

describe("CSV", () => {
  it("quotes, leaves undefined empty, and hands no formula to a spreadsheet", () => {
    const cells = ['a "b", c', "=1+1", null, 2.5] as const;
    const columns = cells.map((_, i) => ({ key: `k${i}`, label: "" }));
    const rows = [cells.map((value) => ({ text: "", value }))];
    expect(csv({ id: "t", caption: "", columns, rows })).toBe('k0,k1,k2,k3\r\n"a ""b"", c",\'=1+1,,2.5\r\n');
  });
});

describe("SVG", () => {
  it("text stays text, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeXml(text);
        expect(escaped).not.toMatch(/[<>"]/);
        expect([...escaped].every((c) => c >= " " || "\t\n\r".includes(c))).toBe(true);
        expect(() => encodeURIComponent(escaped)).not.toThrow();
      }),
    );
  });

  it("scales keep ends and order, and their ticks are round and inside", () => {
    const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(finite, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (from, width) => {
        const at = scale([from, from + width], [0, 100]);
        expect(at(from)).toBeCloseTo(0, 6);
        expect(at(from + width)).toBeCloseTo(100, 6);
        expect(at.ticks.length).toBeGreaterThan(0);
        for (const tick of at.ticks) expect(at(tick)).toBeGreaterThanOrEqual(-1e-3);
      }),
    );
  });
});
