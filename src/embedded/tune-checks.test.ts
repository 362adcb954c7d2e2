/** Each refusal of a run that could not end, with its remedy; and that what is just enough is enough. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelFolder, rowOf, trainingOf } from "../../test/parity/fixtures.js";
import { runModel } from "../../test/parity/running.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { Training } from "../engine/tuning.js";
import { parameterCount } from "../models/open.js";
import type { Row } from "../records/row.js";
import { UserError } from "../util/errors.js";
import { heldDisk, refuseForeignRows, refuseFullDisk, refusingForeign } from "./tune-checks.js";

const { model } = await runModel(modelFolder("llama"));
const folder = temporaryFolder();
const rows = trainingOf("llama").rows.map(rowOf);
const options: Training = {
  epochs: 5,
  batch: 64,
  learningRate: 1e-5,
  schedule: "cosine",
  warmup: 0.1,
  reduction: "paper",
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  seed: 0,
  shuffle: true,
  microTokens: 2048,
  saveEveryEpoch: false,
};

function lineOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).line;
  }
  return "";
}

const rowWith = (inputIds: readonly number[]): Row => ({ ...rows[0]!, id: "bad", inputIds, labels: inputIds });

describe("rows that are made later", () => {
  const of = (at: Row, longest = at) => refusingForeign(model, { length: 1, longest, at: () => at }, "DIR");

  it("are looked at when they are made", () => {
    expect(of(rows[0]!).at(0)).toBe(rows[0]);
    expect(lineOf(() => of(rowWith([1, 90_000]), rows[0]).at(0))).toMatch("row bad has id 90000");
    expect(() => of(rowWith(Array(40).fill(1)), rowWith([1, 2])).at(0)).toThrow("longer than the longest");
  });
  it("of an array are the array", () => {
    expect(refusingForeign(model, rows, "DIR")).toBe(rows);
  });
});

describe("refuseForeignRows", () => {
  it("names row, id and vocabulary", () => {
    expect(lineOf(() => refuseForeignRows(model, [rows[0]!, rowWith([1, 396, 397])], "models/base"))).toBe(
      "row bad has id 397; the model has 397 entries; render with the tokenizer of models/base",
    );
  });
  it("names row, length and positions; one id more than positions still fits, because the last is only a target", () => {
    const of = (length: number) => lineOf(() => refuseForeignRows(model, [rowWith(new Array(length).fill(5))], "m"));
    expect(of(129)).toBe("");
    expect(of(130)).toBe("row bad has 130 ids; the model has 128 positions; pass maxLength: 128");
  });
  it("lets rows pass that go with the model", () => {
    expect(lineOf(() => refuseForeignRows(model, rows, "m"))).toBe("");
  });
});

describe("refuseFullDisk", () => {
  const bytes = 4 * parameterCount(model);
  it("wants two checkpoints of three arrays each, and the model", () => {
    expect(lineOf(() => refuseFullDisk(model, options, 7 * bytes))).toBe("");
    expect(lineOf(() => refuseFullDisk(model, options, 7 * bytes - 1))).toMatch(
      /on the disk \(two checkpoints [\d.]+ kB, the tuned model [\d.]+ kB\); [\d.]+ kB are free; free some, or name an out/,
    );
  });
  it("and a model an epoch where each is kept", () => {
    const each = { ...options, saveEveryEpoch: true };
    expect(lineOf(() => refuseFullDisk(model, each, 12 * bytes))).toBe("");
    expect(lineOf(() => refuseFullDisk(model, each, 12 * bytes - 1))).not.toBe("");
  });
});

describe("what a run before holds of the disk", () => {
  const out = folder.path("run");
  const held = (resume: boolean, saveEveryEpoch: boolean) =>
    heldDisk({ out, checkpoints: join(out, "checkpoints"), resume }, { saveEveryEpoch });

  it("is nothing where there is none", async () => expect(await held(false, false)).toBe(0));
  it("is what this one resumes from, or removes", async () => {
    const files = { "checkpoints/a/state": 700, "epoch-1/model": 30, "epoch-2/model": 5, "model.safetensors": 2000 };
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(out, name)), { recursive: true });
      writeFileSync(join(out, name), new Uint8Array(bytes));
    }
    writeFileSync(join(out, "metrics.jsonl"), "of no size that counts");
    expect([await held(true, false), await held(true, true), await held(false, false)]).toEqual([700, 735, 2735]);
  });
});
