import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { codePoints } from "../util/code-points.js";
import { checkData, lengthStats } from "./check.js";
import { parseDataSpec } from "./spec.js";

const files = temporaryFolder();

describe("checkData", () => {
  it("accounts for every row, and shows bad ones instead of stopping", async () => {
    const lines = [
      { id: "a", instruction: "q", response: "🙂🙂" },
      { id: "a", instruction: "q", response: "🙂🙂" },
      { instruction: "", response: " " },
      { instruction: "q", answer: "forgotten" },
      {},
      { messages: ["u", "a", "u2", "🙂🙂"].map((content, i) => ({ role: i % 2 ? "assistant" : "user", content })) },
    ];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const path = files.write("x.jsonl", text);
    const check = await checkData(parseDataSpec(path));
    expect(check).toMatchObject({
      bytes: Buffer.byteLength(text),
      sha256: createHash("sha256").update(text).digest("hex"),
      records: 6,
      examples: 4,
      bad: 2,
      first_bad: [
        { line: 4, place: "line 4", reason: expect.stringMatching(/^no response \(it has "instruction", "answer"; /) },
        { line: 5, unit: "line", place: "line 5", reason: 'no "instruction" (the row is empty)' },
      ],
      left_out: [],
      multi_turn: 1,
      messages: { "2": 3, "4": 1 },
      duplicates: { ids: 1, instructions: 1, responses: 2, examples: 1 },
      empty: { instructions: 1, responses: 1 },
      characters: { response: { min: 1, median: 2, max: 2 } },
      paper_rows: null,
    });
    expect(check.warnings).toEqual([
      "1 empty responses: they teach the model to stop at once",
      "1 ids occur again: results cannot be joined on them",
    ]);
  });

  it("takes a file that begins with a prompt for a file of prompts", async () => {
    const path = files.write("p.jsonl", '{"instruction":"a"}\n{"instruction":"b"}\n');
    const check = await checkData(parseDataSpec(path));
    expect(check).toMatchObject({ examples: 2, bad: 0, characters: { response: null } });
    expect(check.warnings).toEqual(["2 rows without a response: prompts to generate from, not training data"]);
  });

  it("warns where the number of examples is not the paper's, and names what was left out", async () => {
    const path = files.write(
      "x.pgn",
      '[WhiteElo "1"]\n[BlackElo "2"]\n\n1. e4 *\n\n[WhiteElo "1"]\n[BlackElo "2"]\n\n1-0\n',
    );
    const check = await checkData(parseDataSpec(`chess:${path}`));
    expect(check.left_out).toEqual([{ reason: "no moves", count: 1, lines: [6], places: ["line 6"] }]);
    expect(check.warnings).toEqual(["1 example, but the paper has 1000 of chess"]);
    expect(check.licence).toContain("CC0");
  });

  it("names the row of a JSON array, and its line where the array has lines", async () => {
    const rows = [{ instruction: "a", response: "b" }, { instruction: "c", answer: "d" }, { instruction: 5 }];
    const places = async (indent: number) =>
      (await checkData(parseDataSpec(files.write("rows.json", JSON.stringify(rows, null, indent))))).first_bad.map(
        ({ line, row, place }) => [line, row, place],
      );
    expect(await places(0)).toEqual([
      [1, 2, "row 2"],
      [1, 3, "row 3"],
    ]);
    expect(await places(1)).toEqual([
      [6, 2, "row 2 (line 6)"],
      [10, 3, "row 3 (line 10)"],
    ]);
  });

  it("notes inputs that say there is none", async () => {
    const path = files.write("x.json", JSON.stringify([{ instruction: "i", input: "<noinput>", output: "o" }]));
    const check = await checkData(parseDataSpec(`alpaca:${path}`));
    expect(check.notes).toEqual([
      { reason: expect.stringContaining("No input"), count: 1, lines: [1], places: ["row 1"] },
    ]);
  });

  it("names a missing file", async () => {
    await expect(checkData(parseDataSpec(files.path("absent.jsonl")))).rejects.toThrow("no such file or folder");
  });
});

describe("lengths", () => {
  it("are code points", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => void expect(codePoints(text)).toBe([...text].length)),
    );
  });

  it("are summed up by hand-checked numbers", () => {
    expect(lengthStats([])).toBe(null);
    expect(lengthStats([7])).toEqual({ min: 7, median: 7, mean: 7, p95: 7, max: 7 });
    expect(lengthStats([10, 2, 4, 3])).toEqual({ min: 2, median: 3.5, mean: 4.75, p95: 10, max: 10 });
    expect(lengthStats(Array.from({ length: 100 }, (_, i) => i + 1))).toMatchObject({ median: 50.5, p95: 95 });
  });
});
