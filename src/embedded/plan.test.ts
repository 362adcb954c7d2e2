/** What a model is said to need: never less with more parameters, near what was measured, and a remedy that fits. */
import { describe, expect, it } from "vitest";
import { modelFolder, rowOf, trainingOf } from "../../test/parity/fixtures.js";
import { runModel } from "../../test/parity/running.js";
import type { ModelUse } from "../engine/opened.js";
import { refuseTooLarge } from "../engine/refusals.js";
import type { Precision } from "../engine/requests.js";
import type { Training } from "../engine/tuning.js";
import { modelFromConfig, parameterCount } from "../models/open.js";
import type { Row } from "../records/row.js";
import { UserError } from "../util/errors.js";
import { planUse, runMemory } from "./plan.js";

const llama = (sizes: Record<string, unknown>) =>
  modelFromConfig(
    {
      ...{ model_type: "llama", hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 8, vocab_size: 32_000 },
      ...{ num_attention_heads: 8, num_key_value_heads: 8, max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
      ...{ tie_word_embeddings: false, ...sizes },
    },
    "config.json",
  );
const wide = { hidden_size: 4096, intermediate_size: 11_008, num_attention_heads: 32, num_key_value_heads: 32 };
const seven = llama({ ...wide, num_hidden_layers: 32 });
const two = llama({ ...wide, num_hidden_layers: 2 }); // to read its graph takes less
/** A use, and the precision that it is computed with. */
interface Asked {
  readonly use: ModelUse;
  readonly precision: Precision;
}
/** One prompt of no length, or as many of that length. */
const running = (precision: Precision, more: { rows?: number; positions?: number } = {}): Asked => {
  const { rows = 1, positions = 0 } = more;
  const promptTokens = new Array<number>(rows).fill(positions);
  return { precision, use: { for: "generating", batch: rows, promptTokens, maxNewTokens: 100 } };
};
const tuning: Asked = { precision: "f32", use: { for: "tuning" } };
const GB = 1e9;
const planOf = ({ use, precision }: Asked, model = two, freeBytes = Number.MAX_SAFE_INTEGER) =>
  planUse(model, use, { precision, threads: 1, freeBytes });
const neededBytes = (model: typeof two, asked: Asked): number => planOf(asked, model).bytes;

function lineOf(asked: Asked, free: number, model = two): string {
  try {
    refuseTooLarge({ ref: "seven" }, planOf(asked, model, free));
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).line;
  }
  return "";
}

const USES: readonly Asked[] = [running("f32"), running("q8"), tuning];

describe("what a model needs", () => {
  it.each(USES)("grows with the model: %j", (asked) => {
    const sizes = [
      [{ num_hidden_layers: 1 }, { num_hidden_layers: 2 }, { num_hidden_layers: 9 }],
      [{ hidden_size: 512 }, { hidden_size: 1024 }, { hidden_size: 2048 }],
      [{ vocab_size: 1000 }, { vocab_size: 32_000 }, { vocab_size: 256_000 }],
      [{ tie_word_embeddings: true }, { tie_word_embeddings: false }],
    ];
    for (const growing of sizes) {
      const needs = growing.map((one) => neededBytes(llama(one), asked));
      expect(needs.every((need, i) => i === 0 || need >= needs[i - 1]!)).toBe(true);
      expect(needs.at(-1)).toBeGreaterThanOrEqual(needs[0]!);
    }
  });

  it("grows with rows and their lengths, and is less in 8 bits", () => {
    const needs = [running("q8"), running("f32"), running("f32", { rows: 8, positions: 100 })].map((use) =>
      neededBytes(two, use),
    );
    expect(needs[0]).toBeLessThan(needs[1]!);
    expect(needs[1]).toBeLessThan(needs[2]!);
    expect(needs[2]).toBeLessThan(neededBytes(two, running("f32", { rows: 8, positions: 1000 })));
  });

  it("is for 7B within 2 % of twice its float32 values, and for tuning four times them", () => {
    const floats = 4 * parameterCount(seven);
    expect(neededBytes(seven, running("f32")) / floats).toBeCloseTo(2, 1);
    expect(neededBytes(seven, tuning)).toBe(4 * floats);
  });
});

/** The peak of `tacit generate` on Linux with Node 20, one prompt, as the system told it (VmHWM), in kB. */
const MEASURED: readonly (readonly [tied: boolean, precision: "f32" | "q8", peak: number])[] = [
  [true, "f32", 1_577_744],
  [true, "q8", 815_524],
  [false, "f32", 1_571_332],
];

