/**
 * The kill campaign: every writing file operation of a command is a moment to die, or to find the disk full; then the same command is
 * given again, and what lies there must be what an undisturbed run leaves, to the byte, and nothing else.
 */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomStream } from "../../src/util/random.js";
import type { StagedPackage } from "../staged-package.js";
import { type Ended, type Fault, type Operation, operationText, start } from "./faults.js";
import { type Given, type Scenario, scenarios } from "./scenarios.js";
import { difference, type Tree, treeOf } from "./tree.js";

export type Verdict = "same" | "refused" | "crashed" | "different" | "left behind" | "badly told";

export interface Outcome {
  readonly scenario: string;
  readonly fault: Fault;
  /** What was struck. */
  readonly operation: string;
  readonly verdict: Verdict;
  readonly detail: string;
}

/** What a run leaves that nobody disturbs. */
export interface Whole {
  readonly scenario: Scenario;
  readonly operations: readonly Operation[];
  readonly tree: Tree;
  readonly folder: string;
}

export interface Campaign {
  /** The undisturbed run of a scenario, once. */
  whole(scenario: Scenario): Promise<Whole>;
  /** One fault, and the same command again. */
  strike(scenario: Scenario, fault: Fault): Promise<Outcome>;
  /** A new folder as the scenario begins in, with what starts its command there. */
  begin(
    scenario: Scenario,
    name: string,
  ): Promise<{ folder: string; run: (fault?: Fault, again?: boolean) => ReturnType<typeof start> }>;
}

const STACK = /^\s+at .+:\d+:\d+\)?$/m;

export function openCampaign(staged: StagedPackage, given: Given, root: string): Campaign {
  const wholes = new Map<string, Promise<Whole>>();
  let runs = 0;

  const begin: Campaign["begin"] = async (scenario, name) => {
    const folder = join(root, `${name}-${runs++}`);
    const from = scenarios.find((one) => one.name === scenario.from);
    if (from === undefined) mkdirSync(folder);
    else cpSync((await campaign.whole(from)).folder, folder, { recursive: true });
    const script = scriptOf(staged, scenario);
    return {
      folder,
      run: (fault, again = false) =>
        start({ script, folder }, [...scenario.args(given), ...(again ? (scenario.again ?? []) : [])], fault),
    };
  };

  const runWhole = async (scenario: Scenario): Promise<Whole> => {
    const { folder, run } = await begin(scenario, "whole");
    const started = run();
    const { status, stderr } = await started.ended;
    if (status !== 0) throw new Error(`${scenario.name} ends with ${status} although nothing disturbs it: ${stderr}`);
    return { scenario, operations: started.operations(), tree: treeOf(folder), folder };
  };

  const campaign: Campaign = {
    begin,
    whole(scenario) {
      const known = wholes.get(scenario.name);
      if (known !== undefined) return known;
      const made = runWhole(scenario);
      wholes.set(scenario.name, made);
      return made;
    },
    async strike(scenario, fault) {
      const wanted = (await campaign.whole(scenario)).tree;
      const { folder, run } = await begin(scenario, "struck");
      const first = run(fault);
      const struck = await first.ended;
      const hit = first.operations().find(({ n }) => n === fault.at);
      const operation = hit === undefined ? "not reached" : operationText(hit, folder);
      const outcome = (verdict: Verdict, detail: string): Outcome => ({
        ...{ scenario: scenario.name, fault, operation },
        ...{ verdict, detail: detail.replaceAll(folder, ".").trim() },
      });
      const told = badlyTold(struck, fault);
      const before = difference(wanted, treeOf(folder));
      const ended = await run(undefined, true).ended;
      const after = difference(wanted, treeOf(folder));
      rmSync(folder, { recursive: true, force: true });
      if (told !== undefined && hit !== undefined) return outcome("badly told", told);
      // Nothing was left to do but to end: then the result is there, and a second one is refused.
      const finished = isSame(before) && ended.status === 2 && /exists/.test(ended.stderr);
      if (ended.status === 2 && !finished && !(isWholeButFor(before) && /exists/.test(ended.stderr)))
        return outcome("refused", `${ended.stderr.trim()} ${listed(before)}`);
      if (ended.status !== 0 && ended.status !== 2) return outcome("crashed", ended.stderr || String(ended.signal));
      if (after.changed.length + after.missing.length > 0) return outcome("different", listed(after));
      if (after.left.length > 0) return outcome("left behind", listed(after));
      return outcome("same", "");
    },
  };
  return campaign;
}

