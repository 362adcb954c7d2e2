/**
 * One flipped bit in what a run wrote for itself: a checkpoint, the result of a finished step of a study. It is noticed before anything
 * is computed from it: one line that says so, or the work is done over; never another result.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Campaign, openCampaign, type Whole } from "../kills/campaign.js";
import { type Ended, start } from "../kills/faults.js";
import { type Given, openGiven, type Scenario, scenarios } from "../kills/scenarios.js";
import { difference, treeOf } from "../kills/tree.js";
import { type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 }); // a build, and processes that start one after the other

const folder = temporaryFolder();
let staged: StagedPackage;
let given: Given;
let campaign: Campaign;
beforeAll(async () => {
  staged = stagePackage();
  given = await openGiven(folder.path(""));
  campaign = openCampaign(staged, given, folder.path(""));
});
afterAll(async () => {
  await given.close();
  staged.remove();
});

const scenario = (name: string): Scenario => scenarios.find((one) => one.name === name)!;

const filesBelow = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(root, file)).isFile())
    .sort();

/** In the middle of the file; bit 6, so that a letter or a digit becomes another character and a number another number. */
function flipIn(path: string, place: number): void {
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length * place)]! ^= 0x40;
  writeFileSync(path, bytes);
}

const NOTICED = /damaged|not what was written|sha256|hash|not JSON|changed|differs|older checkpoint|done again/i;

/** Either one line and exit 2; or the undisturbed run's bytes, and a word about it. */
function expectNoticed({ status, stderr }: Ended, whole: Whole, found: string): void {
  expect([0, 2], stderr).toContain(status);
  expect(stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(stderr).toMatch(NOTICED);
  if (status === 2) expect(stderr.split("\n").filter((line) => line.startsWith("tacit: "))).toHaveLength(1);
  else expect(difference(whole.tree, treeOf(found))).toEqual({ left: [], missing: [], changed: [] });
}

describe("a checkpoint of tune", () => {
  const tune = scenario("tune");
  let whole: Whole;
  let killed: string;
  let checkpoint: string;
  beforeAll(async () => {
    whole = await campaign.whole(tune);
    const begun = await campaign.begin(tune, "checkpointed");
    // Behind its second checkpoint, half way in the third.
    const renames = whole.operations.filter(
      ({ operation, path }) => operation === "rename" && /checkpoint-\d+$/.test(path),
    );
    await begun.run({ at: renames[1]!.n + 12, how: "kill" }).ended;
    killed = begun.folder;
    const [newest] = readdirSync(join(killed, "out", "checkpoints"))
      .filter((name) => /^checkpoint-\d+$/.test(name))
      .sort()
      .reverse();
    checkpoint = join("out", "checkpoints", newest!);
  });

  it("with a bit flipped in any of its files is refused in one line, or done over to the same bytes", async () => {
    const files = filesBelow(join(killed, checkpoint));
    expect(files).toEqual(expect.arrayContaining(["state.json", join("parameters", "model.safetensors")]));
    for (const file of files) {
      for (const place of file.endsWith(".safetensors") ? [0.3, 0.99] : [0.5]) {
        const copy = folder.path(`flipped ${file.replaceAll("/", " ")} ${place}`);
        cpSync(killed, copy, { recursive: true });
        flipIn(join(copy, checkpoint, file), place);
        const script = join(staged.root, "dist", "cli", "main.js");
        const ended = await start({ script, folder: copy }, [...tune.args(given), "--resume"]).ended;
        expect(ended.stderr, `${file} at ${place}`).toMatch(NOTICED);
        expectNoticed(ended, whole, copy);
        rmSync(copy, { recursive: true });
      }
    }
  });
});

describe("the result of a finished step", () => {
  const study = scenario("study run");
  const again = async (copy: string): Promise<Ended> =>
    start({ script: join(staged.root, "dist", "cli", "main.js"), folder: copy }, study.args(given)).ended;

  it("with a bit flipped is noticed when the study is run again", async () => {
    const whole = await campaign.whole(study);
    const files = filesBelow(join(whole.folder, "out", "steps")).filter((file) => /\.jsonl?$/.test(file));
    const kinds = new Map(files.map((file) => [`${file.split("-")[0]} ${basename(file)}`, file]));
    const results = [...kinds.values()].filter((file) =>
      /annotations|outputs|scores|pairs|summary|choice|win/.test(basename(file)),
    );
    expect(results.length).toBeGreaterThan(2);
    for (const file of results) {
      const copy = folder.path(`study ${file.replaceAll("/", " ")}`);
      cpSync(whole.folder, copy, { recursive: true });
      flipIn(join(copy, "out", "steps", file), 0.5);
      const ended = await again(copy);
      expect(ended.stderr, file).toMatch(NOTICED);
      expectNoticed(ended, whole, copy);
      rmSync(copy, { recursive: true });
    }
  });

  it("that is a model is noticed before anything is computed with it", async () => {
    const whole = await campaign.whole(study);
    const steps = join("out", "steps");
    const copy = folder.path("study model");
    cpSync(whole.folder, copy, { recursive: true });
    for (const step of readdirSync(join(copy, steps)))
      if (/^(generate|score|judge|compare)-/.test(step)) rmSync(join(copy, steps, step), { recursive: true });
    const model = filesBelow(join(copy, steps)).find((file) => /^tune-.*model\.safetensors$/.test(file))!;
    flipIn(join(copy, steps, model), 0.9);
    expectNoticed(await again(copy), whole, copy);
  });
});
