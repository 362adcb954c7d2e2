import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { formatOrigin, type RawRecord } from "../record.js";
import { elementSplitter, readJson } from "./json-array.js";
import { parseJsonText } from "./json-text.js";
import { readJsonl } from "./jsonl.js";

const files = temporaryFolder();
const collect = async (source: AsyncGenerator<RawRecord[]>) => {
  const records: RawRecord[] = [];
  for await (const batch of source) records.push(...batch);
  return records.map((r) => [r.at.line, r.kind === "bad" ? r.reason : r.value]);
};
const jsonl = (data: string) => collect(readJsonl(files.write("x.jsonl", data)));
const json = (data: string | Uint8Array) => collect(readJson(files.write("x.json", data)));
const split = (text: string, cut = text.length, limit = 1000) => {
  const splitter = elementSplitter("x", limit);
  const bytes = Buffer.from(text);
  const records: RawRecord[] = [];
  for (let from = 0; from < bytes.length; from += cut) records.push(...splitter.push(bytes.subarray(from, from + cut)));
  const last = splitter.end();
  if (last !== undefined) records.push(last);
  return records.map((r) => [r.at.line, r.kind === "bad" ? r.reason : r.value]);
};

describe("JSON lines", () => {
  it("skips lines of white space and numbers the others by the file", async () => {
    expect(await jsonl('{"a":1}\n\n \t\n{"a":2}')).toEqual([
      [1, { a: 1 }],
      [4, { a: 2 }],
    ]);
  });

  it("reports a line that is not JSON and goes on; control characters in the reason are made visible", async () => {
    expect(await jsonl('{"a":\u001b[31m}\n{"a":2}\n')).toEqual([
      [1, expect.stringMatching(/^not JSON: .*\\u001b/)],
      [2, { a: 2 }],
    ]);
  });

  it("refuses a JSON array with the remedy, on one line or many", async () => {
    await expect(jsonl('[{"a":1}]')).rejects.toThrow("is a JSON array, not one object a line");
    await expect(jsonl('\n[\n{"a":1}\n]')).rejects.toThrow("is a JSON array, not one object a line");
  });

  it("refuses nesting that no data has, before parsing it", async () => {
    const deep = `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    expect(await jsonl(`${deep}\n{"a":2}\n`)).toEqual([
      [1, "nested deeper than 128 levels (character 133)"],
      [2, { a: 2 }],
    ]);
  });

  it("keeps __proto__ a key like any other", () => {
    const parsed = parseJsonText('{"__proto__":{"instruction":"x"}}');
    expect("value" in parsed && (parsed.value as { instruction?: string }).instruction).toBe(undefined);
  });
});

describe("a key twice in one object", () => {
  it.each([
    ['{"a":1,"b":{"a":2},"a":3}', 'duplicate key "a" (character 20)'],
    ['[{"x":{"y" : 1, "\\u0079"\t:2}}]', 'duplicate key "y" (character 17)'],
    ['{"__proto__":1,"__proto__":2}', 'duplicate key "__proto__" (character 16)'],
  ])("%s is refused: the last would win in silence", (text, problem) => {
    expect(parseJsonText(text)).toEqual({ problem });
  });
  it.each(['{"a":"a:1,a:2","b":[{"a":1},{"a":2}],"c":{"a":{"b":{}}}}', '{"a\\":":1,"":[],"b":"\\""}', "[]", '"a:b"'])(
    "%s has none",
    (text) => {
      expect(parseJsonText(text)).toEqual({ value: JSON.parse(text) });
    },
  );
  it("is found wherever JSON has one, and nowhere else", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseJsonText(text)).toEqual({ value: JSON.parse(text) });
        expect(parseJsonText(`{"k":${text},"other":[${text}],"k":0}`)).toHaveProperty("problem");
      }),
    );
  });
});

describe("a JSON array", () => {
  it("gives elements with the line on which each begins", async () => {
    expect(await json('\ufeff[\n  {\n    "a": "]},[\\"{"\n  },\n\n  {"a": 2}, 3,\n  [4]\n]\n')).toEqual([
      [2, { a: ']},["{' }],
      [6, { a: 2 }],
      [6, 3],
      [7, [4]],
    ]);
  });

  it("agrees with JSON.parse on every array, however the bytes arrive", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        fc.constantFrom(0, 2),
        fc.integer({ min: 1, max: 7 }),
        (list, indent, cut) => {
          const text = JSON.stringify(list, null, indent);
          const found = split(text, cut, 1e9);
          expect(found.map(([, value]) => value)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it("numbers elements also where all stand on one line, and the place where it breaks", () => {
    const splitter = elementSplitter("x", 1000);
    const records = [...splitter.push(Buffer.from('[{"a":1},{"b":},3')), ...splitter.push(Buffer.from(",,4]"))];
    expect(records.map(({ at }) => formatOrigin(at))).toEqual(["x, row 1", "x, row 2", "x, row 3", "x, row 4"]);
    expect(records.map(({ kind }) => kind)).toEqual(["record", "bad", "record", "bad"]);
    expect(formatOrigin({ file: "x", line: 7, unit: "line", row: 3 })).toBe("x, row 3 (line 7)");
  });

  it("reads objects a line under the same ending", async () => {
    expect(await json('\n{"a":1}\n{"a":2}\n')).toEqual([
      [2, { a: 1 }],
      [3, { a: 2 }],
    ]);
  });

  it("says what is wrong with the array itself, and where", () => {
    expect(split('[{"a":1},\n{"a":')).toEqual([
      [1, { a: 1 }],
      [2, "the array is not closed: the file is cut off; its last element, row 2, begins on line 2"],
    ]);
    expect(split("[1,\n,2]")).toEqual([
      [1, 1],
      [2, "an element is missing between commas"],
    ]);
    expect(split("[1,]")).toEqual([
      [1, 1],
      [1, "an element is missing between commas"],
    ]);
    expect(split("[1] x")).toEqual([
      [1, 1],
      [1, "text after the end of the array"],
    ]);
    expect(split("[1}")).toEqual([[1, "a closing brace without its opening one"]]);
    expect(split("hello")).toEqual([[1, "not a JSON array: a .json file holds [ … ], or one object a line"]]);
    expect(split(" \n")).toEqual([[2, "the file is empty"]]);
    expect(split("[]")).toEqual([]);
  });

  it("bounds an element, and reports bytes that are no text", async () => {
    expect(split(`["${"x".repeat(50)}",\n2]`, 7, 40)).toEqual([
      [1, expect.stringContaining("longer than")],
      [2, 2],
    ]);
    const bytes = Buffer.concat([Buffer.from('["a",\n"'), Buffer.from([0xff]), Buffer.from('",\n"b"]')]);
    expect(await json(bytes)).toEqual([
      [1, "a"],
      [2, expect.stringContaining("not valid UTF-8")],
      [3, "b"],
    ]);
  });
});
