/** Every fixture is the file that its origin names, made by a script that is here. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/util/files.js";
import { modelsFolder } from "./fixtures.js";

interface Origin {
  readonly sha256: string;
  readonly script: string;
  readonly versions: Readonly<Record<string, string>>;
}

const repository = join(import.meta.dirname, "..", "..");
const folders = [
  "",
  "llama",
  "llama-tied",
  "gemma3",
  "gpt2",
  "mistral",
  "olmo",
  "olmo2",
  "qwen2",
  "qwen3",
  "gpt-neox",
  "tokenizers",
  "tokenizers/bytes",
  "tokenizers/pieces",
  "encoders/bert",
  "encoders/nomic-bert",
];

describe.each(folders)("fixtures in models/%s", (folder) => {
  const path = join(modelsFolder, folder);
  const files = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "origin.json")
    .map((entry) => entry.name);

  it("are all named by origin.json, and nothing else is", () => {
    const named = existsSync(join(path, "origin.json")) ? Object.keys(origins(path)) : [];
    expect([...files].sort()).toEqual(named.sort());
  });

  it.each(files)("%s has the bytes that its script wrote", (file) => {
    const origin = origins(path)[file];
    expect(sha256(readFileSync(join(path, file)))).toBe(origin?.sha256);
    expect(existsSync(join(repository, origin?.script ?? "missing"))).toBe(true);
    expect(origin?.versions).toMatchObject({ torch: "2.13.0+cpu", transformers: "5.23.0" });
  });
});

const origins = (path: string): Record<string, Origin> =>
  JSON.parse(readFileSync(join(path, "origin.json"), "utf8")) as Record<string, Origin>;
