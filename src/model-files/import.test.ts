/** The fixture models written as GGUF the way llama.cpp's converter does, imported again, and compared with what they were. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { floats, type Meta, type Tensor, writeGguf } from "../../test/gguf-writer.js";
import { mutation } from "../../test/mutations.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { openModel } from "../models/open.js";
import type { StepEvent } from "../records/events.js";
import { UserError } from "../util/errors.js";
import { TENSOR_TABLES } from "../weights/gguf-tensors.js";
import { openWeights } from "../weights/open.js";
import { importModel } from "./import.js";
import { inspectModel } from "./inspect.js";
import { verifyModel } from "./verify.js";

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, "..", "..", "test", "fixtures", "models");
const u32 = (value: number): Meta => ({ type: "u32", value });
const f32 = (value: number): Meta => ({ type: "f32", value });

const sizes = (a: string): Record<string, Meta> => ({
  "general.architecture": { type: "string", value: a },
  [`${a}.context_length`]: u32(128),
  [`${a}.embedding_length`]: u32(24),
  [`${a}.feed_forward_length`]: u32(40),
  [`${a}.attention.head_count`]: u32(4),
  [`${a}.attention.head_count_kv`]: u32(2),
  [`${a}.attention.key_length`]: u32(8),
  [`${a}.attention.value_length`]: u32(8),
  "tokenizer.ggml.model": { type: "string", value: "llama" },
  "tokenizer.ggml.tokens": {
    type: "strings",
    value: ["<unk>", "<s>", "</s>", ...Array.from({ length: 394 }, (_, i) => `t${i}`)],
  },
  "tokenizer.ggml.scores": { type: "f32s", value: Array.from({ length: 397 }, (_, i) => -i) },
  "tokenizer.ggml.token_type": { type: "i32s", value: [2, 3, 3, ...Array<number>(394).fill(1)] },
  "tokenizer.ggml.bos_token_id": u32(1),
  "tokenizer.ggml.eos_token_id": u32(2),
  "tokenizer.ggml.eot_token_id": u32(7),
});
type Architecture = "llama" | "gemma3";
const metadata: Record<Architecture, Record<string, Meta>> = {
  llama: {
    ...sizes("llama"),
    "llama.block_count": u32(2),
    "llama.rope.freq_base": f32(5000),
    "llama.rope.dimension_count": u32(8),
    "llama.attention.layer_norm_rms_epsilon": f32(1e-5),
  },
  gemma3: {
    ...sizes("gemma3"),
    "gemma3.block_count": u32(4),
    "gemma3.rope.freq_base": f32(10_000),
    "gemma3.rope.freq_base_swa": f32(100),
    "gemma3.attention.layer_norm_rms_epsilon": f32(1e-6),
    "gemma3.attention.sliding_window": u32(8),
    "gemma3.attention.sliding_window_pattern": u32(3),
  },
};

/** convert_hf_to_gguf.py: names by the table; queries and keys of llama permuted; one added to Gemma's norms. */
async function convert(architecture: Architecture): Promise<Uint8Array> {
  const store = await openWeights(join(fixtures, architecture));
  const table = TENSOR_TABLES[architecture];
  const tensors: Tensor[] = [];
  for (const [name, { shape }] of store.tensors) {
    const layer = /^model\.layers\.(\d+)\.(.*)$/u.exec(name);
    const rows = layer === null ? [table.embedding, ...table.norm, table.head] : table.layer;
    const row = rows.find(([, hf]) => hf === (layer?.[2] ?? name))!;
    const values = await store.read(name);
    const stored =
      row[3] === "minus-one"
        ? values.map((v) => v + 1)
        : row[3] === "rope-pairs"
          ? permute(values, shape[0]!, 8)
          : values;
    tensors.push(floats(layer === null ? row[0] : `blk.${layer[1]}.${row[0]}`, shape, stored));
  }
  await store.close();
  return writeGguf({ metadata: metadata[architecture], tensors });
}

