/** Checkpoints: the same bits back, the newest one, nothing half-written, nothing of another run. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelFolder } from "../../test/parity/fixtures.js";
import { runModel } from "../../test/parity/running.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { Device, Tensor } from "../runtime/device.js";
import { UserError } from "../util/errors.js";
import { freshState, loadCheckpoint, saveCheckpoint, type TrainState } from "./state.js";

const folder = temporaryFolder();
const { model, device, parameters } = await runModel(modelFolder("gpt2"));

/** Every value another one, the awkward ones among them. */
function someState(step: number): TrainState {
  const awkward = [-0, 1e-40, 3.4e38, -1.1754944e-38, Number.POSITIVE_INFINITY];
  const filled = (salt: number, tensor: Tensor): void =>
    device.write(
      tensor,
      0,
      Array.from({ length: size(tensor) }, (_, i) => awkward[i % 50] ?? Math.sin(salt + step + i)),
    );
  const state = freshState(model, device, new Map(model.parameters.map((p) => [p.name, device.zeros(p.shape)])));
  [...state.parameters.values()].forEach((tensor, i) => {
    filled(i, tensor);
  });
  [...state.accumulators.values()].forEach(({ first, second }, i) => {
    filled(0.1 + i, first);
    filled(0.2 + i, second);
  });
  state.step = step;
  return state;
}
const size = (tensor: Tensor): number => tensor.shape.reduce((a, b) => a * b, 1);

/** The bits of everything, by name. */
async function bitsOf(state: TrainState, on: Device = device): Promise<Record<string, Uint32Array>> {
  const bits: Record<string, Uint32Array> = {};
  const put = async (name: string, tensor: Tensor): Promise<void> => {
    const values = await on.floats(tensor);
    bits[name] = new Uint32Array(values.slice().buffer);
  };
  for (const [name, tensor] of state.parameters) await put(name, tensor);
  for (const [name, { first, second }] of state.accumulators) {
    await put(`first ${name}`, first);
    await put(`second ${name}`, second);
  }
  return bits;
}

const load = (path: string, fingerprint = "this run") => loadCheckpoint(path, model, device, fingerprint);

describe("a checkpoint", () => {
  it("gives back the step and every bit of values and moments, −0 and denormals among them", async () => {
    const state = someState(12);
    await saveCheckpoint(folder.path("round"), state, device, "this run");
    const loaded = await load(folder.path("round"));
    expect(loaded!.step).toBe(12);
    expect(await bitsOf(loaded!)).toEqual(await bitsOf(state));
  });
  it("is the newest one, and the older ones are removed", async () => {
    const path = folder.path("newest");
    for (const step of [2, 9, 10]) await saveCheckpoint(path, someState(step), device, "this run");
    expect(readdirSync(path)).toEqual(["checkpoint-10"]);
    mkdirSync(join(path, "checkpoint-9")); // an older one whose removal was cut short
    expect((await load(path))!.step).toBe(10);
  });
  it("is nothing where there is none", async () => {
    expect(await load(folder.path("none"))).toBeUndefined();
    mkdirSync(folder.path("empty"));
    expect(await load(folder.path("empty"))).toBeUndefined();
  });
  it("that was being written when the process ended does not count, and is written anew", async () => {
    const path = folder.path("half");
    await saveCheckpoint(path, someState(3), device, "this run");
    await saveCheckpoint(folder.path("other"), someState(4), device, "this run");
    renameSync(folder.path("other/checkpoint-4"), join(path, ".checkpoint-4.partial"));
    rmSync(join(path, ".checkpoint-4.partial", "state.json"));
    expect((await load(path))!.step).toBe(3);
    const state = someState(4);
    await saveCheckpoint(path, state, device, "this run");
    expect(readdirSync(path)).toEqual(["checkpoint-4"]);
    expect(await bitsOf((await load(path))!)).toEqual(await bitsOf(state));
  });
  it("under another fingerprint is refused", async () => {
    await saveCheckpoint(folder.path("foreign"), someState(1), device, "this run");
    await expect(load(folder.path("foreign"), "another run")).rejects.toThrow(/other options, data or threads/);
  });
});

/** In the middle of the file, where values lie. */
function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 0x40;
  writeFileSync(path, bytes);
}

it("of version 0.1, without checksums, is resumed from", async () => {
  const path = folder.path("old");
  await saveCheckpoint(path, someState(5), device, "this run");
  writeFileSync(join(path, "checkpoint-5", "state.json"), '{"version":1,"step":5,"fingerprint":"this run"}');
  expect((await load(path))!.step).toBe(5);
});

describe("a damaged checkpoint is refused in one line", () => {
  const damages: Record<string, (path: string) => void> = {
    "no state.json": (path) => rmSync(join(path, "state.json")),
    "state.json cut short": (path) => truncateSync(join(path, "state.json"), 10),
    "another version": (path) =>
      writeFileSync(join(path, "state.json"), '{"version":99,"step":5,"fingerprint":"this run"}'),
    "another step than its name": (path) =>
      writeFileSync(join(path, "state.json"), '{"version":1,"step":6,"fingerprint":"this run"}'),
    "no checksum of a tensor": (path) =>
      writeFileSync(join(path, "state.json"), '{"version":2,"step":5,"fingerprint":"this run","crc32":{}}'),
    ...Object.fromEntries(
      ["parameters", "first", "second"].map((part) => [
        `a flipped bit in ${part}`,
        (path: string) => flipBit(join(path, part, "model.safetensors")),
      ]),
    ),
    "values cut short": (path) => truncateSync(join(path, "second", "model.safetensors"), 4000),
    "values of another model": (path) => {
      rmSync(join(path, "first"), { recursive: true });
      renameSync(folder.path("tiny"), join(path, "first"));
    },
  };
  it.each(Object.keys(damages))("%s", async (name) => {
    const path = folder.path(`damage ${name}`);
    await saveCheckpoint(path, someState(5), device, "this run");
    const { writeModelWeights } = await import("../weights/safetensors-write.js");
    mkdirSync(folder.path("tiny"), { recursive: true });
    const tensors = model.parameters.map(({ name }) => ({ name, shape: [1], values: () => Float32Array.of(1) }));
    await writeModelWeights(folder.path("tiny"), tensors, { dtype: "F32" });
    damages[name]!(join(path, "checkpoint-5"));
    const error = await load(path).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).line).toMatch(
      /checkpoint-5.* is damaged: .*; remove that folder to train from the start$/,
    );
    expect((error as UserError).line).not.toContain("\n");
  });
});

it("leaves nothing behind where the disk gives out", async () => {
  const path = folder.path("full");
  mkdirSync(path);
  const broken: Device = { ...device, floats: () => Promise.reject(new Error("the disk is full")) };
  await expect(saveCheckpoint(path, someState(1), broken, "this run")).rejects.toThrow("the disk is full");
  expect(readdirSync(path)).toEqual([]);
  expect(existsSync(path)).toBe(true);
  expect(parameters.size).toBe(model.parameters.length);
});