it.each(MEASURED)("tied %s, %s: the peak was more by what a process takes without a model", (tied, precision, peak) => {
  const beyond = peak * 1024 - neededBytes(llama({ tie_word_embeddings: tied }), running(precision));
  expect(beyond).toBeGreaterThan(0); // nothing is refused that runs
  expect(beyond).toBeLessThan(0.35 * GB);
});

describe("a model that does not fit", () => {
  it("is refused with what it needs, what is free, and 8 bits where they help", () => {
    expect(lineOf(running("f32"), 23 * GB, seven)).toBe(
      'seven needs about 54.0 GB of memory for running; 23.0 GB are free; pass precision: "q8", which needs about 16.4 GB',
    );
    expect(lineOf(tuning, 23 * GB, seven)).toMatch(/needs about 108 GB of memory for tuning; .* take a smaller/);
    const [whole, rounded] = [neededBytes(two, running("f32")), neededBytes(two, running("q8"))];
    expect(lineOf(running("f32"), rounded)).toMatch(/pass precision: "q8", which needs about/);
    expect(lineOf(running("f32"), rounded - 1)).toMatch(/free; take a smaller model, or a machine with more memory$/);
    expect(lineOf(running("q8"), rounded - 1)).toMatch(/take a smaller model/);
    expect(lineOf(running("q8"), rounded)).toBe("");
    expect(lineOf(running("f32"), whole)).toBe("");
    expect(lineOf(running("f32"), whole - 1)).not.toBe("");
  });

  it("is computed with fewer rows at once where that helps, which then fit", () => {
    const use = { rows: 64, positions: 2000 };
    const free = neededBytes(two, running("f32", { ...use, rows: 5 })) + 1;
    expect(lineOf(running("f32", use), free)).toMatch(/pass batch: 5, which fits$/);
    expect(lineOf(running("f32", { ...use, rows: 5 }), free)).toBe("");
    const less = neededBytes(two, running("f32", { ...use, rows: 1 })) - 1;
    expect(lineOf(running("f32", use), less)).toMatch(/pass precision: "q8" batch: 1, which needs/);
  });
});

const { model } = await runModel(modelFolder("llama"));
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
function refuseRun(free: number): void {
  const work = { rows, options, heldOut: [] };
  refuseTooLarge({ ref: "m" }, planOf({ use: { for: "tuning", work }, precision: "f32" }, model, free));
}
const lineOfRun = (run: () => void): string => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).line;
  }
  return "";
};

describe("a run of tuning that does not fit", () => {
  const need = runMemory(model, rows, options, []);
  it("lets a run pass that needs what is free, and refuses it at a byte less, saying what takes how much", () => {
    expect(lineOfRun(() => refuseRun(need.total))).toBe("");
    const line = lineOfRun(() => refuseRun(need.total - 1));
    expect(line).toMatch(
      /^m needs about [\d.]+ MB of memory for tuning \(weights [\d.]+ kB, gradients [\d.]+ kB, Adam [\d.]+ kB, activations [\d.]+ MB\); [\d.]+ MB are free; pass microTokens: \d+, which needs about [\d.]+ [kM]B$/,
    );
  });
  it("proposes the largest number of positions that fits", () => {
    const at = (microTokens: number) => runMemory(model, rows, { ...options, microTokens }, []).total;
    expect(at(512)).toBeLessThan(need.total);
    expect(lineOfRun(() => refuseRun(at(512)))).toContain("microTokens: 512");
    expect(lineOfRun(() => refuseRun(at(512) - 1))).toContain("microTokens: 256");
  });
  it("proposes both ways of saving memory where neither is enough", () => {
    const at = (changes: Partial<Training>) => runMemory(model, rows, { ...options, ...changes }, []).total;
    const both = at({ microTokens: 128, recompute: true });
    expect(both).toBeLessThan(Math.min(at({ microTokens: 128 }), at({ recompute: true })));
    expect(lineOfRun(() => refuseRun(both))).toContain("microTokens: 128 recompute");
  });
  it("proposes another model where nothing fits", () => {
    expect(lineOfRun(() => refuseRun(1000))).toMatch(/take a smaller model or shorter rows/);
  });
  it("asks for no more than the rows and the batch can fill", () => {
    const at = (batch: number) => runMemory(model, rows, { ...options, batch }, []).activations;
    expect(at(1)).toBeLessThan(at(4));
    expect(at(14)).toBe(at(64)); // 14 rows there are
  });
  it("counts the rows held out as they are computed: as many at once as positions allow, whatever the batch", () => {
    const at = (heldOut: readonly Row[]) => runMemory(model, rows, { ...options, batch: 1 }, heldOut).total;
    expect(at(rows)).toBeGreaterThan(at(rows.slice(0, 1)));
    expect(at(rows.slice(0, 1))).toBeGreaterThan(at([]));
  });
});
