/**
 * Every record that a study leaves, damaged in every way: whoever reads it afterwards (status, plan, run, clean, report) either gets on
 * without, or says in one line which file is wrong. Never a stack.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { html } from "../../src/report/html.js";
import { markdown } from "../../src/report/markdown.js";
import { makeReport } from "../../src/report/report.js";
import { planStudy, runStudy, studyStatus } from "../../src/study/library.js";
import type { StudyRequest } from "../../src/study/plan/flags.js";
import { prepareStudy } from "../../src/study/plan/prepare.js";
import { recall } from "../../src/study/plan/recall.js";
import { findUnused, refuseOtherStudy, removeUnused } from "../../src/study/results/clean.js";
import { carryOut } from "../../src/study/run/carry-out.js";
import { runStudy as runPrepared } from "../../src/study/run/run.js";
import type { Runner } from "../../src/study/run/runner.js";
import { definitionOf } from "../../src/study/steps.js";
import { UserError, userErrorOf } from "../../src/util/errors.js";
import { randomStream } from "../../src/util/random.js";
import { damaged } from "../damaged-json.js";
import { modelFolder, modelsFolder } from "../parity/fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 240_000 });

/** `TACIT_MUTATIONS=600` for a long look, `TACIT_SEED=7` for another one. */
const MUTATIONS = Number(process.env.TACIT_MUTATIONS ?? 40);
const SEED = Number(process.env.TACIT_SEED ?? 1);

const folder = temporaryFolder();
const whole = folder.path("whole");
const out = folder.path("out");
const request: StudyRequest = {
  ...{ study: "tiny", models: [modelFolder("llama-tied")], encoder: join(modelsFolder, "encoders", "bert") },
  ...{ threads: 1, out },
};
beforeAll(async () => {
  const { state } = await runStudy({ ...request, out: whole, inThisThread: true });
  expect(state).toBe("finished");
});

const records = (): string[] =>
  readdirSync(whole, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.jsonl?$/.test(file) && !/tokenizer|config\.json$/.test(file))
    .filter((file) => statSync(join(whole, file)).isFile())
    .sort();

/** One file of each kind as often as any other, however many there are of it. */
function byKind(): string[][] {
  const kinds = new Map<string, string[]>();
  for (const file of records()) {
    const kind = `${file.replace(/-[0-9a-f]{16}.*$/, "")} ${basename(file)}`.replace(/[0-9a-f]{16}/, "");
    kinds.set(kind, [...(kinds.get(kind) ?? []), file]);
  }
  return [...kinds.values()];
}

const restore = (): void => {
  rmSync(out, { recursive: true, force: true });
  cpSync(whole, out, { recursive: true });
};

/** As older versions left it: nothing says what the results of a step were. */
function forgetFingerprints(): void {
  for (const file of records().filter((one) => basename(one) === "step.json")) {
    const { results: _, ...rest } = JSON.parse(readFileSync(join(out, file), "utf8")) as { results?: unknown };
    writeFileSync(join(out, file), `${JSON.stringify({ ...rest, version: 1 }, null, 2)}\n`);
  }
}

/** What would be computed is not; all else is carried out. */
const runner: Runner = {
  async run(work, place, watch) {
    if (definitionOf(work.kind).lane === "computing") throw new UserError("nothing is computed here");
    return carryOut(work, place, { root: out, computing: { threads: 1 } }, watch);
  },
  halt: async () => true,
  close: async () => {},
};

async function run(): Promise<void> {
  const reasons: string[] = [];
  await runPrepared(await prepareStudy(request), runner, {
    onEvent(event) {
      if (event.event !== "end" || event.step === "study" || event.outcome.kind !== "failed") return;
      if (event.outcome.defect) throw new Error(`${event.step}: ${event.outcome.reason}`);
      reasons.push(event.outcome.reason);
    },
  });
  const other = reasons.find((reason) => reason !== "nothing is computed here");
  if (other !== undefined) throw new UserError(other);
}

async function clean(): Promise<void> {
  const prepared = await prepareStudy(await recall(request));
  await refuseOtherStudy(prepared);
  await removeUnused(prepared, await findUnused(prepared));
}

async function page(): Promise<void> {
  const made = await makeReport(out);
  html(made);
  markdown(made);
}

type Reader = readonly [name: string, read: () => Promise<unknown>];
const ofStudy: readonly Reader[] = [
  ["status", () => studyStatus({ study: "tiny", out })],
  ["plan", () => planStudy(request)],
  ["clean", clean],
  ["run", run],
];
const ofReport: readonly Reader[] = [["report", page]];

/** What is wrong with how it ended; undefined where nothing is. */
async function complaint(read: () => Promise<unknown>, file: string): Promise<string | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    const mistake = userErrorOf(error);
    if (mistake === undefined) return error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { line } = mistake;
    if (line.includes("\n") || line.length > 1500) return `not one line: ${line.slice(0, 200)}`;
    const step = /^steps\/[^/]+/.exec(file)?.[0] ?? file;
    return line.includes(file) || line.includes(step) ? undefined : `the file is not named: ${line}`;
  }
}

async function campaign(purpose: string, readers: readonly Reader[], older: boolean): Promise<string[]> {
  const stream = randomStream(SEED, purpose);
  const kinds = byKind();
  const found: string[] = [];
  for (let n = 0; n < MUTATIONS / 2; n++) {
    const files = kinds[n % kinds.length]!;
    const file = files[stream.integer(files.length)]!;
    restore();
    if (older) forgetFingerprints();
    const { what, bytes } = damaged(readFileSync(join(out, file)), stream);
    writeFileSync(join(out, file), bytes);
    for (const [name, read] of readers) {
      if (name === "plan" && n % 8 > 0) continue; // reads what status reads, and measures the machine
      const bad = await complaint(read, file);
      if (bad !== undefined) found.push(`${name}: ${file}: ${what}: ${bad}`);
    }
  }
  return found;
}

const said = (found: readonly string[]): string => found.join("\n\n");

describe.each([
  ["of this version", false],
  ["of a version that kept no fingerprints", true],
])("damaged records %s", (version, older) => {
  it("are one line with the file to whoever reads the study", async () => {
    expect(said(await campaign(`study ${version}`, ofStudy, older))).toBe("");
  });
  it("are one line with the file to the report", async () => {
    expect(said(await campaign(`report ${version}`, ofReport, older))).toBe("");
  });
});

describe("something else in place of a record", () => {
  it.each(["nothing", "a folder", "a pipe"])("%s is one line with the file", async (what) => {
    const found: string[] = [];
    for (const [file] of byKind()) {
      restore();
      const path = join(out, file!);
      rmSync(path);
      if (what === "a folder") mkdirSync(path);
      if (what === "a pipe") expect(spawnSync("mkfifo", [path]).status).toBe(0);
      for (const [name, read] of [...ofReport, ...ofStudy]) {
        const bad = await complaint(read, file!);
        if (bad !== undefined) found.push(`${name}: ${file}: ${bad}`);
      }
    }
    expect(said(found)).toBe("");
  });
});
