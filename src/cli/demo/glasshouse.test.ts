/** The demo's plumbing on a model that has no part in its world: every step is carried out, judged and told. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { checkers } from "../../glasshouse/checker.js";
import { type StudyResults, studyResultsSchema } from "../../records/study.js";
import { inlineRunner } from "../../study/run/runner.js";
import { checkReplaceable } from "../../util/directories.js";
import type { Io } from "../run-action.js";
import { REPLACED, runGlasshouse } from "./glasshouse.js";
import type { ArmResult } from "./outcome.js";

vi.setConfig({ testTimeout: 180_000 }); // three tunings and fifteen more steps: seconds, and a minute on a busy machine

const folder = temporaryFolder();

function recorder(): { io: Io; said: string[] } {
  const said: string[] = [];
  const progress = { update: () => {}, clear: () => {}, note: (text: string) => void said.push(text), done: () => {} };
  const io = {
    json: false,
    out: (text: string) => void said.push(text),
    note: (text: string) => void said.push(text),
    progress,
    signal: new AbortController().signal,
    beforeExit: () => {},
  };
  return { io: io as unknown as Io, said };
}

interface Summary {
  readonly state: string;
  readonly report: string;
  readonly arms: readonly ArmResult[];
  readonly rankings: readonly { readonly arm: string }[];
}

const run = async (out: string, io: Io, force = false): Promise<Summary> =>
  (await runGlasshouse({ out, scale: "tiny", seeds: 1, threads: 1, force }, io, (context) =>
    inlineRunner({ ...context, checkers }),
  )) as Summary;

it("carries out, judges, tells and reports; the second time it only tells", async () => {
  const out = folder.path("demo");
  const { io, said } = recorder();
  const summary = await run(out, io);
  const text = said.join("");
  const results: StudyResults = studyResultsSchema.parse(JSON.parse(readFileSync(join(out, "results.json"), "utf8")));
  expect(summary.state).toBe("finished");
  expect(summary.arms.map(({ arm }) => arm)).toEqual(["untuned", "rules", "instruction", "response", "poems"]);
  for (const { arm, win_rate, mean_score, answers } of summary.arms) {
    expect(answers, arm).toBe(6);
    expect(win_rate === null, arm).toBe(arm === "instruction");
    expect(mean_score, arm).toBeGreaterThan(0);
    expect(mean_score, arm).toBeLessThan(1);
  }
  expect(summary.rankings.map(({ arm }) => arm)).toEqual(["untuned", "instruction"]);
  expect(existsSync(summary.report)).toBe(true);
  for (const { arm, annotations } of results.comparisons.flatMap(({ arm: name, pairs }) =>
    pairs.map((pair) => ({ ...pair, arm: name })),
  )) {
    const [row] = JSON.parse(readFileSync(join(out, annotations), "utf8")) as [object];
    expect(row, arm).toMatchObject({
      annotator: expect.stringMatching(/^checker@/),
      score_1: { parts: { about: expect.any(Number), facts: expect.any(Number) } },
      score_2: { parts: { stopped: expect.any(Number) } },
    });
  }
  expect(text).toContain("response tuning: tuned on the same responses, every instruction replaced by the empty text.");
  expect(text).toMatch(/poems: \d of 6 answers end by themselves/);
  expect(text).toMatch(/untuned: against instruction tuning \d better, \d as good, \d worse/);
  expect(text).toMatch(/arm +wins, % +95 % interval +lc +score +facts +right +end +echo +Llama-2-7B +OLMo-7B-Feb2024/);
  expect(text).toMatch(/^poems .*22\.9 +21\.9$/m);
  expect(text).toContain(`The report: ${summary.report}`);

  const again = recorder();
  expect(await run(out, again.io)).toMatchObject({ state: "finished", arms: summary.arms });
  for (const stranger of ["notes.txt", "report/notes.txt", `${results.steps[0]?.folder}/notes.txt`]) {
    writeFileSync(join(out, stranger), "mine");
    await expect(run(out, again.io, true)).rejects.toThrow(`holds ${stranger}, which is not Tacit's`);
    rmSync(join(out, stranger));
  }
  expect(await checkReplaceable(out, { force: true, ...REPLACED })).toBe(true);

  const n = results.steps.length;
  expect(again.said.join("")).toContain(`${n} of ${n} steps were done before.`);
});
