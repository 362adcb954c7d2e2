import { expect, it } from "vitest";
import { studySchema } from "../records/study-file.js";
import { howToRepeat } from "./repeat.js";

const inputs = (list: readonly (readonly [role: string, name: string, path: string])[]) =>
  list.map(([role, name, path]) => ({ role, name, path, hash: "0" }));

/** A study's record as `tacit study` writes it, with these of its file's keys. */
const recordOf = (keys: object, read: ReturnType<typeof inputs>) =>
  ({
    ...{ source: { path: "my studies/s.yaml", sha256: "0" }, scale: null, inputs: read },
    study: studySchema.parse({
      ...{ version: 1, name: "s", about: "x", models: { base: { path: "base" } }, data: {}, arms: {} },
      ...keys,
    }),
    settings: { engine: "embedded", threads: 2 },
  }) as unknown as Parameters<typeof howToRepeat>[0];

const flagsOf = (command: string): string[] =>
  command
    .split(" \\\n")
    .map((line) => line.trim())
    .slice(1, -1);

const similarity = (name: string, encoder: string) => ({ kind: "similarity", name, encoder });

it("gives every flag that may have been given: data, the folder of data, a server of embeddings, seeds, length control", () => {
  const command = howToRepeat(
    recordOf(
      {
        data: { a: "lima:$data/lima/rows.jsonl", b: "alpaca:/given/it's.json", c: "beside.jsonl" },
        seeds: [3, 1],
        judge: "/given/judge.yaml",
        length_control: { data: "$data/lc" },
        analyses: [similarity("one", "http://localhost:8080#small"), similarity("two", "http://localhost:8080#small")],
      },
      inputs([
        ["model", "base", "/given/model"],
        ["data", "a", "sets/lima/rows.jsonl"],
        ["data", "b", "/given/it's.json"],
        ["data", "c", "my studies/beside.jsonl"],
        ["judge", "judge", "/given/judge.yaml"],
        ["length-control", "length-control", "sets/lc"],
      ]),
    ),
  );
  expect(command).toMatch(/^tacit study run 'my studies\/s\.yaml' \\\n/);
  expect(flagsOf(command)).toEqual([
    "--model base=/given/model",
    "--data-dir sets",
    "--data 'b=alpaca:/given/it'\\''s.json'",
    "--judge /given/judge.yaml",
    "--encoder http://localhost:8080#small".replace(/(http.*)/, "'$1'"),
    "--lc-data sets/lc",
    "--seeds 3,1",
    "--threads 2",
  ]);
});

it("leaves several encoders to the file, which the flag would make one, but says where the folder of data is", () => {
  const analyses = [similarity("one", "$data/small"), similarity("two", "/large")];
  const read = inputs([
    ["encoder", "one", "/sets/small"],
    ["encoder", "two", "/large"],
  ]);
  expect(flagsOf(howToRepeat(recordOf({ analyses }, read)))).toEqual([
    "--data-dir /sets",
    "--judge none",
    "--seeds 1",
    "--threads 2",
  ]);
});
