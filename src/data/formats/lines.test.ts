import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { type Line, lineSplitter, readLines } from "./lines.js";

const files = temporaryFolder();
const all = async (name: string, data: string | Uint8Array): Promise<Line[]> => {
  const lines: Line[] = [];
  for await (const batch of readLines(files.write(name, data))) lines.push(...batch);
  return lines;
};

describe("readLines", () => {
  it("numbers lines from 1, takes LF and CRLF, and needs no line break at the end", async () => {
    expect(await all("a", "one\r\ntwo\n\nfour")).toEqual([
      { number: 1, text: "one" },
      { number: 2, text: "two" },
      { number: 3, text: "" },
      { number: 4, text: "four" },
    ]);
  });

  it("takes off one byte order mark, at the start of the file only", async () => {
    expect(await all("bom", "\ufeffone\n\ufefftwo\n")).toEqual([
      { number: 1, text: "one" },
      { number: 2, text: "\ufefftwo" },
    ]);
    expect(await all("only-bom", "\ufeff")).toEqual([]);
  });

  it("reports the line that is not UTF-8 and goes on", async () => {
    const lines = await all(
      "latin1",
      Buffer.concat([Buffer.from("ok\n"), Buffer.from([0xe9, 0x0a]), Buffer.from("ok too\n")]),
    );
    expect(lines).toEqual([
      { number: 1, text: "ok" },
      { number: 2, problem: expect.stringContaining("not valid UTF-8"), lossy: "é" },
      { number: 3, text: "ok too" },
    ]);
  });

  it.each([
    ["gzip", [0x1f, 0x8b, 8, 0], "gzip-compressed"],
    ["zstd", [0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed"],
    ["parquet", [0x50, 0x41, 0x52, 0x31], "a Parquet file"],
    ["utf-16", [0xff, 0xfe, 0x61, 0], "UTF-16"],
  ])("refuses %s with the remedy", async (name, bytes, what) => {
    await expect(all(name, Uint8Array.from(bytes))).rejects.toThrow(what);
  });

  it("names a missing file and a folder", async () => {
    const read = (path: string) => readLines(path).next();
    await expect(read(files.path("absent"))).rejects.toThrow("no such file or folder");
    await expect(read(files.path("."))).rejects.toThrow("is a folder");
  });
});

describe("lineSplitter", () => {
  it("gives the same lines however the bytes arrive", () => {
    const text = fc.array(fc.string({ unit: fc.constantFrom("a", "é", "🙂", "\r", " ") }), { maxLength: 8 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join("\n"));
        const expected = parts
          .join("\n")
          .split("\n")
          .map((line) => line.replace(/\r$/, ""));
        if (parts.at(-1) === "" || parts.length === 0) expected.pop();
        const splitter = lineSplitter(1000);
        const lines: Line[] = [];
        let from = 0;
        for (const cut of [...cuts, bytes.length]) {
          lines.push(...splitter.push(bytes.subarray(from, from + cut)));
          from = Math.min(bytes.length, from + cut);
        }
        const last = splitter.end();
        if (last !== undefined) lines.push(last);
        expect(lines).toEqual(expected.map((line, i) => ({ number: i + 1, text: line })));
      }),
    );
  });

  it("holds no more than the limit of a line, says so, and goes on", () => {
    const splitter = lineSplitter(10);
    const lines = [Buffer.alloc(8, "x"), Buffer.alloc(8, "x"), Buffer.from("\nshort\n0123456789\n")].flatMap((chunk) =>
      splitter.push(chunk),
    );
    expect(lines).toEqual([
      { number: 1, problem: expect.stringContaining("longer than"), lossy: "" },
      { number: 2, text: "short" },
      { number: 3, text: "0123456789" },
    ]);
  });
});
