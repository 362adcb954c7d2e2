/**
 * Ways to break a run: a full disk, kills in the first moments, two Ctrl-C. Two writers, flipped bits and all other kills are in test/e2e. Needs
 * ../shared/cases.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { randomStream } from "../../../src/util/random.js";
import { readOperations } from "../../kills/faults.js";
import { anyModel, casesRoot, openBench, reason, tinyFile } from "./cases.js";

vi.setConfig({ testTimeout: 600_000 });

const bench = openBench();
const preload = join(import.meta.dirname, "..", "..", "kills", "preload.mjs");
const withFault = (fault: object): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import ${preload}`,
  TACIT_FAULT: JSON.stringify(fault),
});
const study = (out: string): string[] => ["study", "run", "tiny", "--model", anyModel, "--out", out, "--threads", "1"];

describe.skipIf(reason !== "")(`ways to break a run${reason}`, () => {
  it("every case has a test here, or is named as tested elsewhere", () => {
    const elsewhere = ["ckpt.sh", "evil.py", "killat.mjs", "sigint-study.py", "two-writers.sh"]; // test/e2e, or the ideas of tests here
    const cases = [
      ...readdirSync(casesRoot, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : [])),
      ...readdirSync(join(casesRoot, "break")).map((name) => `break/${name}`),
    ].filter((name) => name !== "break" && !elsewhere.includes(name.replace("break/", "")));
    const tests = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(join(import.meta.dirname, name), "utf8"))
      .join("\n");
    expect(cases.filter((name) => !tests.includes(`${name}`))).toEqual([]);
  });

  it("break/rerun-refused: answers that were finished when the disk was full are not computed again", async () => {
    const folder = bench.folder.path("");
    const args = [
      ...["generate", "--model", anyModel, "--prompts", tinyFile("prompts.jsonl"), "--limit", "3"],
      ...["--max-new-tokens", "4", "--threads", "1", "--out"],
    ];
    const log = bench.folder.path("whole.log");
    expect((await bench.run([...args, "whole.json"], folder, withFault({ log }))).status).toBe(0);
    const operations = readOperations(log);
    const answered = operations.findLastIndex(({ path, data }) => data && /partial\.jsonl$/.test(path));
    expect(answered).toBeGreaterThan(0);
    const full = await bench.run(
      [...args, "o.json"],
      folder,
      withFault({ at: operations[answered]!.n + 1, how: "enospc" }),
    );
    expect(full.status).toBe(2);
    expect(full.stderr).toMatch(/no space|ENOSPC|full/i);
    const again = await bench.run([...args, "o.json"], folder);
    expect(again.status, again.stderr).toBe(0);
    const run = JSON.parse(readFileSync(bench.folder.path("o.run.json"), "utf8")) as unknown;
    expect(JSON.stringify(run)).toMatch(/"reused":3/);
    expect(readFileSync(bench.folder.path("o.json"), "utf8")).toBe(
      readFileSync(bench.folder.path("whole.json"), "utf8"),
    );
    expect(readdirSync(folder).filter((name) => /partial|lock/.test(name))).toEqual([]);
  });

  it("break/study-killed-early: a study killed in its first moments is gone on with", async () => {
    for (const at of [2, 4, 6]) {
      const killed = await bench.start(study(`early-${at}`), bench.folder.path(""), withFault({ at, how: "kill" }))
        .ended;
      expect(killed.status).toBe(null);
    }
    for (const at of [2, 4, 6]) {
      const { status, stderr } = await bench.run(study(`early-${at}`), bench.folder.path(""));
      expect(status, stderr).toBe(0);
    }
  });

  it("break/study-stale-failure: steps that failed for want of space are all tried again at once", async () => {
    const folder = bench.folder.path("");
    const full = await bench.run(study("full"), folder, withFault({ free: 100_000 })); // records fit, models do not
    expect([full.status, full.stderr]).toEqual([2, expect.stringMatching(/free/)]);
    const again = await bench.run(study("full"), folder);
    expect(again.status, again.stderr).toBe(0);
    const { state } = JSON.parse(readFileSync(join(folder, "full", "results.json"), "utf8")) as { state: string };
    expect(state).toBe("finished");
  });

  it("break/sigint-study: two Ctrl-C within a second end a study in two seconds, by itself", async () => {
    const random = randomStream(3, "moments of two Ctrl-C");
    for (let i = 0; i < 6; i++) {
      const { child, ended } = bench.start(study(`interrupted-${i}`), bench.folder.path(""));
      await setTimeout(600 + random.integer(3000));
      const signal = i % 2 === 0 ? "SIGINT" : "SIGTERM";
      child.kill(signal);
      const gap = [0, 10, 50][i % 3]!;
      await setTimeout(gap);
      child.kill(signal);
      const begun = performance.now();
      const { status, signal: endedBy, stderr } = await ended;
      expect(stderr).not.toMatch(/terminate called|core dumped/);
      // By what was sent, before the command listens; by SIGINT, which a shell shows as 130, where a thread is in native code; a failure in C++ is SIGABRT.
      expect([0, 130, "SIGINT", signal], stderr).toContain(status ?? endedBy);
      // Two at one moment may reach the process as one, which then ends when what is under way is done.
      if (gap > 0) expect(performance.now() - begun).toBeLessThan(2000 + 2000); // two seconds, and a busy machine's slack
    }
  });
});