/** A failure of the disk is the user's to deal with: one line, exit 2. It may also not matter, where something is only tidied up. */
function badlyTold({ status, stderr }: Ended, { how }: Fault): string | undefined {
  if (how !== "eio" && how !== "enospc") return undefined;
  if (status !== 0 && status !== 2) return `exit ${status}: ${lastLines(stderr)}`;
  if (STACK.test(stderr)) return `a stack: ${lastLines(stderr)}`;
  return undefined;
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-3).join(" / ").slice(0, 300);
const isSame = ({ left, missing, changed }: ReturnType<typeof difference>): boolean =>
  left.length + missing.length + changed.length === 0;
/** The result is there and something beside it, which the second run could have taken away. */
const isWholeButFor = ({ missing, changed }: ReturnType<typeof difference>): boolean =>
  missing.length + changed.length === 0;
const listed = ({ left, missing, changed }: ReturnType<typeof difference>): string =>
  [
    ["left", left],
    ["missing", missing],
    ["changed", changed],
  ]
    .filter(([, paths]) => paths!.length > 0)
    .map(([word, paths]) => `${word as string}: ${(paths as readonly string[]).slice(0, 6).join(" ")}`)
    .join("; ");

function scriptOf(staged: StagedPackage, { module, name }: Scenario): string {
  if (module === undefined) return join(staged.root, "dist", "cli", "main.js");
  const path = join(staged.root, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  if (!existsSync(path)) writeFileSync(path, module);
  return path;
}

/** Every operation as a moment to be killed at, whole and after half a write. */
export function everyKill(operations: readonly Operation[]): Fault[] {
  return operations.flatMap(({ n, data }): Fault[] => [
    { at: n, how: "kill" },
    ...(data ? [{ at: n, how: "half" } as const] : []),
  ]);
}

/** Every operation as the one that fails. */
export const everyFailure = (operations: readonly Operation[]): Fault[] =>
  operations.flatMap(({ n }): Fault[] => [
    { at: n, how: "enospc" },
    { at: n, how: "eio" },
  ]);

/**
 * A sample that is the same each time: the first and the last moment, those around the last rename, so many drawn by chance, of which
 * some leave half a write, and so many failures. Of a scenario that is much like another the rename alone.
 */
export function sampledFaults({ light }: Scenario, operations: readonly Operation[], more: number): Fault[] {
  const rename = operations.findLast(({ operation }) => operation === "rename")?.n;
  if (light === true && rename !== undefined) return [{ at: rename, how: "kill" }];
  const moments = [1, ...(rename === undefined ? [] : [rename, rename + 1]), operations.length];
  const kills = [...new Set(moments)].filter((at) => at <= operations.length).map((at): Fault => ({ at, how: "kill" }));
  return [...kills, ...sampled(everyKill(operations), more, 1), ...sampled(everyFailure(operations), more, 2)];
}

export function sampled<T>(items: readonly T[], count: number, seed: number): T[] {
  const random = randomStream(seed, "moments to strike at");
  return Array.from({ length: Math.min(count, items.length) }, () => items[random.integer(items.length)]!);
}

/** Does the work of a list, so many at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}

/** One line a scenario: what became of its faults. Then what did not come out as it should, one line each. */
export function table(outcomes: readonly Outcome[]): string {
  const verdicts: readonly Verdict[] = ["same", "refused", "crashed", "different", "left behind", "badly told"];
  const names = [...new Set(outcomes.map(({ scenario }) => scenario))];
  const rows = names.map((name) => {
    const mine = outcomes.filter(({ scenario }) => scenario === name);
    return [name, String(mine.length), ...verdicts.map((one) => String(mine.filter((o) => o.verdict === one).length))];
  });
  const all = [["scenario", "faults", ...verdicts], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return `${all.map(line).join("\n")}\n`;
}

export const faultText = ({ scenario, fault, operation, verdict, detail }: Outcome): string =>
  `${scenario}: ${fault.how} at ${fault.at} (${operation}): ${verdict}${detail === "" ? "" : `: ${detail}`}`;
