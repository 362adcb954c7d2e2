/** Nothing is gathered or sent by what we depend on: ONNX Runtime would, and leaves files where it does. */
import { mkdirSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modelFolder } from "../parity/fixtures.js";
import { type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
});
afterAll(() => staged.remove());

it.each([
  ["in the main thread", ["generate", "--prompts", "prompts.txt", "--out", "out.json", "--max-new-tokens", "2"]],
  ["in threads of a study", ["study", "run", "tiny", "--out", "out"]],
])("ONNX Runtime leaves nothing in temporary and home folders, %s", (name, args) => {
  const [home, temporary] = [folder.path(`${name}/home`), folder.path(`${name}/temporary`)];
  for (const path of [home, temporary]) mkdirSync(path, { recursive: true });
  folder.write(`${name}/prompts.txt`, "hi");
  // On a build server ONNX Runtime gathers nothing by itself.
  const env = {
    HOME: home,
    XDG_CACHE_HOME: home,
    TMPDIR: temporary,
    CI: undefined,
    GITHUB_ACTIONS: undefined,
    TF_BUILD: undefined,
  };
  const ran = staged.tacit([...args, "--model", modelFolder("llama-tied")], { cwd: folder.path(name), env });
  expect(ran.stderr).not.toContain("tacit: ");
  expect(ran.status).toBe(0);
  expect([readdirSync(home), readdirSync(temporary)]).toEqual([[], []]);
});
