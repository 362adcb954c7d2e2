import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import type { RawRecord } from "../record.js";
import { type CsvRecord, csvScanner, readCsv } from "./csv.js";

const files = temporaryFolder();
const all = async (data: string | Uint8Array): Promise<RawRecord[]> => {
  const records: RawRecord[] = [];
  for await (const batch of readCsv(files.write("x.csv", data))) records.push(...batch);
  return records;
};
const scan = (bytes: Buffer, cut = bytes.length, limit = 1000): CsvRecord[] => {
  const scanner = csvScanner(limit);
  const records: CsvRecord[] = [];
  for (let from = 0; from < bytes.length; from += cut) records.push(...scanner.push(bytes.subarray(from, from + cut)));
  const last = scanner.end();
  return last === undefined ? records : [...records, last];
};
const brief = (records: RawRecord[]) =>
  records.map((r) => [r.at.line, r.kind === "bad" ? r.reason : { ...(r.value as Record<string, string>) }]);

describe("readCsv", () => {
  it("gives each record the line on which it begins, line breaks in fields counted", async () => {
    const records = await all('name,text\na,"one\ntwo\nthree"\n\nb,four\r\n"c ""d""","x,\r\ny"\r\n');
    expect(brief(records)).toEqual([
      [2, { name: "a", text: "one\ntwo\nthree" }],
      [6, { name: "b", text: "four" }],
      [7, { name: 'c "d"', text: "x,\r\ny" }],
    ]);
  });

  it("trims nothing and keeps a byte order mark out of the first name", async () => {
    expect(brief(await all("\ufeffname,text\n a , b \n"))).toEqual([[2, { name: " a ", text: " b " }]]);
  });

  it("reports too few and too many fields, text after a quote, and bytes that are no text, and goes on", async () => {
    const bad = Buffer.concat([
      Buffer.from('a,b\n1\n1,2,3\n"1"x,2\n'),
      Buffer.from([0x31, 0x2c, 0xff, 0x0a]),
      Buffer.from("3,4\n"),
    ]);
    expect(brief(await all(bad))).toEqual([
      [2, "1 fields, but the header names 2 columns"],
      [3, "3 fields, but the header names 2 columns"],
      [4, "text after a closing quote (the quote opened on line 4)"],
      [5, expect.stringContaining("not valid UTF-8")],
      [6, { a: "3", b: "4" }],
    ]);
  });

  it("names the line of a quote that is never closed", async () => {
    expect(brief(await all('a,b\n1,2\n3,"4\n5,6\n'))).toEqual([
      [2, { a: "1", b: "2" }],
      [3, "the quote opened on line 3 is never closed"],
    ]);
  });

  it("takes prototype names as names, and an empty name twice, but no other name twice", async () => {
    const [record] = await all("__proto__,constructor\nx,y\n");
    expect(record?.kind === "record" && Object.entries(record.value as object)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(brief(await all(",a,\n1,2,3\n"))).toEqual([[2, { "": "3", a: "2" }]]);
    await expect(all("a,b,a\n1,2,3\n")).rejects.toThrow('two columns are named "a"');
  });

  it("bounds a record", () => {
    const records = scan(Buffer.from(`${"x".repeat(50)},y\n1,2\n"${"z".repeat(50)}\n\n",3\n4,5\n`), 7, 40);
    expect(records).toEqual([
      { line: 1, problem: expect.stringContaining("longer than") },
      { line: 2, fields: ["1", "2"] },
      { line: 3, problem: expect.stringContaining("a quote opened on line 3 is not closed") },
      { line: 6, fields: ["4", "5"] },
    ]);
  });
});

describe("csvScanner", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "é", "🙂", ",", '"', "\n", "\r\n", " "), maxLength: 6 });
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 6 });
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  it("agrees with csv-parse on every table, however the bytes arrive", () => {
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), fc.integer({ min: 1, max: 9 }), (rows, end, cut) => {
        const text = rows.map((row) => row.map(quote).join(",") + end).join("");
        const records = scan(Buffer.from(text), cut);
        expect(records.map((r) => "fields" in r && r.fields)).toEqual(
          parse(text, { relax_column_count: true, record_delimiter: end }),
        );
        expect(records.map((r) => "fields" in r && r.fields)).toEqual(rows);
        const begins = rows.map((_, i) => rows.slice(0, i).flat().join("").split("\n").length + i);
        expect(records.map((r) => r.line)).toEqual(begins);
      }),
    );
  });
});
