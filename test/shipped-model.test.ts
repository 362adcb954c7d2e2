/** `glasshouse` in place of a model directory: with a package that holds no such model, and with one that does. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { hashModel } from "../src/model-files/hash.js";
import { inspectModel } from "../src/model-files/inspect.js";
import { verifyModel } from "../src/model-files/verify.js";
import { openModel, readModelConfig } from "../src/models/open.js";
import { studySchema } from "../src/records/study-file.js";
import { generate } from "../src/steps/generate.js";
import { score } from "../src/steps/score.js";
import { tune } from "../src/steps/tune.js";
import { wantedInputs } from "../src/study/plan/inputs.js";
import { loadTextModel } from "../src/text/load.js";
import { temporaryFolder } from "./temporary-folder.js";

// Modules are a worker's and not this file's: they are loaded again around the mock.
const root = vi.hoisted(() => {
  vi.resetModules();
  return { path: "" };
});
afterAll(() => {
  vi.doUnmock("../src/util/system.js");
  vi.resetModules();
});
vi.mock("../src/util/system.js", async (actual) => ({
  ...(await actual<typeof import("../src/util/system.js")>()),
  packageRoot: () => root.path,
}));

const files = temporaryFolder();
const fixture = join(import.meta.dirname, "fixtures", "models", "llama");
const shipped = (): string => {
  root.path = files.path("package");
  const folder = join(root.path, "assets", "glasshouse");
  cpSync(fixture, folder, { recursive: true });
  return folder;
};
afterEach(() => rmSync(files.path("package"), { recursive: true, force: true }));

describe("a package without the model", () => {
  it.each([
    ["loadTextModel", () => loadTextModel("glasshouse")],
    ["openModel", () => openModel("glasshouse")],
    ["hashModel", () => hashModel("glasshouse")],
    ["inspectModel", () => inspectModel("glasshouse")],
    ["verifyModel", () => verifyModel("glasshouse")],
  ])("%s says so", async (_, open) => {
    root.path = files.path("empty");
    await expect(open()).rejects.toThrow("this package was built without the model glasshouse");
  });

  it("is mentioned where a model directory is missing", async () => {
    for (const open of [loadTextModel, inspectModel, verifyModel])
      await expect(open(files.path("nowhere"))).rejects.toMatchObject({
        remedy: expect.stringContaining("glasshouse"),
      });
  });
});

describe("a package with the model", () => {
  it("opens it at every door, as its folder is opened", async () => {
    const folder = shipped();
    expect(await hashModel("glasshouse")).toBe(await hashModel(folder));
    expect((await loadTextModel("glasshouse")).hash).toBe((await loadTextModel(folder)).hash);
    expect((await readModelConfig("glasshouse")).dims).toEqual((await readModelConfig(folder)).dims);
    expect({ ...(await inspectModel("glasshouse")), path: "" }).toEqual({ ...(await inspectModel(folder)), path: "" });
    expect((await verifyModel("glasshouse")).ok).toBe(true);
  });

  it("is known by its name in records, and what is tuned from it is whole", async () => {
    shipped();
    const base = { model: "glasshouse", threads: 1 };
    const answered = await generate({ ...base, prompts: [{ instruction: "Name a sea." }], maxNewTokens: 4 });
    expect(answered.run.model.path).toBe("glasshouse");
    expect(answered.outputs[0]?.generator).toBe("glasshouse");
    const scored = await score({ ...base, input: [{ prompt_ids: [1, 7], response_ids: [9] }] });
    expect(scored.run.model).toEqual({ path: "glasshouse", hash: await hashModel("glasshouse") });
    const data = files.write("pairs.jsonl", '{"instruction":"Name a sea.","response":"The sea."}\n');
    const out = files.path("tuned");
    const record = await tune({ ...base, data, objective: "response", out, epochs: 1 });
    expect(record.model.path).toBe("glasshouse");
    expect((await verifyModel(out)).ok).toBe(true);
  });

  it("is what a study means by `glasshouse`; `./glasshouse` is a folder beside the study", () => {
    const folder = shipped();
    const study = (path: string) =>
      studySchema.parse({
        version: 1,
        name: "s",
        about: "a name",
        models: { base: { path } },
        data: {},
        arms: { base: { kind: "untuned" } },
      });
    const from = { studyFolder: "/studies", dataFolder: "/data" };
    const [named] = wantedInputs(study("glasshouse"), from);
    expect(named).toEqual({ role: "model", name: "base", spec: "glasshouse", path: folder });
    expect(wantedInputs(study("./glasshouse"), from)[0]?.path).toBe("/studies/glasshouse");
  });
});
