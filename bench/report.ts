/**
 * How long does a large report take, and how much memory? `tacit report` as a process, from start to end, on a made-up study of 10 arms, 5
 * seeds and 805 prompts: all answers, verdicts, certificates and training curves that a study of that size leaves.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { present } from "../src/util/errors.js";
import { type Bench, temporaryFolder } from "./bench.js";
import { madeUpStudy } from "./made-up-study.js";
import { median, rate } from "./measure.js";
import { tacit, timed } from "./process.js";

/** What a report of the whole size may take. */
const MOST = { seconds: 5, megabytes: 500 };

export const report: Bench = {
  about: "a large study as a page, a whole process",
  flags: {},
  async *run(settings) {
    using folder = temporaryFolder();
    const size = settings.quick ? { arms: 3, seeds: 2, prompts: 20 } : { arms: 10, seeds: 5, prompts: 805 };
    const [study, out] = [folder.at("study"), folder.at("report")];
    madeUpStudy(study, size);
    const [program, args] = tacit("report", study, "--out", out, "--force");
    const command = ["--import", import.meta.resolve("./tell-memory.js"), ...args];
    const runs = Array.from({ length: settings.runs + 1 }, () => timed(program, command)).slice(1);
    const peaks = runs.map(({ errors }) => Number(present(/^peak (\d+)$/m.exec(errors)?.[1], "peak memory")));
    const times = runs.map(({ passed }) => passed);
    const [seconds, megabytes] = [median(times), Math.max(...peaks) / 2 ** 20];
    const amount = size.arms * size.seeds * size.prompts;
    const more = {
      seconds: seconds.toFixed(2),
      "on the processor": `${median(runs.map(({ processor }) => processor)).toFixed(2)} s`,
      "peak memory": `${megabytes.toFixed(0)} MB`,
      page: `${(statSync(join(out, "index.html")).size / 1024).toFixed(0)} KB`,
    };
    const within = seconds < MOST.seconds && megabytes < MOST.megabytes;
    yield {
      title: `report of ${size.arms} arms × ${size.seeds} seeds × ${size.prompts} prompts, whole process`,
      figures: [rate({ work: "tacit report", unit: "answers/s", amount, times, more })],
      notes: within ? [] : [`More than ${MOST.seconds} s or ${MOST.megabytes} MB.`],
    };
  },
};
