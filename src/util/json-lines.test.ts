/** JSON lines are values with their lines, however long the file, or one complaint with the line. */
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { UserError } from "./errors.js";
import { type JsonLine, readJsonLines } from "./json-lines.js";

const files = temporaryFolder();

async function linesOf(text: string | Uint8Array, longest?: number): Promise<JsonLine[] | string> {
  const path = files.write("lines.jsonl", text);
  const lines: JsonLine[] = [];
  try {
    for await (const line of readJsonLines(path, longest === undefined ? {} : { longest })) lines.push(line);
    return lines;
  } catch (error) {
    return (error as UserError).line.replace(path, "f");
  }
}

describe("JSON lines", () => {
  it("are read across chunks, with or without a last line end, blank lines counted and passed over", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ row: i, text: "ä".repeat(i % 40) }));
    const lines = await linesOf(`\ufeff\n \r\n${rows.map((row) => JSON.stringify(row)).join("\n")}`);
    expect(lines).toEqual(rows.map((value, i) => ({ line: i + 3, value })));
    expect(await linesOf("1\n2\n")).toEqual([
      { line: 1, value: 1 },
      { line: 2, value: 2 },
    ]);
    expect(await linesOf("")).toEqual([]);
  });

  it.each([
    ['1\n{"a" 2}\n', 'f:2:6: not JSON: expected a colon after the key, found "2"; correct it, or fetch it again'],
    [`1\n\n${"[".repeat(200)}`, "f:3:129: nested deeper than 128 levels; correct it, or fetch it again"],
    [Buffer.from('1\n"\xe4"', "latin1"), "f:2 is not UTF-8 text; convert it, or fetch it again"],
  ])("%j: %s", async (text, line) => {
    expect(await linesOf(text)).toBe(line);
  });

  it("have a bound", async () => {
    expect(await linesOf('"12345678"\n', 10)).toHaveLength(1);
    expect(await linesOf('1\n"123456789"', 10)).toBe(
      "f:2: the line is longer than 10 bytes; correct it, or fetch it again",
    );
  });
});
