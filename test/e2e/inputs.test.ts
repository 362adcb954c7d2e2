/** What is no file is refused at once, whichever option names it, and a full standard output is told. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainEnvironment, type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

const files = temporaryFolder();
let staged: StagedPackage;
const pipe = files.path("pipe");
const rows = files.write("rows.jsonl", '{"instruction":"a","response":"b"}\n');
const outputs = files.write("outputs.json", '[{"instruction":"a","output":"b","generator":"g"}]');
const out = files.path("out");
beforeAll(() => {
  staged = stagePackage();
  execFileSync("mkfifo", [pipe]);
}, 240_000);
afterAll(() => staged.remove());

/** Every option that names a file, with PIPE in its place. */
const COMMANDS: readonly (readonly string[])[] = [
  ["tune", "--model", "glasshouse", "--data", "PIPE.jsonl", "--objective", "response", "--out", out],
  ["generate", "--model", "glasshouse", "--prompts", "PIPE.txt", "--out", `${out}.json`],
  ["generate", "--model", "glasshouse", "--rules", "PIPE", "--prompts", rows, "--out", `${out}.json`],
  ["score", "--model", "glasshouse", "--input", "PIPE.jsonl", "--out", `${out}.jsonl`],
  ["rank", "--model", "glasshouse", "--data", "PIPE.json"],
  ["render", "--model", "glasshouse", "--data", "PIPE.csv", "--objective", "response", "--out", `${out}.jsonl`],
  ["data", "check", "PIPE.jsonl"],
  ["data", "check", "PIPE.parquet"],
  ["rules", "show", "PIPE"],
  ["judge", "PIPE", "--baseline", outputs, "--judge", "longer", "--out", out],
  ["judge", outputs, "--baseline", "PIPE", "--judge", "longer", "--out", out],
  ["judge", outputs, "--baseline", outputs, "--judge", "PIPE", "--out", out],
  ["winrate", "PIPE.json"],
  ["winrate", "PIPE.jsonl"],
  ["agreement", "PIPE.json"],
  ["study", "plan", "PIPE.yaml"],
  ["models", "import", "PIPE.gguf", "--out", out],
  ["glasshouse", "check", "--outputs", "PIPE", "--prompts", rows],
];

describe("an encoder whose weights are NaN", () => {
  it("is refused in one line by tacit similarity, and nothing is left behind", () => {
    const encoder = files.path("encoder");
    cpSync(join(import.meta.dirname, "..", "fixtures", "models", "encoders", "bert"), encoder, { recursive: true });
    const path = join(encoder, "model.safetensors");
    const bytes = readFileSync(path);
    const values = 8 + Number(bytes.readBigUInt64LE(0)); // https://github.com/huggingface/safetensors#format
    for (let at = values; at + 4 <= bytes.length; at += 4) bytes.writeFloatLE(Number.NaN, at);
    writeFileSync(path, bytes);
    const finished = staged.tacit(
      ["similarity", outputs, "--task", rows, "--reference", rows, "--encoder", encoder].concat([
        "--out",
        `${out}-similar`,
      ]),
    );
    expect(finished).toMatchObject({ status: 2, stdout: "" });
    const complaints = finished.stderr.split("\n").filter((line) => line.startsWith("tacit: "));
    expect(complaints).toEqual([
      expect.stringMatching(
        /^tacit: .*model\.safetensors: tensor \S+ holds NaN at 0; the weights are damaged or overflowed/,
      ),
    ]);
    expect(finished.stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(join(`${out}-similar`, "summary.json"))).toBe(false);
  });
});

describe("a pipe that nobody writes into", () => {
  it.each(COMMANDS)("%s %s %s %s %s %s", (...args) => {
    const ending = args.find((arg) => arg.startsWith("PIPE"))?.slice(4) ?? "";
    if (ending !== "") execFileSync("mkfifo", [pipe + ending]);
    const named = args.map((arg) => arg.replace(/^PIPE/, pipe));
    expectRefusal(named);
    if (ending !== "") rmSync(pipe + ending);
  });

  it.each(["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "model.safetensors"])(
    "as %s of a model's folder",
    (name) => {
      const model = files.path(`model-${name}`);
      mkdirSync(model);
      cpSync(join(staged.root, "assets", "glasshouse"), model, { recursive: true });
      rmSync(join(model, name), { force: true });
      execFileSync("mkfifo", [join(model, name)]);
      expectRefusal(["generate", "--model", model, "--prompts", rows, "--out", `${out}.json`]);
    },
  );
});

function expectRefusal(args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [join(staged.root, "dist", "cli", "main.js"), ...args], {
    env: plainEnvironment,
    encoding: "utf8",
    timeout: 180_000,
  });
  expect([status, stderr]).toEqual([
    2,
    expect.stringMatching(/^tacit: .*is a pipe, not a file.*; write what comes .*\n$/),
  ]);
}

describe("a full standard output", () => {
  it.each([["--help"], ["doctor", "--json"], ["rules", "show", "paper"]])("of %s %s", (...args) => {
    const command = `"$0" "$@" > /dev/full`;
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", command, process.execPath, join(staged.root, "dist", "cli", "main.js"), ...args.filter(Boolean)],
      { env: plainEnvironment, encoding: "utf8", timeout: 60_000 },
    );
    expect([status, stderr]).toEqual([
      2,
      "tacit: standard output: no space left on the disk; free some, or write elsewhere\n",
    ]);
  });
});
