/** Real GGUF files: read as the Python package reads them, imported, and encoding as Transformers does. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { importModel } from "../../src/model-files/import.js";
import { inspectModel } from "../../src/model-files/inspect.js";
import { verifyModel } from "../../src/model-files/verify.js";
import { loadTextModel } from "../../src/text/load.js";
import { openGguf } from "../../src/weights/gguf.js";
import { repositoryRoot } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";
import { realModel } from "./folder.js";

interface Golden {
  readonly name: string;
  readonly shape: number[];
  readonly sha256: string;
}
// Made by python/fixtures/gguf_tensors.py; versions in origin.json beside it.
const golden = JSON.parse(
  readFileSync(join(repositoryRoot, "test", "fixtures", "weights", "gguf-tensors.json"), "utf8"),
) as Record<string, Record<string, Golden>>;

interface Expected {
  readonly models: Record<string, { readonly tokenizer: { readonly encodings: { text: string; ids: number[] }[] } }>;
}
const expectedPath = join(repositoryRoot, "..", "shared", "models", "expected.json");
const expected = existsSync(expectedPath) ? (JSON.parse(readFileSync(expectedPath, "utf8")) as Expected) : undefined;

const models = [
  {
    name: "gemma-3-270m",
    file: "gemma-3-270m-q4_k_m.gguf",
    family: "gemma3",
    parameters: 268_098_176,
    types: ["F32", "Q4_K", "Q5_0", "Q6_K", "Q8_0"],
  },
  {
    name: "smollm2-135m-instruct",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    family: "llama",
    parameters: 134_515_008,
    types: ["F32", "Q4_1", "Q8_0"],
  },
] as const;

const folder = temporaryFolder();

describe.each(models)("$name", ({ name, file, family, parameters, types }) => {
  const { path, skip } = realModel(`gguf/${file}`);

  describe.skipIf(skip !== undefined)(skip ?? "from its GGUF file", () => {
    const out = folder.path(name);
    beforeAll(async () => {
      await importModel({ file: path, out, dtype: "BF16" }); // half the disk; values are checked on the file itself
    }, 300_000);

    it.each(types)("reads %s to the same bits as the Python package", async (type) => {
      const tensor = golden[file]?.[type];
      const store = await openGguf(path);
      expect(store.tensors.get(tensor?.name ?? "")).toEqual({ name: tensor?.name, dtype: type, shape: tensor?.shape });
      const values = await store.read(tensor?.name ?? "");
      await store.close();
      expect(createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex")).toBe(tensor?.sha256);
    });

    it("is a whole and sound model once imported", async () => {
      const summary = await verifyModel(out);
      expect(summary.checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(await inspectModel(out)).toMatchObject({ family, parameters, tied: true, dtypes: { BF16: parameters } });
    });

    // The texts and their ids lie in ../shared beside the checkout.
    it.skipIf(expected === undefined)("encodes as Transformers does", async () => {
      const { tokenizer } = await loadTextModel(out);
      const encodings = expected?.models[name]?.tokenizer.encodings ?? [];
      expect(encodings.length).toBeGreaterThan(3);
      expect(encodings.map(({ text }) => tokenizer.encode(text))).toEqual(encodings.map(({ ids }) => ids));
    });
  });
});
