import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../temporary-folder.js";
import { withoutValues } from "./json-spans.js";
import { differences, treeOf } from "./values.js";

const folder = temporaryFolder();
let trees = 0;
const tree = (files: Readonly<Record<string, string | Uint8Array>>) => {
  const root = folder.path(`tree-${trees++}`);
  for (const [name, data] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), data);
  }
  return treeOf(root);
};
const compare = (old: Parameters<typeof tree>[0], now: Parameters<typeof tree>[0]): string[] =>
  differences(tree(old), tree(now));

describe("two folders", () => {
  it("are equal where only times differ, and those alone", () => {
    const record = (seconds: number, loss: number): string =>
      `${JSON.stringify({ loss, timings: { seconds, by: [seconds] }, step: { seconds } }, undefined, 2)}\n`;
    expect(compare({ "a/run.json": record(1, 0.5) }, { "a/run.json": record(2.25, 0.5) })).toEqual([]);
    expect(compare({ "a/run.json": record(1, 0.5) }, { "a/run.json": record(2.25, 0.25) })).toEqual([
      'a/run.json: `"loss": 0.5,` → `"loss": 0.25,`',
    ]);
  });

  it("differ where a number is written otherwise, a key stands elsewhere, a space is added, or a line's place changes", () => {
    expect(compare({ "a.json": '{"a":1}' }, { "a.json": '{"a":1.0}' })).toHaveLength(1);
    expect(compare({ "a.json": '{"a":1,"b":2}' }, { "a.json": '{"b":2,"a":1}' })).toHaveLength(1);
    expect(compare({ "a.json": '{"a":1}' }, { "a.json": '{"a": 1}' })).toHaveLength(1);
    expect(compare({ "a.jsonl": "1\n2\n" }, { "a.jsonl": "2\n1\n" })).toEqual([
      "a.jsonl: the same lines in another order or number",
    ]);
  });

  it("differ by a file, and by a byte of a file that is not text", () => {
    const weights = new Uint8Array([1, 2, 3]);
    expect(compare({ "m.safetensors": weights }, { "m.safetensors": new Uint8Array([1, 2, 4]), b: "" })).toEqual([
      "b: only the new build leaves it",
      "m.safetensors: 3 and 3 bytes, the first that differs is 2",
    ]);
    expect(compare({ b: "" }, {})).toEqual(["b: the new build does not leave it"]);
  });

  it("leave events out, and hold a study's steps together by their ids", () => {
    const study = (key: string) => ({
      "results.json": `${JSON.stringify({ steps: [{ id: "tune/a", key, folder: `steps/tune-${key}` }] })}\n`,
      [`steps/tune-${key}/step.json`]: JSON.stringify({ key, results: [{ path: "m", sha256: key }] }),
      "events.jsonl": key,
    });
    expect(compare(study("aaaaaaaa"), study("bbbbbbbb"))).toEqual([]);
    const other = study("bbbbbbbb");
    other["steps/tune-bbbbbbbb/step.json"] = '{"key":"bbbbbbbb","results":[{"path":"n","sha256":"c"}]}';
    expect(compare(study("aaaaaaaa"), other)).toHaveLength(1);
  });
});

describe("values taken out of JSON", () => {
  it("leave every other byte, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), undefined, indent);
        expect(withoutValues(text, () => false)).toBe(text);
      }),
    );
  });

  it("go by the whole path, in lines as well, and half a line stays", () => {
    const omit = (path: readonly string[]): boolean => path.join(".") === "a.b";
    expect(withoutValues('{"a":[{"b": {"c":"}"}, "d":1}]}\n{"b":2}\n{"a":{"b', omit)).toBe(
      '{"a":[{"b": <b>, "d":1}]}\n{"b":2}\n{"a":{"b',
    );
  });
});
