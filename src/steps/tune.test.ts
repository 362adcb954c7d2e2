/** A run's files from beginning to end, each refusal, and going on: in this process, on a model of one small layer. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { mockEngine } from "../../test/mock-engine.js";
import { oneLayerModel } from "../../test/one-layer.js";
import { modelFolder } from "../../test/parity/fixtures.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { Engine } from "../engine/engine.js";
import { tuneOptions } from "../options/tune.js";
import type { StepEvent, Watch } from "../records/events.js";
import { type MetricsLine, type TuneRunRecord, tuneRunSchema } from "../records/tune.js";
import { Interrupted, UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { acquireLock } from "../util/lock.js";
import { withDefaults } from "../util/options.js";
import { openEngine } from "./open-engine.js";
import { longestResponse } from "./tune/rows.js";
import { type TuneRequest, tune, tuneInOwnFolder } from "./tune.js";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 }); // some tests tune several times, on whatever machine there is

const folder = temporaryFolder();
const model = oneLayerModel(folder);
const data = folder.write(
  "rows.jsonl",
  Array.from(
    { length: 9 },
    (_, i) => `${JSON.stringify({ instruction: `${i}?`, response: "ab".repeat(1 + i) })}\n`,
  ).join(""),
);

/** Two epochs of three steps; the last of each is short. */
const request = (out: string, changes: Partial<TuneRequest> = {}): TuneRequest => ({
  model,
  data,
  objective: "response",
  out: folder.path(out),
  epochs: 2,
  batch: 3,
  holdOut: 1,
  learningRate: 1e-3,
  ...(changes.engine === undefined ? { threads: 1 } : {}),
  ...changes,
});

const linesOf = (out: string, name = "metrics.jsonl"): MetricsLine[] =>
  readFileSync(join(folder.path(out), name), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as MetricsLine);
const untimed = (lines: readonly MetricsLine[]) => lines.map(({ seconds: _, ...line }) => line);
/** Byte for byte, without vitest's comparison, which takes a second for a file like these. */
const sameWeights = (a: string, b: string, name = "model.safetensors"): boolean =>
  readFileSync(join(folder.path(a), name)).equals(readFileSync(join(folder.path(b), name)));

async function lineOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const { line } = error as UserError;
  expect(line).not.toContain("\n");
  return line;
}

/** Stops after the step of that index. */
function stoppingAt(step: number): Watch {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.event === "progress" && event.done === step + 1) controller.abort();
    },
  };
}

/** The embedded engine, told what is free; it says what it was asked. */
function told(free: { memory: number; disk: number }): Engine {
  const engine = openEngine({ threads: 1 });
  return {
    ...engine,
    async open(model) {
      const opened = await engine.open(model);
      return { ...opened, tune: (rows, options, run) => opened.tune!(rows, options, { ...run, free }) };
    },
  };
}

let whole: TuneRunRecord;
beforeAll(async () => {
  whole = await tune(request("whole", { saveEveryEpoch: true }));
});

