/**
 * `tacit models`: turn a model file into a model directory, look at one, check one.
 * May not know: formats, families.
 */
import type { Command } from "commander";
import { importOptions, onlyJson, verifyOptions } from "../../options/files.js";
import type { FlagsOf } from "../../util/options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

export function registerModels(program: Command): void {
  const models = program
    .command("models")
    .description("Imports model files into model directories, shows what a model is, and checks one.")
    .addHelpText(
      "after",
      `
A model directory is Hugging Face's layout: config.json, tokenizer.json and safetensors weights.

Example:
  tacit models import gemma-3-270m-q4_k_m.gguf --out models/gemma-3-270m
  tacit models info models/gemma-3-270m
  tacit models verify models/gemma-3-270m`,
    );
  registerImport(models);
  registerInfo(models);
  registerVerify(models);
}

type ImportFlags = FlagsOf<typeof importOptions>;

function registerImport(models: Command): void {
  const command = models
    .command("import")
    .argument(
      "<file>",
      "a .gguf file (Llama, Mistral, OLMo 1 and 2, Qwen 2 and 3, GPT-NeoX, Gemma 3), or a .bin file of llama2.c",
    )
    .description("Turns a model file into a model directory that Tacit and Transformers load.");
  addOptions(command, importOptions)
    .addHelpText(
      "after",
      `
GGUF blocks (F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K) are turned back into numbers; the tokenizer,
the shapes and the control tokens come from the file's metadata. The directory appears whole or not at all.

Example:
  tacit models import SmolLM2-135M-Instruct.Q4_1.gguf --out models/smollm2-135m-instruct --dtype bf16`,
    )
    .action((file: string, flags: ImportFlags) => runAction(flags, (io) => runImport(file, flags, io)));
}

async function runImport(file: string, flags: ImportFlags, io: Io): Promise<object> {
  const { importModel } = await import("../../model-files/import.js");
  const { formatBytes, formatCount } = await import("../../util/progress.js");
  const { json: _, events: _events, ...options } = flags;
  const summary = await importModel({ file, ...options }, io.watch());
  io.out(
    `${summary.out}: ${summary.model_type}, ${formatCount(summary.parameters)} parameters in ${summary.tensors} tensors, ` +
      `${summary.dtype}, ${formatBytes(summary.bytes)}\nfrom ${summary.format}, sha256 ${summary.source_sha256}\n`,
  );
  return summary;
}

function registerInfo(models: Command): void {
  const command = models
    .command("info")
    .argument("<model>", "a model directory, glasshouse, or a .safetensors, .gguf or llama2.c .bin file")
    .description("Shows what a model is: family, sizes, tensors, tokenizer, memory. Reads headers only.");
  addOptions(command, onlyJson)
    .addHelpText("after", "\nExample:\n  tacit models info models/gemma-3-270m")
    .action((path: string, flags: { json: boolean }) =>
      runAction(flags, async (io) => {
        const { inspectModel } = await import("../../model-files/inspect.js");
        const { describeModel } = await import("../models/describe.js");
        const info = await inspectModel(path);
        io.out(describeModel(info));
        return info;
      }),
    );
}

function registerVerify(models: Command): void {
  const command = models
    .command("verify")
    .argument("<dir>", "a model directory, or glasshouse")
    .description("Reads all of a model directory and checks it: shapes, values, tied matrices, tokenizer, hashes.");
  addOptions(command, verifyOptions)
    .addHelpText("after", "\nExit status 2 where a check fails.\n\nExample:\n  tacit models verify models/gemma-3-270m")
    .action((path: string, flags: FlagsOf<typeof verifyOptions>) =>
      runAction(flags, async (io) => {
        const { verifyModel } = await import("../../model-files/verify.js");
        const { describeChecks } = await import("../models/describe.js");
        const summary = await verifyModel(path, io.watch());
        io.out(describeChecks(summary));
        if (!summary.ok) process.exitCode = 2;
        return summary;
      }),
    );
}
