/** The world's data as files: readers take them, hashes hold; and outputs scored by what the files ask for. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { checkData } from "../../data/check.js";
import { collectExamples } from "../../data/load.js";
import { loadPrompts } from "../../data/prompts.js";
import { parseDataSpec } from "../../data/spec.js";
import { sha256 } from "../../util/files.js";
import { PAGES } from "../corpus.js";
import { checkOutputs } from "./check-outputs.js";
import { writeDataFiles } from "./data-files.js";
import { corpusPages, countPages } from "./page-counts.js";

const files = temporaryFolder();
const out = files.path("data");
const written = writeDataFiles({ out, rows: 40 });

interface Row {
  readonly id: string;
  readonly instruction: string;
  readonly response: string;
  readonly check: { readonly task: string; readonly entities: readonly string[] };
}
const rowsOf = (name: string): Row[] =>
  readFileSync(join(out, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);

describe("data", () => {
  it("is counted and hashed in the manifest, and the same for the same seed and rows", async () => {
    const manifest = await written;
    const counts = Object.fromEntries(manifest.files.map(({ name, rows }) => [name, rows]));
    expect(counts).toMatchObject({
      "instructions.jsonl": 40,
      "validation.jsonl": 56,
      "test.jsonl": 200,
      "poems.jsonl": 500,
    });
    expect(Object.keys(counts)).toHaveLength(10);
    for (const { name, sha256: hash, tasks } of manifest.files) {
      expect(sha256(readFileSync(join(out, name)))).toBe(hash);
      const scored = Object.values(tasks).reduce((a, b) => a + b, 0);
      if (/^(validation|test)\.jsonl/.test(name)) expect(scored).toBe(counts[name]);
    }
    expect(JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"))).toEqual(manifest);
    const again = await writeDataFiles({ out: files.path("again"), rows: 40 });
    expect(again).toEqual(manifest);
    await expect(writeDataFiles({ out, rows: 40 })).rejects.toThrow("already exists");
    expect(
      (await writeDataFiles({ out: files.path("again"), rows: 40, seed: 2, force: true })).files[0]?.sha256,
    ).not.toBe(manifest.files[0]?.sha256);
    writeFileSync(files.path("again/mine.jsonl"), "{}");
    await expect(writeDataFiles({ out: files.path("again"), rows: 40, force: true })).rejects.toThrow(
      /holds mine\.jsonl, which is not Tacit's/,
    );
    mkdirSync(files.path("extension"));
    writeFileSync(files.path("extension/manifest.json"), '{"manifest_version": 3}');
    await expect(writeDataFiles({ out: files.path("extension"), rows: 40, force: true })).rejects.toThrow(
      /holds no manifest\.json that was written here/,
    );
  });

  it("is read as any data is; what else a row holds is passed over", async () => {
    await written;
    const { examples } = await collectExamples(join(out, "instructions.jsonl"));
    const [first] = rowsOf("instructions.jsonl");
    expect(examples).toHaveLength(40);
    expect(examples[0]?.messages.map(({ content }) => content)).toEqual([first?.instruction, first?.response]);
    const check = await checkData(parseDataSpec(join(out, "test.jsonl")));
    expect(check).toMatchObject({ examples: 200, bad: 0, left_out: [] });
    const prompts = [];
    for await (const { instruction } of loadPrompts(join(out, "test.jsonl"))) prompts.push(instruction);
    expect(prompts).toEqual(rowsOf("test.jsonl").map(({ instruction }) => instruction));
  });

  it("has facts with five wrong answers each, none of which is the right one", async () => {
    await written;
    const facts = rowsOf("facts.jsonl") as unknown as (Row & { readonly wrong: readonly string[] })[];
    for (const { response, wrong } of facts) {
      expect(new Set([response, ...wrong]).size).toBe(6);
    }
    const subjects = new Set(rowsOf("test.jsonl").flatMap(({ check }) => check.entities));
    const about = new Set(facts.map((row) => (row as unknown as { entity: string }).entity));
    expect([...subjects].every((name) => about.has(name))).toBe(true);
  });
});

describe("check", () => {
  const outputsOf = (name: string, answer: (row: Row, i: number) => object): string =>
    files.write(
      name,
      JSON.stringify(
        rowsOf("test.jsonl").map((row, i) => ({ instruction: row.instruction, generator: "g", ...answer(row, i) })),
      ),
    );

  it("gives full marks to the data's own responses", async () => {
    await written;
    const outputs = outputsOf("right.json", ({ response }) => ({ output: response, stop: "eos" }));
    const summary = await checkOutputs({ outputs, prompts: join(out, "test.jsonl") });
    expect(summary).toMatchObject({ generator: "g", answers: 200, scored: 200, right: 200, unanswered: 0, worst: [] });
    expect(summary.all?.total).toBe(1);
  });

  it("accounts for every answer, and shows the worst", async () => {
    await written;
    const outputs = outputsOf("some.json", ({ response }, i) => {
      if (i === 0) return { output: "", stop: "length" };
      if (i === 1) return { output: response }; // another tool: how it ended is not known
      if (i === 2) return { instruction: "Who are you?", output: "I.", stop: "eos" };
      return { output: response, stop: "eos" };
    });
    const lines = files.path("scores.jsonl");
    const summary = await checkOutputs({ outputs, prompts: join(out, "test.jsonl"), out: lines });
    expect(summary).toMatchObject({ answers: 200, scored: 198, right: 197, unanswered: 1 });
    expect(Object.values(summary.unscored)).toEqual([1, 1]);
    expect(summary.worst).toHaveLength(1);
    expect(summary.worst[0]).toMatchObject({ total: 0, instruction: rowsOf("test.jsonl")[0]?.instruction });
    expect(summary.tasks.reduce((sum, { answers }) => sum + answers, 0)).toBe(198);
    const each = readFileSync(lines, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { reason: string | null });
    expect(each).toHaveLength(200);
    expect(each.filter(({ reason }) => reason !== null)).toHaveLength(2);
    await expect(checkOutputs({ outputs, prompts: join(out, "test.jsonl"), out: lines })).rejects.toThrow(
      "already exists",
    );
  });

  it("names the line of prompts that are none", async () => {
    await written;
    const outputs = outputsOf("other.json", ({ response }) => ({ output: response, stop: "eos" }));
    const prompts = files.write("prompts.jsonl", '{"instruction":"a"}\n{"question":"b"}\n');
    await expect(checkOutputs({ outputs, prompts })).rejects.toThrow('prompts.jsonl:2: no "instruction"');
  });
});

describe("pages", () => {
  it("are counted by kind", () => {
    const asked = { seed: 1, contamination: 0, kind: "poem" };
    const poems = [];
    for (const page of corpusPages(asked)) if (poems.push(page) === 5) break;
    const [count, other] = countPages(poems, undefined);
    expect(count).toMatchObject({ kind: "poem", pages: 5, tokens: null });
    expect(count?.words).toBe(poems.reduce((sum, { text }) => sum + text.split(/\s+/).length, 0));
    expect(other).toBeUndefined();
    expect(Object.keys(PAGES)).toContain("poem");
  });
});