describe("a run from beginning to end", () => {
  it("leaves a model directory, a line a step, the losses of the rows held out and its record, and nothing else", () => {
    const model = [
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ];
    expect(readdirSync(folder.path("whole")).sort()).toEqual(
      [...model, "epoch-1", "epoch-2", "events.jsonl", "held_out.jsonl", "metrics.jsonl", "run.json"].sort(),
    );
    for (const epoch of ["epoch-1", "epoch-2"])
      expect(readdirSync(join(folder.path("whole"), epoch)).sort()).toEqual(model);
    expect(sameWeights("whole/epoch-2", "whole")).toBe(true);
    expect(sameWeights("whole/epoch-1", "whole")).toBe(false);
  });
  it("counts steps from 0, as the schedule does, and rows, tokens and epochs", () => {
    const lines = linesOf("whole");
    expect(lines.map(({ step, epoch, examples }) => [step, epoch, examples])).toEqual([
      [0, 1, 3],
      [1, 1, 3],
      [2, 1, 2],
      [3, 2, 3],
      [4, 2, 3],
      [5, 2, 2],
    ]);
    expect(Object.keys(lines[0]!)).toEqual([
      "step",
      "epoch",
      "loss",
      "lr",
      "grad_norm",
      "examples",
      "tokens",
      "supervised_tokens",
      "seconds",
    ]);
    const cosine = (i: number): number => (i < 1 ? i : 0.5 * (1 + Math.cos((Math.PI * (i - 1)) / 5)));
    for (const { step, lr } of lines) expect(lr).toBeCloseTo(1e-3 * cosine(step), 12);
    const supervised = (from: number): number =>
      lines.slice(from, from + 3).reduce((sum, line) => sum + line.supervised_tokens, 0);
    expect(supervised(0)).toBe(supervised(3));
    expect(lines[5]!.loss).toBeLessThan(lines[2]!.loss);
  });
  it("measures the rows held out before training and after every epoch, in updates made", () => {
    expect(linesOf("whole", "held_out.jsonl").map(({ step, epoch }) => [step, epoch])).toEqual([
      [0, 0],
      [3, 1],
      [6, 2],
    ]);
    expect(linesOf("whole", "held_out.jsonl")).toEqual(whole.held_out);
    expect(whole.held_out[2]!.loss).toBeLessThan(whole.held_out[0]!.loss);
  });
  it("records what determined it", () => {
    expect(tuneRunSchema.parse(JSON.parse(readFileSync(folder.path("whole/run.json"), "utf8")))).toEqual(whole);
    expect(whole).toMatchObject({
      engine: "embedded",
      template: "{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}",
      data: { rows: 8, held_out: 1, too_long: 0, left_out: [] },
      options: {
        objective: "response",
        epochs: 2,
        batch: 3,
        lr: 1e-3,
        schedule: "cosine",
        reduction: "paper",
        threads: 1,
      },
      certificate: {
        objective: "response",
        rows: 8,
        supervised_tokens: linesOf("whole")
          .slice(0, 3)
          .reduce((sum, line) => sum + line.supervised_tokens, 0),
      },
      held_out_certificate: { objective: "response", rows: 1 },
      steps: 6,
      final_loss: linesOf("whole")[5]!.loss,
    });
    expect(whole.weights_sha256).toMatch(/^[0-9a-f]{64}$/);
  });
  it("takes defaults from the preset, and what is given beside it wins", async () => {
    const { options } = await tune(request("preset", { preset: "reference", epochs: 1, maxSteps: 1 }));
    expect(Object.keys(options).join(" ")).toBe(
      "objective preset epochs batch lr schedule warmup reduction adam clip seed shuffle max_steps limit max_length " +
        "max_response_tokens hold_out skip_empty bos micro_tokens recompute threads dtype",
    );
    expect(options).toMatchObject({
      schedule: "linear",
      warmup: 0.03,
      reduction: "reference",
      epochs: 1,
      max_steps: 1,
    });
    expect(withDefaults(tuneOptions, {})).toMatchObject({
      epochs: 5,
      batch: 64,
      learningRate: 1e-5,
      schedule: "cosine",
      warmup: 0.1,
    });
  });
  it("ends early where it is told to; the schedule stays that of the whole", async () => {
    const record = await tune(request("short", { maxSteps: 4 }));
    expect(record.steps).toBe(4);
    expect(untimed(linesOf("short"))).toEqual(untimed(linesOf("whole").slice(0, 4)));
    expect(linesOf("short", "held_out.jsonl").map(({ step, epoch }) => [step, epoch])).toEqual([
      [0, 0],
      [3, 1],
      [4, 2],
    ]);
  });
  it("leaves out and counts rows with long responses", async () => {
    const record = await tune(request("long", { maxResponseTokens: 7, holdOut: 0, maxSteps: 1 }));
    expect(record.data.too_long).toBeGreaterThan(0);
    expect(record.data.rows + record.data.too_long).toBe(9);
    expect(record.certificate.rows).toBe(record.data.rows);
    expect(record.certificate.responses_stopped).toBe(record.data.rows);
    expect(record.held_out_certificate).toBe(undefined);
    const row = { id: "r", inputIds: [], promptTokens: 0, merged: false, cut: false };
    expect(longestResponse({ ...row, labels: [-100, 5, 6, 2, -100, 7, 8, 9, 2] }, 2)).toBe(3);
  });
});

