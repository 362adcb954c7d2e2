/**
 * Every command that writes, killed: before its first and its last file operation, around its renames, at moments drawn by chance, after
 * half a write, and with a full disk. The same command again always comes to what an undisturbed run leaves. `npm run test:kills`
 * tries every operation.
 */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commands } from "../../src/cli/commands.js";
import { buildProgram } from "../../src/cli/program.js";
import { type Campaign, faultText, inParallel, openCampaign, sampledFaults } from "../kills/campaign.js";
import { type Given, openGiven, scenarios } from "../kills/scenarios.js";
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

it("every command with --out is among the scenarios", async () => {
  const reading = new Set(["study plan", "study status"]); // of a folder that is there
  const names: string[] = [];
  for (const { name } of commands) {
    const program = await buildProgram(name);
    const visit = (command: Command, path: string): void => {
      if (command.options.some(({ long }) => long === "--out") && !reading.has(path)) names.push(path);
      for (const below of command.commands) visit(below, `${path} ${below.name()}`);
    };
    visit(program.commands.find((one) => one.name() === name)!, name);
  }
  expect(names.length).toBeGreaterThan(12);
  expect(names.filter((name) => !scenarios.some((scenario) => scenario.name.startsWith(name)))).toEqual([]);
});

describe.each(scenarios.filter(({ atMost }) => atMost === undefined))("$name", (scenario) => {
  it("struck and given again, it leaves what an undisturbed run leaves", async () => {
    const { operations } = await campaign.whole(scenario);
    expect(operations.length).toBeGreaterThan(0);
    const faults = sampledFaults(scenario, operations, 1);
    const outcomes = await inParallel(faults, availableParallelism(), (fault) => campaign.strike(scenario, fault));
    expect(outcomes.filter(({ verdict }) => verdict !== "same").map(faultText)).toEqual([]);
  });
});
