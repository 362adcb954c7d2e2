/** What is opened in a model directory, held against the list of files that decide its answers; and what follows from a change of one. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hashModel } from "../src/model-files/hash.js";
import { verifyModel } from "../src/model-files/verify.js";
import type { StepEvent } from "../src/records/events.js";
import { generate } from "../src/steps/generate.js";
import { rank } from "../src/steps/rank.js";
import { score } from "../src/steps/score.js";
import { tune } from "../src/steps/tune.js";
import { prepareStudy } from "../src/study/plan/prepare.js";
import { openState } from "../src/study/results/state.js";
import { UserError } from "../src/util/errors.js";
import type { InputOptions } from "../src/util/input.js";
import { decidesAnswers } from "../src/util/model-files.js";
import { packageRoot } from "../src/util/system.js";
import { modelFolder } from "./parity/fixtures.js";
import { temporaryFolder } from "./temporary-folder.js";

// Modules are a worker's and not this file's: they are loaded again around the mock.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.doUnmock("../src/util/input.js");
  vi.resetModules();
});

const opened: string[] = [];
vi.mock("../src/util/input.js", async (original) => {
  const real = await original<typeof import("../src/util/input.js")>();
  const recording = {
    openInput: (path: string, options?: InputOptions): Promise<FileHandle> => {
      opened.push(path);
      return real.openInput(path, options);
    },
    readInput: (path: string, options: InputOptions & { most: number }): Promise<Buffer> => {
      opened.push(path);
      return real.readInput(path, options);
    },
    readInputText: (path: string, options: InputOptions & { most: number }): Promise<string> => {
      opened.push(path);
      return real.readInputText(path, options);
    },
  };
  return { ...real, ...recording };
});

const folder = temporaryFolder();
const model = folder.path("model");
cpSync(modelFolder("llama"), model, { recursive: true });
for (const other of ["README.md", "run.json", "special_tokens_map.json", "added_tokens.json"])
  writeFileSync(join(model, other), "{}");
const row = { instruction: "a", response: "b" };
const rows = folder.write("rows.jsonl", `${JSON.stringify(row)}\n`);
const text = { threads: 1 } as const;

const openedIn = (directory: string): string[] => [
  ...new Set(opened.filter((path) => dirname(path) === directory).map((path) => basename(path))),
];

describe("every file of a model that is opened decides what it says", () => {
  beforeEach(() => {
    opened.length = 0;
  });

  it.each<[string, () => Promise<unknown>]>([
    ["generate", () => generate({ model, prompts: [{ instruction: "a" }], maxNewTokens: 1, ...text })],
    ["score", () => score({ model, input: [row], ...text })],
    ["tune", () => tune({ model, data: rows, objective: "response", out: folder.path("tuned"), maxSteps: 1, ...text })],
  ])("%s", async (_, work) => {
    await work();
    const names = openedIn(model);
    expect(names).toEqual(expect.arrayContaining(["config.json", "tokenizer.json", "tokenizer_config.json"]));
    expect(names).toContain("model.safetensors");
    // A look at what the folder is, and a training record, decide nothing.
    expect(names.filter((name) => !decidesAnswers(name) && name !== "adapter_config.json")).toEqual([]);
  });
});

describe("a change of a file that decides", () => {
  const files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"];
  it.each([...files, "special_tokens_map.json", "added_tokens.json", "model.safetensors"])("%s", async (name) => {
    const before = await hashModel(model);
    const content = readFileSync(join(model, name));
    writeFileSync(join(model, name), Buffer.concat([content, Buffer.from(" ")]));
    expect(await hashModel(model)).not.toBe(before);
    writeFileSync(join(model, name), content);
    expect(await hashModel(model)).toBe(before);
    writeFileSync(join(model, "README.md"), name);
    expect(await hashModel(model)).toBe(before);
  });

  it("of eos_token_id in generation_config.json: no answer of a stopped run is used again", async () => {
    const out = folder.path("answers.json");
    const prompts = [{ instruction: "a" }, { instruction: "b" }];
    const stopping = new AbortController();
    const request = { model, prompts, out, maxNewTokens: 4, batch: 1, ...text };
    const stopped = generate(request, {
      signal: stopping.signal,
      onEvent: (event) => event.event === "progress" && event.done > 0 && stopping.abort(new Error("stopped")),
    });
    await expect(stopped).rejects.toThrow();
    const reused: number[] = [];
    const path = join(model, "generation_config.json");
    const config = readFileSync(path, "utf8");
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(config) as object), eos_token_id: [2, 7] }));
    const onEvent = (event: StepEvent): void => void (event.event === "begin" && reused.push(event.reused));
    await generate(request, { onEvent });
    expect(reused).toEqual([0]);
    writeFileSync(path, config);
  });

  it.each([-5, [2, -5], "2"])(
    "to eos_token_id %j in generation_config.json is refused, and verify says so",
    async (id) => {
      const path = join(model, "generation_config.json");
      const config = readFileSync(path, "utf8");
      writeFileSync(path, JSON.stringify({ eos_token_id: id }));
      const line = "generation_config.json: eos_token_id is neither an id nor a list of ids";
      await expect(generate({ model, prompts: [{ instruction: "a" }], maxNewTokens: 1, ...text })).rejects.toThrow(
        line,
      );
      const { checks } = await verifyModel(model);
      expect(checks.find(({ name }) => name === "tokenizer")).toMatchObject({
        ok: false,
        detail: expect.stringContaining(line),
      });
      writeFileSync(path, config);
    },
  );

  it("of eos_token_id in generation_config.json: a study computes every step of that model again", async () => {
    const study = folder.write(
      "study.yaml",
      `version: 1
name: small
about: x
models: { base: { path: ${JSON.stringify(model)} } }
data: { prompts: ${JSON.stringify(join(packageRoot(), "assets", "tiny", "prompts.jsonl"))} }
arms: { untuned: { kind: untuned } }
generation: { prompts: prompts, limit: 2 }
`,
    );
    const steps = async (): Promise<string[]> => {
      const prepared = await prepareStudy({ study, out: folder.path("study"), threads: 1 });
      return (await openState(prepared)).graph().steps.flatMap(({ plan }) => plan?.folder ?? []);
    };
    const before = await steps();
    expect(before.map((one) => one.replace(/-[0-9a-f]+$/, ""))).toEqual(["steps/generate"]);
    expect(await steps()).toEqual(before);
    const path = join(model, "generation_config.json");
    const config = readFileSync(path, "utf8");
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(config) as object), eos_token_id: 7 }));
    expect(await steps()).not.toEqual(before);
    writeFileSync(path, config);
    expect(await steps()).toEqual(before);
  });
});

describe("weights of which a value is NaN", () => {
  const broken = folder.path("broken");
  cpSync(modelFolder("llama"), broken, { recursive: true });
  const path = join(broken, "model.safetensors");
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { data_offsets: [number, number] }>;
  bytes.writeFloatLE(Number.NaN, start + header["model.norm.weight"]!.data_offsets[0]);
  writeFileSync(path, bytes);
  const three = ["a", "b", "c"].map((one) => ({ instruction: one, response: `${one}.` }));
  const more = folder.write("three.jsonl", three.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const named = { model: broken, ...text };

  it.each<[string, () => Promise<unknown>]>([
    ["generate", () => generate({ ...named, prompts: [{ instruction: "a" }], maxNewTokens: 1 })],
    ["score", () => score({ ...named, input: [row] })],
    ["rank", () => rank({ ...named, data: more })],
    ["tune", () => tune({ ...named, data: more, objective: "response", out: folder.path("never"), maxSteps: 1 })],
  ])("%s names file and tensor", async (_, work) => {
    const error = await work().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).line).toMatch(
      /model\.safetensors: tensor model\.norm\.weight holds NaN at 0; the weights/,
    );
  });
});
