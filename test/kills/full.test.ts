/**
 * The kill campaign at full size, for the night: every writing file operation of every command that writes. Hours on two cores;
 * `TACIT_SCENARIOS=generate,tune` takes some, `TACIT_SAMPLE=3` only so many moments drawn by chance beside the first, the last and those
 * around renames, `TACIT_REPORT=FILE` also writes the table and every fault that did not end well there.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";
import {
  type Campaign,
  everyFailure,
  everyKill,
  faultText,
  inParallel,
  type Outcome,
  openCampaign,
  sampled,
  sampledFaults,
  table,
} from "./campaign.js";
import type { Fault, Operation } from "./faults.js";
import { type Given, openGiven, type Scenario, scenarios } from "./scenarios.js";

vi.setConfig({ testTimeout: 10 * 3600_000, hookTimeout: 240_000 });

const asked = process.env.TACIT_SCENARIOS?.split(",");
const chosen = scenarios.filter(({ name }) => asked === undefined || asked.includes(name));
const sample = process.env.TACIT_SAMPLE === undefined ? undefined : Number(process.env.TACIT_SAMPLE);
const folder = temporaryFolder();
const outcomes: Outcome[] = [];
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

const report = (): void => {
  const bad = outcomes.filter(({ verdict }) => verdict !== "same");
  const text = `${table(outcomes)}\n${bad.map((one) => `${faultText(one)}\n`).join("")}`;
  if (process.env.TACIT_REPORT !== undefined) writeFileSync(process.env.TACIT_REPORT, text);
};
afterAll(() => console.log(`\n${table(outcomes)}`));

function faultsOf(scenario: Scenario, operations: readonly Operation[]): Fault[] {
  if (sample !== undefined) return sampledFaults(scenario, operations, sample);
  const every = [...everyKill(operations), ...everyFailure(operations)];
  return scenario.atMost === undefined ? every : sampled(every, scenario.atMost, 1);
}

describe.each(chosen)("$name", (scenario) => {
  it("struck at any operation and given again, it leaves what an undisturbed run leaves", async () => {
    const { operations } = await campaign.whole(scenario);
    expect(operations.length).toBeGreaterThan(0);
    const faults = faultsOf(scenario, operations);
    const mine = await inParallel(faults, availableParallelism(), async (fault) => {
      const outcome = await campaign.strike(scenario, fault);
      outcomes.push(outcome);
      report();
      return outcome;
    });
    expect(mine.filter(({ verdict }) => verdict !== "same").map(faultText)).toEqual([]);
  });
});
