/** What people pass as a model and is none: each is named for what it is, with a remedy for that. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { UserError } from "./errors.js";
import { requireModel } from "./model-kinds.js";

const folder = temporaryFolder();
const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2336927755\n";
const CONFIG = '{"model_type": "llama"}';
const SAFETENSORS = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{}")]);
type Files = Readonly<Record<string, string | Uint8Array>>;
const whole = { "config.json": CONFIG, "tokenizer.json": "{}", "model.safetensors": SAFETENSORS };

/** Makes the files, a name that ends in a slash as a folder, and gives the path of `named` among them. */
function made(name: string, files: Files, named = ""): string {
  mkdirSync(folder.path(name), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const full = join(folder.path(name), path);
    mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(full, content);
  }
  return join(folder.path(name), named);
}

const lineOf = (path: string): Promise<string> =>
  requireModel(path, ["config", "tokenizer", "weights"]).then(
    () => "a model",
    (error: unknown) => (error instanceof UserError ? error.line : `not a UserError: ${String(error)}`),
  );

const quantised = (method: object): string => JSON.stringify({ model_type: "llama", quantization_config: method });

const FOLDERS: readonly (readonly [string, Files, RegExp])[] = [
  ["a model", whole, /^a model$/],
  ["an empty folder", {}, /is an empty folder; /],
  [
    "an adapter",
    {
      "adapter_config.json": '{"base_model_name_or_path": "meta-llama/Llama-2-7b-hf"}',
      "adapter_model.safetensors": SAFETENSORS,
    },
    /is an adapter \(LoRA or of its kind\) on meta-llama\/Llama-2-7b-hf, not a whole model; merge it into its base/,
  ],
  [
    "an adapter without a base",
    { "adapter_config.json": "{}", "tokenizer.json": "{}" },
    /is an adapter .*, not a whole/,
  ],
  ["an adapter beside a config", { ...whole, "adapter_config.json": "[1" }, /is an adapter .*, not a whole/],
  [
    "GPTQ",
    { ...whole, "config.json": quantised({ quant_method: "gptq", bits: 4 }) },
    /is quantised \(gptq\).* 16 or 32 bits/,
  ],
  ["AWQ", { ...whole, "config.json": quantised({ quant_method: "awq" }) }, /is quantised \(awq\)/],
  ["bitsandbytes", { ...whole, "config.json": quantised({ load_in_4bit: true }) }, /is quantised: /],
  ["GPTQ of old", { ...whole, "quantize_config.json": "{}" }, /is quantised: /],
  [
    "a pointer as weights",
    { ...whole, "model.safetensors": POINTER },
    /model\.safetensors is a Git LFS pointer.*`git lfs pull`/,
  ],
  ["a pointer as tokenizer", { ...whole, "tokenizer.json": POINTER }, /tokenizer\.json is a Git LFS pointer/],
  ["a pointer as config", { ...whole, "config.json": POINTER }, /config\.json is a Git LFS pointer/],
  [
    "a pointer as a shard",
    { ...whole, "model-00001-of-00002.safetensors": POINTER },
    /00001-of-00002\.safetensors is a Git LFS/,
  ],
  [
    "GGUF files",
    { "a.Q4_K_M.gguf": "GGUF", "README.md": "" },
    /holds GGUF files \(a\.Q4_K_M\.gguf\) .*models import .*a\.Q4_K_M\.gguf/,
  ],
  ["GGUF beside a config", { "config.json": CONFIG, "tokenizer.json": "{}", "a.gguf": "GGUF" }, /holds GGUF files/],
  [
    "pickled weights",
    { "config.json": CONFIG, "tokenizer.json": "{}", "pytorch_model.bin": "PK" },
    /holds pickled weights.* as safetensors/,
  ],
  [
    "pickled shards",
    { "config.json": CONFIG, "tokenizer.json": "{}", "pytorch_model.bin.index.json": "{}" },
    /holds pickled weights/,
  ],
  ["Meta's own", { "consolidated.00.pth": "PK", "params.json": "{}" }, /holds pickled weights/],
  [
    "ONNX",
    { "config.json": CONFIG, "tokenizer.json": "{}", "onnx/model.onnx": "" },
    /is a model for ONNX Runtime; name the directory/,
  ],
  [
    "a slow tokenizer",
    { "config.json": CONFIG, "tokenizer.model": "", "model.safetensors": SAFETENSORS },
    /slow tokenizer, but no tokenizer\.json/,
  ],
  ["TensorFlow", { "config.json": CONFIG, "tokenizer.json": "{}", "tf_model.h5": "" }, /weights for another framework/],
  [
    "a checkpoint",
    { "state.json": "{}", "parameters/": "", "first/": "", "second/": "" },
    /is a checkpoint of an unfinished run of tacit tune/,
  ],
  [
    "an unfinished run",
    { "unfinished.json": "{}", "metrics.jsonl": "" },
    /is an unfinished run of tacit tune; finish it: the same command again$/,
  ],
  [
    "a study",
    { "study.json": "{}", "results.json": "{}", "steps/": "" },
    /is a folder of Tacit's results, not a model/,
  ],
  ["a judge's results", { "annotations.json": "[]", "run.json": "{}" }, /is a folder of Tacit's results, not a model/],
  ["a run without its model", { "run.json": "{}", "metrics.jsonl": "" }, /is a folder of Tacit's results, not a model/],
  [
    "a folder of models",
    { "one/config.json": CONFIG, "two/config.json": CONFIG },
    /but contains some: one, two; name one, such as .*two$/,
  ],
  [
    "the hub's cache",
    { "snapshots/0a1b/config.json": CONFIG, "refs/main": "0a1b" },
    /is a folder of the hub's cache; name .*0a1b$/,
  ],
  [
    "weights of another name",
    { "config.json": CONFIG, "tokenizer.json": "{}", "weights.safetensors": SAFETENSORS },
    /rename it to model\.safetensors/,
  ],
  [
    "a shard alone",
    {
      "config.json": CONFIG,
      "tokenizer.json": "{}",
      "model-00001-of-00002.safetensors": SAFETENSORS,
      "model-00002-of-00002.safetensors": SAFETENSORS,
    },
    /fetch model\.safetensors\.index\.json/,
  ],
  ["no tokenizer", { "config.json": CONFIG, "model.safetensors": SAFETENSORS }, /has no tokenizer\.json; /],
  ["a pipeline of images", { "model_index.json": "{}", "unet/": "" }, /is a pipeline of Diffusers/],
];
it.each(FOLDERS)("a folder: %s", async (name, files, line) => {
  expect(await lineOf(made(name, files))).toMatch(line);
});

it("checkpoints of an unfinished run, as a folder", async () => {
  const path = made("run", { "checkpoints/checkpoint-6/state.json": "{}", "unfinished.json": "{}" }, "checkpoints");
  expect(await lineOf(path)).toMatch(/holds the checkpoints of an unfinished run of tacit tune.* then name .*run$/);
});

const FILES: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  ["model.gguf", "GGUF\u0003", /is a model in one file; .*tacit models import FILE --out DIR/],
  ["blob-without-ending", "GGUF\u0003", /is a model in one file/],
  ["stories.bin", "\u0000\u0001", /is a model in one file/],
  ["model.safetensors", SAFETENSORS, /is a file of weights alone; name its folder/],
  ["pytorch_model.bin", "PK\u0003\u0004", /holds pickled weights, which are not read/],
  ["model.pt", "\u0080\u0002", /holds pickled weights/],
  ["model.ckpt", "", /holds pickled weights/],
  ["model.onnx", "\b\u0007", /is a model for ONNX Runtime/],
  ["pointer.safetensors", POINTER, /is a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`/],
  ["pointer.gguf", POINTER, /is a Git LFS pointer/],
  ["model.tar.gz", "\u001f", /is an archive; unpack it/],
  ["notes.txt", "hello", /is a file, not a model directory/],
];
it.each(FILES)("a file: %s", async (name, content, line) => {
  expect(await lineOf(made("files", { [name]: content }, name))).toMatch(line);
});

const NAMES: readonly (readonly [string, RegExp])[] = [
  ["http://localhost:8000/v1", /is the address of a server; here a model is a folder/],
  ["https://api.example.org/v1", /is the address of a server/],
  ["localhost:11434", /is the address of a server/],
  ["127.0.0.1:8000/v1", /is the address of a server/],
  [
    "meta-llama/Llama-2-7b-hf",
    /looks like a name on the Hugging Face hub; fetch it \(`hf download meta-llama\/Llama-2-7b-hf/,
  ],
  ["hf://allenai/OLMo-7B", /looks like a name on the Hugging Face hub; .*hf download allenai\/OLMo-7B/],
  ["hf.co/x/y:Q4", /a GGUF file on the .*hub; .*hf download x\/y --include "\*Q4\*" .*models import/],
  ["https://huggingface.co/x/y-GGUF:Q4_K_M", /hf download x\/y-GGUF --include "\*Q4_K_M\*"/],
  ["https://huggingface.co/gpt2", /looks like a name on the .*hf download gpt2 --local-dir/],
  ["http://hf.co/x/y/", /hf download x\/y --local-dir/],
  ["huggingface.co/x/y/tree/main", /hf download x\/y --local-dir/],
  ["https://www.huggingface.co/x/y?library=transformers", /hf download x\/y --local-dir/],
  ["hf:x/y", /hf download x\/y --local-dir/],
  ["https://example.com/huggingface.co/x", /is the address of a server/],
  ["llama3:8b", /looks like a name of Ollama's/],
  ["library/llama3:8b-instruct-q4_0", /looks like a name of Ollama's/],
  ["ollama:llama3", /looks like a name of Ollama's/],
  ["/no/such/folder", /does not exist; /],
];
it.each(NAMES)("at no path: %s", async (name, line) => {
  expect(await lineOf(name)).toMatch(line);
});

it("a mistyped name has its neighbour as remedy, one that is like nothing has none", async () => {
  made("models/llama-base", whole);
  expect(await lineOf(folder.path("models/lama-base"))).toMatch(/does not exist; did you mean .*llama-base\?$/);
  expect(await lineOf(folder.path("models/mistral"))).not.toMatch(/did you mean/);
});

it("no control character of a name reaches a terminal, and no name is repeated at length", async () => {
  const line = await lineOf(`/no/\u001b[31m${"x".repeat(5000)}`);
  expect(line).not.toContain("\u001b");
  expect(line.length).toBeLessThan(500);
});