describe("a run that was stopped", () => {
  it.each([0, 1, 2, 4])("after step %i goes on to the same bytes", async (step) => {
    const out = `stopped ${step}`;
    const stopped = tune(request(out, { saveEveryEpoch: true }), stoppingAt(step));
    await expect(stopped).rejects.toThrow(Interrupted);
    await expect(stopped).rejects.toThrow(`after step ${step + 1} of 6; give the same command again to resume`);
    expect(readdirSync(folder.path(out))).not.toContain(".lock");
    expect(readdirSync(folder.path(out))).not.toContain("model.safetensors");
    let resumedAt = -1;
    const record = await tune(request(out, { saveEveryEpoch: true, ...(step % 2 === 0 ? {} : { resume: true }) }), {
      onEvent: (event) => {
        if (event.event === "begin") resumedAt = event.reused;
      },
    });
    expect(resumedAt).toBe(step + 1);
    expect(record.weights_sha256).toBe(whole.weights_sha256);
    expect(record.held_out).toEqual(whole.held_out);
    expect(untimed(linesOf(out))).toEqual(untimed(linesOf("whole")));
    for (const name of ["", "epoch-1/", "epoch-2/"])
      expect(sameWeights(out, "whole", `${name}model.safetensors`), name).toBe(true);
    expect(readdirSync(folder.path(out)).sort()).toEqual(readdirSync(folder.path("whole")).sort());
  });
  it("before its first step begins anew", async () => {
    const stopped = tune(request("nothing"), { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow("before the first step was complete");
    const record = await tune(request("nothing"));
    expect(record.weights_sha256).toBe(whole.weights_sha256);
    expect(untimed(linesOf("nothing"))).toEqual(untimed(linesOf("whole")));
  });
  it("is resumed by the same call with force as well, and replaced by another", async () => {
    await expect(tune(request("kept", { force: true }), stoppingAt(1))).rejects.toThrow(Interrupted);
    const resumedAt: number[] = [];
    const hear = (event: StepEvent): void => void (event.event === "begin" && resumedAt.push(event.reused));
    const { signal, onEvent } = stoppingAt(2);
    const both = (event: StepEvent): void => {
      hear(event);
      onEvent?.(event);
    };
    await expect(tune(request("kept", { force: true }), { signal, onEvent: both })).rejects.toThrow(Interrupted);
    expect(await lineOf(tune(request("kept", { learningRate: 2e-3 })))).toMatch(
      /kept holds an unfinished run of another kind: lr was 0.001 and is 0.002; .* or pass force to replace it$/,
    );
    const record = await tune(request("kept", { force: true, maxSteps: 1 }), { onEvent: hear });
    expect([resumedAt, record.steps]).toEqual([[2, 0], 1]);
  });
  it("when only its traces were left to remove, ends well", async () => {
    cpSync(folder.path("whole"), folder.path("cut off"), { recursive: true });
    writeFileSync(folder.path("cut off/.lock"), ""); // of a process that died
    const record = await tune(request("cut off", { saveEveryEpoch: true }));
    expect(record).toEqual(whole);
    expect(await lineOf(tune(request("cut off", { saveEveryEpoch: true })))).toContain("already exists");
  });
  it("goes on with nothing else: options, data and threads must be the same, and the line says what is not", async () => {
    await expect(tune(request("other"), stoppingAt(1))).rejects.toThrow(Interrupted);
    const again = (changes: Partial<TuneRequest>) => lineOf(tune(request("other", { resume: true, ...changes })));
    expect(await again({ learningRate: 2e-3, epochs: 3 })).toMatch(
      /other holds an unfinished run of another kind: epochs was 2 and is 3, lr was 0.001 and is 0.002; repeat the options/,
    );
    expect(await again({ threads: 2 })).toContain("threads was 1 and is 2");
    expect(await again({ model: modelFolder("llama") })).toContain("the model is another one");
    const longer = folder.write("longer.jsonl", `${readFileSync(data, "utf8")}{"instruction":"a","response":"b"}\n`);
    expect(await again({ data: longer })).toMatch(/of another kind: the rows are others;/);
    expect(await again({ maxSteps: 1 })).toMatch(/2 steps are done already, more than the 1 asked for; raise maxSteps/);
    const moved = folder.path("moved.jsonl"); // where the rows lie does not matter
    cpSync(data, moved);
    const other = request("other", { resume: true, data: moved, recompute: true }); // nor how memory is saved
    expect((await tune(other)).weights_sha256).toBe(whole.weights_sha256);
  });
  it("refuses where lines of steps that are done are missing", async () => {
    await expect(tune(request("lost"), stoppingAt(3))).rejects.toThrow(Interrupted);
    writeFileSync(folder.path("lost/metrics.jsonl"), `${JSON.stringify(linesOf("lost")[0])}\n`);
    expect(await lineOf(tune(request("lost", { resume: true })))).toMatch(
      /metrics.jsonl has not one line for each of the 4 steps that are done; remove .*lost\/checkpoints to train/,
    );
  });
  it("takes back lines of steps that no checkpoint holds, and files that were being written", async () => {
    await expect(tune(request("ahead"), stoppingAt(2))).rejects.toThrow(Interrupted);
    const [first] = linesOf("ahead");
    const file = folder.path("ahead/metrics.jsonl");
    writeFileSync(file, `${readFileSync(file, "utf8")}${JSON.stringify({ ...first, step: 3 })}\n{"step":4,"epo`);
    mkdirSync(folder.path("ahead/.epoch-1.partial"));
    writeFileSync(folder.path("ahead/.0123456789ab.partial"), "half");
    mkdirSync(folder.path("ahead/checkpoints/.checkpoint-9.partial"));
    const record = await tune(request("ahead", { resume: true }));
    expect(record.weights_sha256).toBe(whole.weights_sha256);
    expect(untimed(linesOf("ahead"))).toEqual(untimed(linesOf("whole")));
    expect(readdirSync(folder.path("ahead")).filter((name) => /partial|checkpoints|unfinished/.test(name))).toEqual([]);
  });
});

describe("a run of version 0.1", () => {
  /** As that version named it. */
  const nameThen = ({ versions, model, data }: Pick<TuneRunRecord, "versions" | "model" | "data">): string => {
    const schedule = { learningRate: 1e-3, schedule: "cosine", warmup: 0.1, reduction: "paper" };
    const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const options = { epochs: 2, batch: 3, ...schedule, adam, seed: 0, shuffle: true, microTokens: 2048 };
    return sha256(JSON.stringify([versions.tacit, "embedded", 1, model.hash, data.rows_sha256, options]));
  };
  /** Writes `name` over what stands for the run in the folder's files. */
  const rename = (out: string, name: string): void => {
    const checkpoints = join(folder.path(out), "checkpoints");
    const states = existsSync(checkpoints)
      ? readdirSync(checkpoints).map((checkpoint) => join(checkpoints, checkpoint, "state.json"))
      : [];
    for (const path of [...["run.json", "unfinished.json"].map((file) => join(folder.path(out), file)), ...states]) {
      if (!existsSync(path)) continue;
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), fingerprint: name }));
    }
  };
  const hearing = (heard: string[]): Watch => ({
    onEvent: (event) => {
      if (event.event === "note") heard.push(event.text);
      if (event.event === "begin") heard.push(`begins at ${event.reused}`);
    },
  });

  it("that is finished is the answer", async () => {
    cpSync(folder.path("whole"), folder.path("then"), { recursive: true });
    rename("then", nameThen(whole));
    expect(await tune(request("then", { resume: true, saveEveryEpoch: true }))).toEqual({
      ...whole,
      fingerprint: nameThen(whole),
    });
  });
  it("that is not finished is resumed, and one that nobody can tell apart is refused in one line", async () => {
    await expect(tune(request("cut then"), stoppingAt(3))).rejects.toThrow(Interrupted);
    rename("cut then", "f".repeat(64));
    expect(await lineOf(tune(request("cut then")))).toMatch(
      /cut then holds an unfinished run of another kind: another engine or an older version of Tacit began it; pass force to train again$/,
    );
    rename("cut then", nameThen(whole));
    const heard: string[] = [];
    const record = await tune(request("cut then"), hearing(heard));
    expect(heard).toContain("begins at 4");
    expect([record.weights_sha256, record.fingerprint]).toEqual([whole.weights_sha256, nameThen(whole)]);
  });
  it("in the folder of a study's step is begun from scratch where it cannot be resumed, with a note", async () => {
    await expect(tune(request("step"), stoppingAt(3))).rejects.toThrow(Interrupted);
    rename("step", "f".repeat(64));
    const heard: string[] = [];
    const record = await tuneInOwnFolder(request("step"), hearing(heard));
    expect(heard).toContain(
      `${folder.path("step")} holds an unfinished run of another kind (another engine or an older version of Tacit began it): training begins from scratch`,
    );
    expect(heard).toContain("begins at 0");
    expect(record).toMatchObject({ weights_sha256: whole.weights_sha256, fingerprint: whole.fingerprint });
    expect(untimed(linesOf("step"))).toEqual(untimed(linesOf("whole")));
    expect(existsSync(folder.path("step/checkpoints"))).toBe(false);
    expect(await tuneInOwnFolder(request("step"), {})).toEqual(record); // finished: nothing is done again
    rename("step", "f".repeat(64));
    expect((await tuneInOwnFolder(request("step"), {})).fingerprint).toBe(whole.fingerprint);
  });
});

