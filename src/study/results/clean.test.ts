/** Which study a folder is cleaned of: that of its last run, whatever flags are forgotten now. */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { UserError } from "../../util/errors.js";
import { packageRoot } from "../../util/system.js";
import type { StudyRequest } from "../plan/flags.js";
import { prepareStudy } from "../plan/prepare.js";
import { recall } from "../plan/recall.js";
import { findUnused, refuseOtherStudy, removeUnused } from "./clean.js";
import { makeStudyFolder } from "./folder.js";
import { openState } from "./state.js";

const folder = temporaryFolder();
const assets = join(packageRoot(), "assets");
const text = ({ arms = "", data = "" } = {}): string => `version: 1
name: small
about: x
models: { base: { path: $data/nowhere } }
data: { rows: $data/tiny/answers.jsonl, prompts: $data/tiny/prompts.jsonl${data} }
arms:
  instruction: { kind: instruction, data: rows }
  untuned: { kind: untuned }${arms}
epochs: [1]
generation: { prompts: prompts, limit: 2 }
comparisons: [{ arm: untuned, against: instruction }]
`;
const study = folder.write("study.yaml", text());
const model = join(assets, "stories260k");
const flags = { models: [`base=${model}`], dataDir: assets, judge: "longer", seeds: [3, 4], threads: 1 };

/** A folder in which the study was run with flags, and all of its steps have left one. */
async function run(name: string, request: Partial<StudyRequest> = {}): Promise<string> {
  const out = folder.path(name);
  const prepared = await prepareStudy({ study, out, ...flags, ...request });
  await makeStudyFolder(out);
  await prepared.folder.writeStudy(prepared.record);
  for (const { plan } of (await openState(prepared)).graph().steps) await prepared.folder.beginStep(plan!.folder);
  return out;
}

function put(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
}

async function clean(request: StudyRequest): Promise<readonly string[]> {
  const prepared = await prepareStudy(await recall(request));
  await refuseOtherStudy(prepared);
  return (await findUnused(prepared)).folders.map(({ folder: one }) => one);
}

describe("a folder's last run", () => {
  it("is what is asked about where flags are forgotten, given again, or lead to the same by another way", async () => {
    const out = await run("forgotten");
    const { record } = await prepareStudy({ study, out, ...flags });
    expect((await prepareStudy(await recall({ study, out }))).record).toEqual({ ...record, inputs: expect.anything() });
    expect(await clean({ study, out })).toEqual([]);
    expect(await clean({ study, out, judge: "longer", seeds: [3, 4] })).toEqual([]);
    const moved = folder.path("moved");
    cpSync(model, moved, { recursive: true });
    expect(await clean({ study, out, models: [moved] })).toEqual([]);
  });

  it("loses nothing that is somebody's own", async () => {
    const out = await run("strangers");
    const prepared = await prepareStudy({ study, out, ...flags });
    const unused = { folders: [`steps/tune-${"0".repeat(16)}`, `steps/judge-${"1".repeat(16)}`], kept: [] };
    const written = [
      "model/config.json",
      "model/epoch-1/model.safetensors",
      "model/checkpoints/checkpoint-3/state.json",
    ];
    for (const path of [...written, "started"]) put(join(out, unused.folders[0]!, path));
    for (const path of ["judge/ledger.jsonl", "judge/judge.lock", "step.json"])
      put(join(out, unused.folders[1]!, path));
    const found = { folders: unused.folders.map((one) => ({ folder: one, bytes: 0 })), kept: [] };
    const mine = join(out, unused.folders[1]!, "judge", "notes.txt");
    put(mine);
    await expect(removeUnused(prepared, found)).rejects.toThrow(/holds judge\/notes\.txt, which is not Tacit's/);
    expect(unused.folders.every((one) => existsSync(join(out, one)))).toBe(true);
    rmSync(mine);
    await removeUnused(prepared, found);
    expect(unused.folders.some((one) => existsSync(join(out, one)))).toBe(false);
  });

  it.each<[Partial<StudyRequest>, string]>([
    [{ judge: "none" }, "judge"],
    [{ judge: "first" }, "judge"],
    [{ seeds: [3] }, "seeds"],
    [{ data: [`rows=${join(assets, "tiny", "prompts.jsonl")}`] }, "data rows"],
    [{ threads: 2 }, "threads (1, now 2)"],
  ])("is not cleaned of under %j", async (given, name) => {
    const out = await run(`other ${JSON.stringify(given).replaceAll(/\W/g, "")}`);
    const refusal = clean({ study, out, ...given });
    await expect(refusal).rejects.toThrow(UserError);
    await expect(refusal).rejects.toThrow(`a study that differs in ${name}: `);
  });

  it("gives up what was taken out of the file since, with the flags that were about it", async () => {
    const extra = { arms: "\n  other: { kind: instruction, data: more }", data: ", more: $data/nowhere.jsonl" };
    const file = folder.write("edited.yaml", text(extra));
    const answers = join(assets, "tiny", "answers.jsonl");
    const out = await run("edited", { study: file, data: [`more=${answers}`], seeds: [3] });
    writeFileSync(file, text());
    expect((await clean({ study: file, out })).map((one) => one.replace(/-.*$/, ""))).toEqual(["steps/generate"]);
  });
});