function permute(values: Float32Array, rows: number, dim: number): Float32Array {
  const width = values.length / rows;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const within = row % dim;
    const to = row - within + (within < dim / 2 ? 2 * within : 2 * (within - dim / 2) + 1);
    out.set(values.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}

const lineOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof UserError ? error.line : `not a UserError: ${String(error)}`),
  );

describe.each<Architecture>(["llama", "gemma3"])("%s from GGUF", (architecture) => {
  const out = folder.path(`imported-${architecture}`);
  let file = "";
  beforeAll(async () => {
    file = folder.write(`${architecture}.gguf`, await convert(architecture));
    await importModel({ file, out });
  });

  it("has the values that were converted", async () => {
    const [before, after] = [await openWeights(join(fixtures, architecture)), await openWeights(out)];
    expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
    // Adding one in float32 and taking it off again costs up to 2^-23 on values below two.
    const tolerance = architecture === "gemma3" ? 2 ** -23 : 0;
    for (const name of before.tensors.keys()) {
      const [a, b] = [await before.read(name), await after.read(name)];
      const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
      expect([name, worst <= tolerance]).toEqual([name, true]);
    }
    await Promise.all([before.close(), after.close()]);
  });

  it("is the model that it was", async () => {
    const [before, after] = [await openModel(join(fixtures, architecture)), await openModel(out)];
    expect(after.model.dims).toEqual(before.model.dims);
    expect(after.model.ropes).toEqual(before.model.ropes);
    expect(after.model.parameters).toEqual(before.model.parameters);
    await Promise.all([before.weights.close(), after.weights.close()]);
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as Record<string, unknown>;
    const was = JSON.parse(readFileSync(join(fixtures, architecture, "config.json"), "utf8")) as Record<
      string,
      unknown
    >;
    for (const key of [
      "rms_norm_eps",
      "head_dim",
      "layer_types",
      "sliding_window",
      "tie_word_embeddings",
      "hidden_act",
    ]) {
      expect([key, config[key]]).toEqual([key, was[key]]);
    }
    expect(config).toMatchObject({ torch_dtype: "float32", bos_token_id: 1, eos_token_id: 2, pad_token_id: null });
  });

  it("stops at the end of a turn as well", () => {
    const generation = JSON.parse(readFileSync(join(out, "generation_config.json"), "utf8")) as unknown;
    expect(generation).toEqual({ bos_token_id: 1, eos_token_id: [2, 7] });
  });

  it("verifies, and says where it came from", async () => {
    const summary = await verifyModel(out);
    expect(summary.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(Object.keys(summary.files)).toContain("import.json");
    expect(JSON.parse(readFileSync(join(out, "import.json"), "utf8"))).toMatchObject({
      source: `${architecture}.gguf`,
      format: "GGUF version 3",
      dtype: "F32",
    });
  });

  it("can be stored in 16 bits", async () => {
    const half = folder.path(`half-${architecture}`);
    const summary = await importModel({ file, out: half, dtype: "BF16" });
    const store = await openWeights(half);
    expect(new Set([...store.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
    expect(summary.bytes).toBe(2 * summary.parameters);
    expect(JSON.parse(readFileSync(join(half, "config.json"), "utf8"))).toMatchObject({ torch_dtype: "bfloat16" });
    await store.close();
  });

  it("is described alike as a file and as a directory", async () => {
    const [asFile, asDirectory] = [await inspectModel(file), await inspectModel(out)];
    const same = [
      "family",
      "layers",
      "heads",
      "head_dim",
      "vocabulary",
      "tied",
      "parameters",
      "memory",
      "sliding_window",
    ] as const;
    for (const key of same) expect([key, asFile[key]]).toEqual([key, asDirectory[key]]);
    expect(asDirectory.memory.tuning).toBe(16 * asDirectory.parameters);
    expect(asDirectory.groups.find(({ name }) => name === "model.layers.*.mlp.up_proj.weight")).toMatchObject({
      shape: [40, 24],
      count: asDirectory.layers,
    });
  });

  it("does not replace what was changed after it was imported", async () => {
    const edited = `${out} edited`;
    await importModel({ file, out: edited });
    const config = join(edited, "config.json");
    const [before, origin] = [readFileSync(config, "utf8"), readFileSync(join(edited, "import.json"), "utf8")];
    writeFileSync(config, before.replace(/\n$/, "\n\n"));
    expect(await lineOf(importModel({ file, out: edited, force: true }))).toMatch(
      / edited\/config\.json was changed after it was imported, and would be replaced.*move it out of the folder/,
    );
    expect(readFileSync(config, "utf8")).not.toBe(before);
    writeFileSync(config, before);
    rmSync(join(edited, "generation_config.json"));
    await importModel({ file, out: edited, force: true });
    const older = { ...(JSON.parse(origin) as object), files: undefined };
    writeFileSync(join(edited, "import.json"), JSON.stringify(older));
    writeFileSync(config, `${before}\n`);
    await importModel({ file, out: edited, force: true }); // nothing is known of its files
    expect(readFileSync(config, "utf8")).toBe(before);
  });

  it("replaces nothing unless forced", async () => {
    expect(await lineOf(importModel({ file, out }))).toMatch(/already exists; pass force/);
    expect((await importModel({ file, out, force: true })).tensors).toBeGreaterThan(10);
    for (const stranger of ["notes.txt", "adapter.safetensors", "run.json"]) {
      writeFileSync(join(out, stranger), "mine");
      expect(await lineOf(importModel({ file, out, force: true }))).toContain(
        `holds ${stranger}, which is not Tacit's`,
      );
      rmSync(join(out, stranger));
    }
    const other = `${out} of a web project`;
    mkdirSync(other);
    for (const name of ["config.json", "import.json"]) {
      writeFileSync(join(other, name), "{}");
      expect(await lineOf(importModel({ file, out: other, force: true }))).toMatch(/holds no import\.json/);
    }
    expect(readdirSync(other)).toHaveLength(2);
  });
});

describe("what is not imported", () => {
  const refused = async (change: Record<string, Meta>): Promise<string> => {
    const bytes = writeGguf({
      metadata: { ...metadata.llama, ...change },
      tensors: [floats("token_embd.weight", [397, 24], new Float32Array(397 * 24))],
    });
    return lineOf(importModel({ file: folder.write("refused.gguf", bytes), out: folder.path("refused") }));
  };
  it.each<[string, Record<string, Meta>, RegExp]>([
    [
      "another architecture",
      { "general.architecture": { type: "string", value: "mamba" } },
      /"mamba"; llama, olmo, .* and gemma3 are supported/,
    ],
    [
      "an architecture of JavaScript",
      { "general.architecture": { type: "string", value: "__proto__" } },
      /"__proto__"/,
    ],
    [
      "rope of another kind",
      { "llama.rope.scaling.type": { type: "string", value: "longrope" } },
      /"longrope" is not supported/,
    ],
    [
      "YaRN with settings of its own",
      { "llama.rope.scaling.type": { type: "string", value: "yarn" }, "llama.rope.scaling.yarn_beta_fast": f32(8) },
      /"llama.rope.scaling.yarn_beta_fast" is not supported/,
    ],
    ["rope over half of a head", { "llama.rope.dimension_count": u32(4) }, /part of the head/],
    ["a billion layers", { "llama.block_count": u32(1_000_000_000) }, /1000000000 layers/],
    ["a size of 0", { "llama.feed_forward_length": u32(0) }, /"llama.feed_forward_length" is 0/],
    ["heads that do not share", { "llama.attention.head_count_kv": u32(3) }, /4 query heads cannot share 3/],
    ["a size that is a text", { "llama.embedding_length": { type: "string", value: "24" } }, /is not a number/],
    ["tensors that are missing", {}, /lacks tensor "blk.0.attn_norm.weight"/],
  ])("%s", async (_, change, expected) => {
    expect(await refused(change)).toMatch(expected);
    expect(existsSync(folder.path("refused"))).toBe(false);
  });

  it("other files, and a vocabulary for a GGUF file", async () => {
    expect(await lineOf(importModel({ file: "m.onnx", out: folder.path("x") }))).toMatch(/neither a \.gguf file nor/);
    expect(await lineOf(importModel({ file: "m.gguf", tokenizer: "t.bin", out: folder.path("x") }))).toMatch(
      /its own tokenizer/,
    );
  });

  it("whatever is changed in a file: one line and nothing left, or a model that opens", async () => {
    const good = await convert("llama");
    const parent = folder.path("fuzz");
    mkdirSync(parent);
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        const file = folder.write("fuzz.gguf", mutate(good));
        const line = await lineOf(importModel({ file, out: join(parent, "out"), force: true }));
        if (line === "no error") expect(readdirSync(parent)).toEqual(["out"]);
        else expect(line).toMatch(/fuzz\.gguf/);
      }),
      { numRuns: 150 },
    );
  });

  it("and nothing is left where it is interrupted", async () => {
    const controller = new AbortController();
    const parent = folder.path("stopped");
    mkdirSync(parent);
    const file = folder.write("whole.gguf", await convert("llama"));
    const onEvent = (event: StepEvent): void => {
      if (event.event === "progress" && event.done === 5) controller.abort(new Error("stop"));
    };
    const watch = { signal: controller.signal, onEvent };
    await expect(importModel({ file, out: join(parent, "out") }, watch)).rejects.toThrow("stop");
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe("verifyModel", () => {
  const broken = async (name: string, change: (directory: string) => void | Promise<void>) => {
    const out = folder.path(name);
    await importModel({ file: folder.write(`${name}.gguf`, await convert("llama")), out });
    await change(out);
    const summary = await verifyModel(out);
    return { ok: summary.ok, failed: summary.checks.filter(({ ok }) => !ok).map(({ detail }) => detail) };
  };
  const setConfig = (directory: string, change: Record<string, unknown>): void => {
    const path = join(directory, "config.json");
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...change }));
  };

  it("finds values that are NaN or infinite", async () => {
    const { ok, failed } = await broken("nan", (directory) => {
      const path = join(directory, "model.safetensors");
      const bytes = readFileSync(path);
      bytes.writeFloatLE(Number.NaN, bytes.length - 4);
      bytes.writeFloatLE(Number.POSITIVE_INFINITY, bytes.length - 8);
      writeFileSync(path, bytes);
    });
    expect([ok, failed]).toEqual([false, ["values that are NaN or infinite: lm_head.weight (1 NaN, 1 infinite)"]]);
  });

  it("finds an output matrix that should be the embedding and is not", async () => {
    const { failed } = await broken("tied", (directory) => setConfig(directory, { tie_word_embeddings: true }));
    expect(failed).toEqual([expect.stringMatching(/ties the output to the embedding, but lm_head\.weight/)]);
  });

  it("finds shapes and ids that do not fit, each by itself", async () => {
    const { failed } = await broken("shape", (directory) => setConfig(directory, { vocab_size: 300 }));
    expect(failed).toEqual([
      expect.stringMatching(/config\.json says \[300, 24\]/),
      expect.stringMatching(/ids up to 396, but the embedding has 300 rows/),
    ]);
  });

  it("finds a file that is cut", async () => {
    const { failed } = await broken("cut", (directory) => {
      const path = join(directory, "model.safetensors");
      writeFileSync(path, readFileSync(path).subarray(0, -5));
    });
    expect(failed).toHaveLength(2);
    for (const line of failed) expect(line).toMatch(/is damaged: tensors end at byte/);
  });

  it("says where there is no directory", async () => {
    expect(await lineOf(verifyModel(folder.path("nowhere")))).toMatch(/nowhere does not exist; name a model directory/);
  });
});
