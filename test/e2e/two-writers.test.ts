/** Two processes and one `--out`: whichever command it is, the second is refused in one line, and the first is not disturbed. */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Campaign, openCampaign } from "../kills/campaign.js";
import type { Started } from "../kills/faults.js";
import { type Given, openGiven, scenarios } from "../kills/scenarios.js";
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

/** Until it has stopped before that operation: state T in /proc/PID/stat (man 5 proc), behind the name in parentheses. */
async function untilStopped({ child }: Started): Promise<void> {
  while (child.exitCode === null) {
    if (/\) T /.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) return;
    await setTimeout(5);
  }
}

describe
  .skipIf(process.platform !== "linux")
  .each(scenarios.filter(({ from, atMost }) => from === undefined && atMost === undefined))("$name", (scenario) => {
  it("the second is refused while the first is half way, which then ends as if alone", async () => {
    const { operations, tree } = await campaign.whole(scenario);
    const { folder: out, run } = await campaign.begin(scenario, "shared");
    const first = run({ at: Math.ceil((operations.length + 1) / 2), how: "stop" });
    await untilStopped(first);
    const second = await run(undefined, true).ended;
    first.child.kill("SIGCONT");
    const { status, stderr } = await first.ended;
    expect([second.status, second.stdout]).toEqual([2, ""]);
    expect(second.stderr).toMatch(new RegExp(`^tacit: .*in use by process ${first.child.pid}\\b.*\\n$`));
    expect(status, stderr).toBe(0);
    expect(difference(tree, treeOf(out))).toEqual({ left: [], missing: [], changed: [] });
  });
});
