import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StudyInput } from "../../records/study-file.js";
import { UserError } from "../../util/errors.js";
import { packageRoot } from "../../util/system.js";
import { loadStudy, merge, parseStudy, studyJsonSchema } from "./read.js";

const small = `version: 1
name: small
about: One arm.
models:
  base: { path: model }
data:
  rows: rows.jsonl
arms:
  response: { kind: response, data: rows }
`;

const lineOf = (text: string, scale?: string): string => {
  try {
    parseStudy(text, "s.yaml", scale);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "nothing wrong";
};

describe("a study file", () => {
  it("fills in what is not said", () => {
    const { study, scale } = parseStudy(small, "s.yaml");
    expect(scale).toBeUndefined();
    expect(study).toMatchObject({ seeds: [1], epochs: [5], epochs_from: "runs", judge: null, comparisons: [] });
    expect(study.template).toEqual({ name: "tulu", bos: "auto" });
  });
  it.each([
    ["an unknown key", `${small}sedes: [1]\n`, 's.yaml:10:8: Unrecognized key: "sedes"'],
    ["a wrong kind", small.replace("kind: response", "kind: respond"), "s.yaml:9:21: arms.response.kind: "],
    ["a wrong type", `${small}seeds: many\n`, "s.yaml:10:8: seeds: expected array, received string"],
    ["a seed twice", `${small}seeds: [1, 2, 1]\n`, "s.yaml:10:8: seeds: the same entry twice"],
    ["a missing key", small.replace("name: small\n", ""), "s.yaml:1:1: name: expected string, received undefined"],
    [
      "data without a name",
      small.replace("data: rows }", "data: row }"),
      's.yaml:9:37: arms.response.data: data has no "row"; it has rows',
    ],
    [
      "epochs to choose and nothing that chooses",
      `${small}epochs: [1, 2]\n`,
      "s.yaml:9:13: arms.response: several numbers of epochs",
    ],
    [
      "a comparison with nothing",
      `${small}generation: { prompts: rows }\ncomparisons:\n  - { arm: response, against: other }\n`,
      's.yaml:12:31: comparisons[0].against: arms has no "other"',
    ],
    [
      "a comparison of answers that nobody gives",
      `${small}comparisons:\n  - { arm: response, against: response }\n`,
      "s.yaml:11:5: comparisons[0]: there is no `generation`",
    ],
    ["half a map", "version: 1\nname: [small\n", "s.yaml:3:1: "],
    ["no map", "- 1\n", "s.yaml:1:1: a study is a map"],
  ])("complains of %s with line and column", (_what, text, message) => {
    expect(lineOf(text).slice(0, message.length)).toBe(message);
  });
  it("complains of a scale where the scale stands, whichever is asked for", () => {
    const text = `${small}scale: a\nscales:\n  a: { seeds: [3] }\n  b:\n    seeds: []\n`;
    expect(lineOf(text)).toMatch(/^s\.yaml:14:12: seeds: /);
    expect(() => parseStudy(text.replace("[]", "[4]"), "s.yaml", "c")).toThrow(
      expect.objectContaining({
        message: 's.yaml:12:3: there is no scale "c"',
        remedy: "this study has a, b: name one of them",
      }),
    );
    expect(() => parseStudy(small, "s.yaml", "c")).toThrow(
      expect.objectContaining({ remedy: "this study has none: leave scale out" }),
    );
    expect(parseStudy(text.replace("[]", "[4]"), "s.yaml", "b").study.seeds).toEqual([4]);
    expect(parseStudy(text.replace("[]", "[4]"), "s.yaml").study.seeds).toEqual([3]);
  });
});

describe("a scale", () => {
  it("is laid over maps, replaces lists, removes with null, and replaces a map of another kind", () => {
    const base = { a: { x: 1, y: 2 }, list: [1, 2], gone: 1, selection: { measure: "win_rate", prompts: "p" } };
    const over = { a: { y: 3 }, list: [3], gone: null, selection: { measure: "loss", data: "d" }, fresh: 1 };
    expect(merge(base, over)).toEqual({
      a: { x: 1, y: 3 },
      list: [3],
      selection: { measure: "loss", data: "d" },
      fresh: 1,
    });
    expect(base.gone).toBe(1);
  });
});

describe("the studies of the package", () => {
  const names = readdirSync(join(packageRoot(), "studies"))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -5));
  it("are those that the help names", () => {
    expect(names.sort()).toEqual([
      "contamination",
      "glasshouse",
      "ranking",
      "rephrasing",
      "response-tuning",
      "role-tags",
      "rules",
      "single-task",
      "tiny",
    ]);
  });
  it.each(names)("%s is a study at every scale and has the name of its file", async (name) => {
    const { study, scales } = await loadStudy(name);
    expect(study.name).toBe(name);
    const own: Record<string, string[]> = {
      tiny: [],
      contamination: [],
      glasshouse: ["full", "demo", "quick", "tiny"],
    };
    expect(scales).toEqual(own[name] ?? ["paper", "laptop", "short", "tiny"]);
  });
  it("carry the paper's numbers at its scale", async () => {
    const { study } = await loadStudy("response-tuning", "paper");
    expect(study).toMatchObject({
      seeds: [1, 2, 3, 4, 5],
      epochs: [5, 7, 10, 15, 20],
      epochs_from: "runs",
      tune: { preset: "paper", batch: 64, lr: 1e-5, max_length: 2048 },
      selection: { measure: "win_rate" },
      generation: { max_new_tokens: 8192 },
    });
    expect(study.arms.response?.published).toEqual({
      "Llama-2-7B": { mean: 43.3, sd: 1.1 },
      "OLMo-7B-Feb2024": { mean: 43.7, sd: 1.7 },
    });
    const tasks = (await loadStudy("single-task", "paper")).study.arms;
    const means = Object.values(tasks).map(({ published }) => Object.values(published ?? {}).map(({ mean }) => mean));
    expect(means).toEqual([[], [16.9, 10.4], [23.7, 30.3], [22.9, 21.9], [14.6, 21.5], [2.1, 6.3]]);
  });
});

it("the JSON Schema names every key of a study", () => {
  const schema = studyJsonSchema() as { properties: Record<string, unknown>; required: string[] };
  expect(Object.keys(schema.properties)).toEqual(
    expect.arrayContaining(["arms", "seeds", "epochs", "judge", "scales"]),
  );
  expect(schema.required).toEqual(["version", "name", "about", "models", "data", "arms"]);
});

describe("a study that a script gives", () => {
  const given: StudyInput = {
    ...{ version: 1, name: "mine", about: "x", models: { base: { path: "m" } }, data: {} },
    arms: { untuned: { kind: "untuned" } },
  };
  it("is read as its file is", async () => {
    const file = parseStudy(JSON.stringify(given), "mine.yaml");
    expect(await loadStudy(given)).toMatchObject({ ...file, path: undefined, shipped: undefined });
  });
  it("is refused by key where it is none", async () => {
    const wrong = { ...given, arms: { untuned: { kind: "untuned", models: ["other"] } } } as StudyInput;
    await expect(loadStudy(wrong)).rejects.toThrow(/^the study: arms\.untuned\.models\[0\]: models has no "other"/);
    await expect(loadStudy({ ...given, seeds: [1, 1] })).rejects.toThrow(/^the study: seeds: the same entry twice/);
    await expect(loadStudy(given, "large")).rejects.toThrow(/there is no scale "large"/);
  });
});