describe("a finished run", () => {
  it("asked to go on says so and does nothing", async () => {
    const before = statSync(folder.path("whole/model.safetensors")).mtimeMs;
    const told: string[] = [];
    const again = await tune(request("whole", { resume: true, saveEveryEpoch: true }), {
      onEvent: (event) => event.event === "note" && told.push(event.text),
    });
    expect(again).toEqual(whole);
    expect(told).toEqual([
      `${folder.path("whole")} holds this run, finished at ${whole.finished}: nothing is left to do`,
    ]);
    expect(statSync(folder.path("whole/model.safetensors")).mtimeMs).toBe(before);
  });
  it("is not taken for one with other options", async () => {
    expect(await lineOf(tune(request("whole", { resume: true, maxSteps: 3 })))).toMatch(
      /whole holds a finished run of another kind: max_steps was null and is 3; repeat the options/,
    );
  });
  it("is not replaced unasked", async () => {
    expect(await lineOf(tune(request("whole")))).toMatch(/whole already exists; pass force to replace it/);
  });
  it("is replaced with everything it wrote, and nothing that it did not", async () => {
    const out = folder.path("replaced");
    cpSync(folder.path("whole"), out, { recursive: true });
    writeFileSync(join(out, "notes.txt"), "mine");
    writeFileSync(join(out, "epoch-2", "notes.txt"), "mine");
    mkdirSync(join(out, "checkpoints", "mine"), { recursive: true });
    writeFileSync(join(out, "checkpoints", "mine", "notes.txt"), "mine");
    writeFileSync(join(out, "model-00001-of-00002.safetensors"), "a shard of an older run");
    mkdirSync(join(out, "answers"));
    const record = await tune(request("replaced", { force: true, epochs: 1 }));
    expect(record.steps).toBe(3);
    expect(readdirSync(out).sort()).toEqual(
      [
        ...[
          "answers",
          "checkpoints",
          "config.json",
          "epoch-2",
          "events.jsonl",
          "generation_config.json",
          "held_out.jsonl",
          "metrics.jsonl",
        ],
        ...["model.safetensors", "notes.txt", "run.json", "tokenizer.json", "tokenizer_config.json"],
      ].sort(),
    );
    expect(readdirSync(join(out, "epoch-2"))).toEqual(["notes.txt"]);
    expect(readdirSync(join(out, "checkpoints"), { recursive: true })).toEqual(["mine", "mine/notes.txt"]);
    const line = await lineOf(tune(request("replaced", { force: true, epochs: 2, saveEveryEpoch: true })));
    expect(line).toMatch(/epoch-2 holds notes\.txt, which is not Tacit's.*move it away/);
  });
  it("stays as it is where the new one is refused", async () => {
    const before = readFileSync(folder.path("whole/run.json"), "utf8");
    await lineOf(tune(request("whole", { force: true, data: folder.path("absent.jsonl") })));
    await lineOf(tune(request("whole", { force: true, engine: told({ memory: 1000, disk: 1e12 }) })));
    expect(readFileSync(folder.path("whole/run.json"), "utf8")).toBe(before);
    expect(existsSync(folder.path("whole/epoch-1/model.safetensors"))).toBe(true);
  });
});

describe("refusals", () => {
  it.each<[string, Partial<TuneRequest>, RegExp]>([
    ["epochs that are no number", { epochs: Number.NaN }, /^epochs is NaN; give a whole number of 1 or more$/],
    ["half a batch", { batch: 0.5 }, /^batch is 0.5; give a whole number/],
    ["a rate below 0", { learningRate: -1 }, /^learningRate is -1; give a number of 0 or more$/],
    ["more warm-up than there is", { warmup: 1.5 }, /^warmup is 1.5; give a number from 0 to 1$/],
    ["a clip of 0", { clip: 0 }, /^clip is 0; give a number above 0$/],
    [
      "all rows held out",
      { holdOut: 9 },
      /leaves no row to train on: 9 examples, 0 skipped, 0 too long, 9 held out; name more/,
    ],
    ["all rows too long", { maxResponseTokens: 1 }, /leaves no row to train on: 9 examples, 0 skipped, \d too long/],
    ["rows cut before their response", { maxLength: 4 }, /row row_0: its prompt alone has 4 ids or more.*skipEmpty/],
    ["both ways at once", { resume: true, force: true }, /resume keeps a run, force replaces it; pass one/],
    ["data that is not there", { data: folder.path("absent.jsonl") }, /absent\.jsonl/],
    ["a model that is not there", { model: folder.path("absent") }, /absent/],
    [
      "too little memory",
      { engine: told({ memory: 1000, disk: 1e12 }) },
      /needs about .* MB of memory for tuning \(weights .*\); 1.00 kB are free/,
    ],
    ["too little disk", { engine: told({ memory: 1e12, disk: 1000 }) }, /on the disk .*; 1.00 kB are free; free some/],
    [
      "an engine that does not tune",
      { engine: mockEngine() },
      /^the engine mock does not tune; use the embedded engine$/,
    ],
    [
      "rounded weights",
      { engine: openEngine({ threads: 1, precision: "q8" }) },
      /^the engine embedded does not tune: weights in q8 are not trained; open the engine with precision: "f32"$/,
    ],
  ])("%s, and nothing is left behind", async (name, changes, line) => {
    expect(await lineOf(tune(request(`refused ${name}`, changes)))).toMatch(line);
    expect(existsSync(folder.path(`refused ${name}`))).toBe(false);
  });
  it("rows longer than the model's positions, held out or not", async () => {
    const long = folder.write(
      "long.jsonl",
      `${JSON.stringify({ instruction: "", response: "xyzw".repeat(80) })}\n${readFileSync(data, "utf8")}`,
    );
    for (const holdOut of [0, 9]) {
      expect(await lineOf(tune(request("positions", { data: long, holdOut })))).toMatch(
        /^row \S+ has \d+ ids; the model has 128 positions; pass maxLength: 128$/,
      );
    }
  });
  it("a run that diverges, in one line, before a step's loss is no number or after its last update", async () => {
    const line =
      /^the training diverged: (step \d+: the loss is|after step \d+).*; start again with a smaller learningRate, or with clip: 1$/;
    const wild = { learningRate: 1e38, warmup: 0, schedule: "constant", holdOut: 0 } as const;
    expect(await lineOf(tune(request("wild", wild)))).toMatch(line);
    expect(await lineOf(tune(request("wild last", { ...wild, maxSteps: 1 })))).toMatch(line);
    expect(existsSync(folder.path("wild last/model.safetensors"))).toBe(false);
    expect(await lineOf(tune(request("wild epoch", { ...wild, batch: 64, saveEveryEpoch: true })))).toMatch(line);
    expect(existsSync(folder.path("wild epoch/epoch-1"))).toBe(false);
  });
  it("a folder that no run has made, whatever is asked for", async () => {
    mkdirSync(folder.path("photos"));
    folder.write("photos/summer.jpg", "");
    for (const changes of [{}, { resume: true }, { force: true }])
      expect(await lineOf(tune(request("photos", changes)))).toMatch(
        /photos already exists and holds no tuning run; name another/,
      );
    mkdirSync(folder.path("other-record"));
    folder.write("other-record/run.json", '{"version":1,"command":"rank"}');
    expect(await lineOf(tune(request("other-record", { force: true })))).toContain("holds no tuning run");
    expect([readdirSync(folder.path("photos")), readdirSync(folder.path("other-record"))]).toEqual([
      ["summer.jpg"],
      ["run.json"],
    ]);
  });
  it("the model itself, or one of its epochs, as the folder to make; also behind a link", async () => {
    const base = folder.path("base");
    cpSync(folder.path("whole"), base, { recursive: true });
    symlinkSync(base, folder.path("link"));
    for (const source of ["base", "base/epoch-1", "link"]) {
      expect(await lineOf(tune(request("base", { model: folder.path(source), force: true })))).toMatch(
        /lies in out: .*base/,
      );
    }
    expect(sameWeights("base", "whole")).toBe(true);
  });
  it("a folder that another process works in", async () => {
    mkdirSync(folder.path("busy"));
    const lock = await acquireLock(folder.path("busy/.lock"), "it");
    expect(await lineOf(tune(request("busy")))).toContain(`busy is in use by process ${process.pid}`);
    await lock.release();
    expect((await tune(request("busy", { maxSteps: 1 }))).steps).toBe(1);
  });
  it("a record that is damaged or of another version", async () => {
    cpSync(folder.path("whole"), folder.path("version"), { recursive: true });
    writeFileSync(folder.path("version/run.json"), JSON.stringify({ ...whole, version: 99 }));
    expect(await lineOf(tune(request("version", { resume: true })))).toMatch(
      /run.json is not a record that this version writes/,
    );
    rmSync(folder.path("version"), { recursive: true });
  });
});
