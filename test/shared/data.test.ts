/** The public files themselves: counts, and the quirks that their README pages name. Skipped where ../shared/data is absent. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { checkData } from "../../src/data/check.js";
import { exportRow } from "../../src/data/export.js";
import { collectExamples } from "../../src/data/load.js";
import { loadPrompts } from "../../src/data/prompts.js";
import type { LoadedExample } from "../../src/data/record.js";
import { parseDataSpec } from "../../src/data/spec.js";
import { responseOnly } from "../../src/data/transforms.js";
import { instructionOf, responseOf } from "../../src/records/example.js";

const folder = resolve(import.meta.dirname, "../../../shared/data");
const present = existsSync(folder);
if (!present) console.warn(`skipped: no ${folder}`);
const spec = (name: string, file: string) => `${name}:${folder}/${file}`;
const load = async (name: string, file: string, limit?: "all"): Promise<LoadedExample[]> =>
  (await collectExamples(spec(name, file), limit === undefined ? {} : { limit })).examples;
const count = <T>(items: readonly T[], test: (item: T) => boolean): number => items.filter(test).length;
const text = (file: string): string => readFileSync(`${folder}/${file}`, "utf8");

describe.skipIf(!present)("row counts (facts, section 4) and what is left out", () => {
  it.each([
    ["lima", "lima/lima_data.jsonl", 1030, 1030, {}],
    ["lima", "lima/lima_rephrased.jsonl", 1029, 1029, {}],
    ["lima", "lima/lima_checks.jsonl", 304, 304, {}],
    ["mbpp", "mbpp/mbpp.jsonl", 974, 374, { "not in the train split (task_id 601 to 974)": 600 }],
    ["gsm8k", "gsm8k/train.jsonl", 1000, 1000, {}],
    ["recipes", "recipes/recipes.csv", 1000, 998, { "no instructions": 1, "no title": 1 }],
    ["poetry", "poetry/poetry.csv", 573, 571, { "no poem name": 2 }],
    ["chess", "chess/lichess_2021-10-01.pgn", 999, 986, { "no moves": 13 }],
    ["chess", "chess/kasparov_first300.pgn", 300, 237, { "no Elo rating of both players": 63 }],
    ["alpaca", "alpaca/alpaca_data.json", 2000, 2000, {}],
    ["alpaca", "alpaca/alpaca_with_text.json", 416, 416, {}],
    ["validation", "validation/val.jsonl", 56, 56, {}],
    ["validation", "validation/val-gpt-3.5-turbo-ref.json", 56, 56, {}],
    ["validation", "validation/val-gpt3.5.json", 56, 56, {}],
    ["validation", "validation/val-gpt3.5-2.json", 56, 56, {}],
  ])("%s %s: %i records, %i examples", async (name, file, records, examples, leftOut) => {
    const check = await checkData(parseDataSpec(spec(name, file)));
    expect(check).toMatchObject({ records, examples, bad: 0 });
    expect(Object.fromEntries(check.left_out.map((entry) => [entry.reason, entry.count]))).toEqual(leftOut);
    const readme = text(`${file.split("/")[0]}/README.md`);
    expect(readme).toContain(check.sha256);
  });
});

describe.skipIf(!present)("LIMA", () => {
  it("has the dialogues, the longest message and the white space of the README", async () => {
    const examples = await load("lima", "lima/lima_data.jsonl");
    const turns = new Map<number, number>();
    for (const { messages } of examples) turns.set(messages.length, (turns.get(messages.length) ?? 0) + 1);
    expect(Object.fromEntries(turns)).toEqual({ 2: 1000, 4: 16, 6: 10, 8: 3, 20: 1 });
    const contents = examples.flatMap(({ messages }) => messages.map((message) => message.content));
    expect(Math.max(...contents.map((content) => [...content].length))).toBe(17_742);
    expect(count(contents, (content) => content !== content.trim())).toBe(332);
    expect(count(contents, (content) => /[\u{10000}-\u{10ffff}]/u.test(content))).toBe(2);
    expect(examples.map(({ id, at }) => [id, at.line])).toEqual(examples.map((_, i) => [`lima_${i}`, i + 1]));
  });

  it("response-only is the authors' file, byte for byte", async () => {
    const ours = (await load("lima", "lima/lima_data.jsonl")).map((example) => {
      const shaped = responseOnly(example);
      return pythonJson({ dataset: "lima", id: shaped.id, messages: shaped.messages });
    });
    expect(
      createHash("sha256")
        .update(`${ours.join("\n")}\n`)
        .digest("hex"),
    ).toBe(createHash("sha256").update(text("lima/lima_no_instruction.jsonl")).digest("hex"));
  });

  it("the rephrased file gives the rewritten answers, joined on id", async () => {
    const rephrased = await load("lima", "lima/lima_rephrased.jsonl");
    const original = new Map((await load("lima", "lima/lima_data.jsonl")).map((example) => [example.id, example]));
    const changed = rephrased.flatMap(({ id, messages }) =>
      messages.filter((message, i) => message.content !== original.get(id)?.messages[i]?.content),
    );
    expect(rephrased[0]?.id).toBe("lima_1");
    expect(changed.length).toBe(95); // of the 99 that were rewritten, 4 came back as they were
    expect(Object.keys(changed[0] ?? {})).toEqual(["role", "content"]);
  });
});

/** Python's `json.dumps` with its defaults: ASCII, a space after `,` and `:`. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (c) =>
      c === "\u007f" ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  }
  return `{${Object.entries(value)
    .map(([key, item]) => `${pythonJson(key)}: ${pythonJson(item)}`)
    .join(", ")}}`;
}

describe.skipIf(!present)("MBPP and GSM8K", () => {
  it("MBPP's code keeps CRLF, tabs and trailing white space", async () => {
    const examples = await load("mbpp", "mbpp/mbpp.jsonl");
    expect(count(examples, (example) => responseOf(example).includes("\r\n"))).toBe(373);
    expect(examples.map((example) => example.at.line)).toEqual(examples.map((_, i) => 601 + i));
    const raw = text("mbpp/mbpp.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { text: string; code: string });
    expect(examples.map((e) => [instructionOf(e), responseOf(e)])).toEqual(
      raw.slice(600).map((row) => [row.text, row.code]),
    );
  });

  it("GSM8K's answers keep their marks, and read on beyond the paper's 1,000", async () => {
    const all = await load("gsm8k", "gsm8k/train.jsonl", "all");
    expect(all.length).toBe(2000);
    expect(count(all, (example) => !responseOf(example).includes("<<"))).toBe(28);
    expect(count(all, (example) => /\n#### -?[\d,]+$/.test(responseOf(example)))).toBe(2000);
    expect(count(all, (example) => /\n#### [\d]*,/.test(responseOf(example)))).toBe(24);
  });
});

describe.skipIf(!present)("recipes and poetry", () => {
  it("agree with csv-parse on every field, and lines are those of the file", async () => {
    const raw = parse(text("poetry/poetry.csv"), { columns: true }) as Record<string, string>[];
    const kept = raw.filter((row) => row["poem name"] !== "");
    const poems = await load("poetry", "poetry/poetry.csv");
    expect(poems.map((e) => [instructionOf(e), responseOf(e)])).toEqual(
      kept.map((row) => [`Write a poem called ${row["poem name"]}`, row.content]),
    );
    const lines = text("poetry/poetry.csv").split("\n");
    for (const { at, messages } of poems) {
      const [first = ""] = (messages[1]?.content ?? "").replaceAll('"', '""').split("\n");
      expect(lines[at.line - 1]).toContain(first);
    }
  });

  it("recipes: the awkward lists of rows 997 and 998", async () => {
    const recipes = await load("recipes", "recipes/recipes.csv");
    const raw = parse(text("recipes/recipes.csv"), { columns: true }) as Record<string, string>[];
    const at = (row: number) => responseOf(recipes.find((example) => example.id === `kfr_${row}`) as LoadedExample);
    expect(raw[997]?.Cleaned_Ingredients).toContain("\\\\");
    expect(at(997)).toContain("\\");
    expect(at(997)).not.toContain("\\\\");
    expect(at(998)).toContain(" - \n");
    expect(at(0).startsWith(" - 1/2 cup hazelnuts (2 oz)\n - 1/4 cup plus 3 tablespoons sugar\n")).toBe(true);
    expect(count(recipes, (e) => !responseOf(e).includes("\n\n\n"))).toBe(0);
    expect(recipes.map((example) => example.id)).not.toContain("kfr_201");
    expect(recipes.map((example) => example.id)).not.toContain("kfr_999");
  });
});

describe.skipIf(!present)("chess", () => {
  it("lichess: prompts are two tag lines, movetext is the line of the file", async () => {
    const games = await load("chess", "chess/lichess_2021-10-01.pgn");
    const lines = new Set(text("chess/lichess_2021-10-01.pgn").split("\n"));
    expect(count(games, (e) => /^\[WhiteElo "\d+"\]\n\[BlackElo "\d+"\]\n$/.test(instructionOf(e)))).toBe(986);
    expect(count(games, (e) => lines.has(responseOf(e)))).toBe(986);
    expect(count(games, (e) => responseOf(e).startsWith("1. "))).toBe(986);
    expect(Math.max(...games.map((e) => responseOf(e).length))).toBe(8612);
    expect(count(games, (e) => responseOf(e).includes("[%eval"))).toBe(96);
  });

  it("Kasparov: wrapped movetext on one line, no carriage returns, the result at its end", async () => {
    const games = await load("chess", "chess/kasparov_first300.pgn");
    expect(count(games, (e) => /[\r\n]/.test(responseOf(e)))).toBe(0);
    expect(count(games, (e) => / {2}(1-0|0-1|1\/2-1\/2)$/.test(responseOf(e)))).toBe(237);
  });
});

describe.skipIf(!present)("Alpaca and the validation set", () => {
  it("Alpaca agrees with the official template's own column", async () => {
    const raw = JSON.parse(text("alpaca/alpaca_with_text.json")) as { text: string }[];
    const examples = await load("alpaca", "alpaca/alpaca_with_text.json");
    for (const [i, example] of examples.entries()) {
      expect(raw[i]?.text).toContain(
        `### Instruction:\n${instructionOf(example)}\n\n### Response:\n${responseOf(example)}`,
      );
    }
  });

  it("Alpaca: 455 inputs are joined, those that say there is none are noted", async () => {
    const examples = await load("alpaca", "alpaca/alpaca_data.json");
    const raw = JSON.parse(text("alpaca/alpaca_data.json")) as { instruction: string; input: string; output: string }[];
    expect(examples.map((e) => [instructionOf(e), responseOf(e)])).toEqual(
      raw.map((row) => [row.input === "" ? row.instruction : `${row.instruction}\n\n${row.input}`, row.output]),
    );
    expect(count(raw, (row) => row.input !== "")).toBe(455);
    const check = await checkData(parseDataSpec(spec("alpaca", "alpaca/alpaca_data.json")));
    // the README's fiftieth is a real input that merely ends in <noinput>
    expect(check.notes.map((note) => note.count)).toEqual([49]);
  });

  it("all four validation files have the same 56 prompts, in order and distinct", async () => {
    const files = ["val.jsonl", "val-gpt-3.5-turbo-ref.json", "val-gpt3.5.json", "val-gpt3.5-2.json"];
    const lists: string[][] = [];
    for (const file of files) {
      const prompts: string[] = [];
      for await (const prompt of loadPrompts(`${folder}/validation/${file}`)) prompts.push(prompt.instruction);
      lists.push(prompts);
    }
    expect(new Set(lists[0]).size).toBe(56);
    for (const list of lists) expect(list).toEqual(lists[0]);
    expect(Math.max(...(lists[0] ?? []).map((prompt) => [...prompt].length))).toBe(977);
  });

  it("val.jsonl is refused as training data, with the line", async () => {
    await expect(load("validation", "validation/val.jsonl")).rejects.toThrow("has 56 bad rows: line 1: no response");
  });

  it("exported rows are plain", async () => {
    const [first] = await load("validation", "validation/val-gpt3.5.json");
    expect(Object.keys(exportRow(first as LoadedExample, "auto"))).toEqual(["id", "instruction", "response"]);
  });
});
