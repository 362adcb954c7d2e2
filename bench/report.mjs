/**
 * How long does a large report take, and how much memory? `tacit report` as a process, from start to end, on a made-up study of 10 arms, 5
 * seeds and 805 prompts: all answers, verdicts, certificates and training curves that a study of that size leaves.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../dist/util/system.js";
import { madeUpStudy } from "./made-up-study.mjs";
import { besidePeak, median, repeat, result } from "./measure.mjs";

const run = promisify(execFile);

/** What a report of the whole size may take. */
const MOST = { seconds: 5, megabytes: 500 };

export async function benchReport(options) {
  const folder = mkdtempSync(join(tmpdir(), "tacit-bench-"));
  const size = options.quick ? { arms: 3, seeds: 2, prompts: 20 } : { arms: 10, seeds: 5, prompts: 805 };
  const named = `report of ${size.arms} arms × ${size.seeds} seeds × ${size.prompts} prompts`;
  try {
    const study = join(folder, "study");
    madeUpStudy(study, size);
    options.note(`${named} (runs: ${options.runs})`);
    const { value: runs, peak } = await besidePeak(options, () =>
      repeat(options.runs, () => reportOnce(study, join(folder, "report"))),
    );
    const times = runs.map(({ seconds }) => seconds);
    const megabytes = Math.max(...runs.map(({ megabytes: most }) => most));
    const processor = median(runs.map((one) => one.processor));
    const page = statSync(join(folder, "report", "index.html")).size / 1024;
    const within = median(times) < MOST.seconds && megabytes < MOST.megabytes;
    const note = `${named}: ${median(times).toFixed(2)} s (${processor.toFixed(2)} s of processor time), ${megabytes.toFixed(0)} MB at most, a page of ${page.toFixed(0)} KB${
      within ? "" : `; more than ${MOST.seconds} s or ${MOST.megabytes} MB`
    }`;
    const amount = size.arms * size.seeds * size.prompts;
    const row = result({ work: `${named}, whole process`, unit: "answers/s", amount, times, peak });
    return [{ ...row, note: [note] }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const TELL = import.meta.resolve("./tell-cost.mjs");

async function reportOnce(study, out) {
  const main = join(packageRoot(), "dist", "cli", "main.js");
  const started = performance.now();
  const { stderr } = await run(process.execPath, ["--import", TELL, main, "report", study, "--out", out, "--force"]);
  const seconds = (performance.now() - started) / 1000;
  const [peak, processor] = ["peak", "cpu"].map((name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stderr)[1]));
  return { seconds, megabytes: peak / 2 ** 20, processor: processor / 1e6 };
}
