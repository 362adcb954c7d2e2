/** JSON within its bounds is what `JSON.parse` gives; beyond them, and where it is none, one line with the place. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { UserError } from "./errors.js";
import { MAX_DEPTH, parseJson, readJson, readJsonAs, tryJson } from "./json.js";
import { faultIn } from "./json-fault.js";

const files = temporaryFolder();

const lineOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return "no error";
  } catch (error) {
    return (error as UserError).line;
  }
};
const lists = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** Any JSON value inside as many lists and objects as still are in bounds. */
const deepValue = fc
  .tuple(fc.jsonValue({ maxDepth: 8 }), fc.array(fc.boolean(), { maxLength: MAX_DEPTH - 12 }))
  .map(([value, around]) => around.reduce<unknown>((inner, list) => (list ? [inner] : { "a]\\": inner }), value));

describe("parsing", () => {
  it("agrees with JSON.parse on any value in bounds", () => {
    fc.assert(
      fc.property(deepValue, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(tryJson(text)).toEqual({ value: JSON.parse(text) as unknown });
      }),
    );
  });

  it("agrees with JSON.parse on what is JSON, for texts that were JSON", () => {
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom("", '"', "\\", ",", "]", "}", "[", "0", "e", "-", "\n", "u00e4", "true"),
      )
      .map(([text, at, cut, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + cut);
      });
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string(), fc.json()), (text) => {
        expect(faultIn(text) === undefined).toBe(isJson(text));
        expect("value" in tryJson(text)).toBe(isJson(text));
      }),
      { numRuns: 500 },
    );
  });

  it.each([lists, objects])("takes 128 levels and refuses 129 (%#)", (nested) => {
    expect(tryJson(nested(MAX_DEPTH))).toEqual({ value: JSON.parse(nested(MAX_DEPTH)) as unknown });
    expect(tryJson(nested(MAX_DEPTH + 1))).toMatchObject({ problem: "nested deeper than 128 levels" });
  });

  it("does not count brackets and commas in strings, and finds where strings end", () => {
    const text = JSON.stringify(['[[[{{{,,,"\\', "\\\\", { 'k[{"\\': "[".repeat(1000) }]);
    expect(tryJson(text)).toEqual({ value: JSON.parse(text) as unknown });
    expect(tryJson(`"${'\\"'.repeat(10_000)}`)).toMatchObject({
      problem: expect.stringContaining("not closed") as string,
    });
  });

  it("takes little time and memory for millions of brackets, whichever they are", () => {
    for (const text of ["[".repeat(2e6), '{"a":'.repeat(5e5), "[1,".repeat(1e6)]) {
      const [began, held] = [performance.now(), process.memoryUsage().rss];
      expect(tryJson(text)).toMatchObject({ problem: "nested deeper than 128 levels" });
      expect(performance.now() - began).toBeLessThan(200);
      expect(process.memoryUsage().rss - held).toBeLessThan(100e6);
    }
  });
});

describe("messages", () => {
  it.each([
    ["", "1:1: not JSON: it is empty"],
    ["{\n  'a': 1}", `2:3: not JSON: expected a key in double quotes or }, found "'"`],
    ['{"a" 1}', '1:6: not JSON: expected a colon after the key, found "1"'],
    ["[1,\n2,\n]", '3:1: not JSON: expected a value, found "]"'],
    ['{"a": 1,}', '1:9: not JSON: expected a key in double quotes, found "}"'],
    ["[1 2]", '1:4: not JSON: expected a comma or ], found "2"'],
    ["[1", "1:3: not JSON: it ends inside a list"],
    ['{"a": [1, {"b": 2}', "1:19: not JSON: it ends inside a list"],
    ["[NaN]", '1:2: not JSON: expected a value or ], found "NaN"'],
    ['["a\tb"]', '1:4: not JSON: "\\u0009" inside a string must be written as an escape'],
    ['["\\x"]', "1:3: not JSON: no such escape: \\x"],
    ["01", '1:2: not JSON: expected nothing more, found "1"'],
    ["<!DOCTYPE html>", '1:1: not JSON: expected a value, found "<"'],
    [`[${"x".repeat(1e5)}]`, `1:2: not JSON: expected a value or ], found "${"x".repeat(24)}"`],
    ["[\u001b]", '1:2: not JSON: expected a value or ], found "\\u001b"'],
  ])("%j: %s", async (text, message) => {
    expect(await lineOf(() => parseJson(text, "f.json", "fix it"))).toBe(
      `f.json:${message.replace("\\u0009", "\\t")}; fix it`,
    );
  });

  it("of a file: its path and place, and what the schema wants", async () => {
    const schema = z.strictObject({ a: z.object({ b: z.number() }) });
    const read = (text: string | Buffer): Promise<string> => {
      const path = files.write("f.json", text);
      return lineOf(() => readJsonAs(path, schema, "fix it")).then((line) => line.replace(path, "f.json"));
    };
    expect(await read('{"a": {"b": 1}}')).toBe("no error");
    expect(await read('\ufeff{"a": {"b": 1}}')).toBe("no error");
    expect(await read('{"a": {"b": "1"}}')).toBe("f.json: a.b: expected number, received string; fix it");
    expect(await read('{"a": {"b": 1}, "c": 1, "d": 1}')).toBe('f.json: Unrecognized keys: "c" and 1 more; fix it');
    expect(await read(JSON.stringify({ a: { b: 1 }, ["k".repeat(1e5)]: 1 }))).toHaveLength(96);
    expect(await read(Buffer.from('{"a": "\xe4"}', "latin1"))).toContain("is not UTF-8 text");
  });

  it("of a file beyond the bound", async () => {
    const path = files.write("large.json", `[${" ".repeat(100)}]`);
    expect(await lineOf(() => readJson(path, { most: 101 }))).toContain("has 102 bytes; at most 101 are read");
    expect(await readJson(path, { most: 102 })).toEqual([]);
  });
});
