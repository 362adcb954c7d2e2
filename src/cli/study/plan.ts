/**
 * `tacit study plan`: the steps of a study, what exists, and what the rest will take.
 * May not know: how anything is computed.
 */

import type { StudyRequest } from "../../study/plan/flags.js";
import { type PlannedStep, planStudy, type StudyPlan } from "../../study/plan/plan.js";
import type { Forecast } from "../../study/step.js";
import { COMMON_TOKENS } from "../../study/steps/judge.js";
import { groupOf } from "../../study/steps.js";
import { formatBytes, formatCount, formatDuration, plural } from "../../util/progress.js";
import { columns, quoted } from "../../util/terminal.js";
import type { Io } from "../run-action.js";
import { prepareShown } from "./prepare.js";

export async function showPlan(
  request: StudyRequest,
  { steps: each, check }: { readonly steps: boolean; readonly check: boolean },
  io: Io,
): Promise<object> {
  const prepared = await prepareShown(request, io);
  const plan = await planStudy(prepared);
  const { record, folder } = prepared;
  const scale = record.scale === null ? "" : `, scale ${record.scale}`;
  io.out(`${record.study.name}${scale}: ${quoted(record.study.about)}\n\n`);
  io.out(each ? stepTable(plan.steps) : groupTable(plan.steps));
  io.out(`\n${describeTotals(plan, record.settings.threads)}`);
  for (const { what, reason } of plan.leftOut) io.out(`left out: ${quoted(what)}: ${reason}\n`);
  for (const obstacle of plan.obstacles) io.out(`cannot be done here: ${obstacle}\n`);
  io.out(`results: ${folder.root}\n`);
  if (check && plan.obstacles.length > 0) process.exitCode = 2;
  const { steps, ...rest } = plan;
  return {
    out: folder.root,
    ...rest,
    totals: {
      ...plan.totals,
      dollars: plan.totals.dollars ?? null,
      likelyDollars: plan.totals.likelyDollars ?? null,
    },
    steps: steps.map(({ step, state, forecast }) => ({
      id: step.id,
      kind: step.kind,
      state,
      folder: step.plan?.folder ?? null,
      needs: step.needs,
      seconds: forecast?.seconds ?? null,
      basis: forecast?.basis ?? null,
    })),
  };
}

function stepTable(steps: readonly PlannedStep[]): string {
  return columns(
    steps.map(({ step, state, forecast }) => [
      state,
      step.id,
      forecast === undefined ? "" : cost([forecast]),
      step.plan?.folder ?? "",
    ]),
  );
}

/** Steps that differ by seed, epochs and split alone, on one line. */
function groupTable(steps: readonly PlannedStep[]): string {
  const groups = new Map<string, PlannedStep[]>();
  for (const one of steps) {
    const name = groupOf(one.step.name);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const rows = [...groups].map(([name, members]) => {
    const left = members.flatMap(({ forecast }) => forecast ?? []);
    return [
      name,
      formatCount(members.length),
      formatCount(members.length - left.length),
      cost(left),
      memory(left),
      basis(left),
    ];
  });
  return columns([["step", "n", "done", "to do", "memory", ""], ...rows], [1, 2]);
}

function cost(left: readonly Forecast[]): string {
  if (left.length === 0) return "";
  const calls = left.reduce((sum, one) => sum + one.calls, 0);
  if (calls > 0) return plural(calls, "call");
  if (left.some(({ seconds }) => seconds === undefined)) return "not known"; // a server of somebody else's
  const seconds = left.reduce((sum, one) => sum + (one.seconds ?? 0), 0);
  if (seconds === 0) return "no time";
  return `${left.some(({ atMost }) => atMost) ? "≤ " : "≈ "}${formatDuration(seconds)}`;
}

function memory(left: readonly Forecast[]): string {
  const most = Math.max(0, ...left.map(({ memoryBytes }) => memoryBytes));
  return most === 0 ? "" : formatBytes(most);
}

const BASES = { measured: "as measured here", machine: "from this machine's speed", none: "" } as const;

const basis = ([first]: readonly Forecast[]): string => (first === undefined ? "" : BASES[first.basis]);

function describeTotals({ steps, totals, assumed }: StudyPlan, threads: number): string {
  const done = steps.filter(({ state }) => state === "done").length;
  const time = `${totals.atMost ? "at most about" : "about"} ${formatDuration(totals.seconds)} of computing with ${plural(threads, "thread")}`;
  const { dollars, likelyDollars } = totals;
  const price =
    dollars === undefined || likelyDollars === undefined
      ? ""
      : `, about $${likelyDollars.toFixed(2)} where answers and replies that do not exist yet have ${COMMON_TOKENS} tokens, at most $${dollars.toFixed(2)} where they are as long as their limits`;
  const lines = [
    `${plural(steps.length, "step")}, ${formatCount(done)} done. ${done === steps.length ? "Nothing is left to do." : `The rest: ${time}, ${formatBytes(totals.memoryBytes)} of memory.`}`,
    ...(totals.calls === 0 ? [] : [`${plural(totals.calls, "call")} to the judge${price}.`]),
    ...(totals.diskBytes === 0
      ? []
      : [`Tuned models: ${formatBytes(totals.diskBytes)} of disk; ${formatBytes(totals.diskFree)} are free.`]),
    ...(assumed.length === 0 ? [] : [`Epochs are not chosen yet for ${assumed.join(", ")}: the most are assumed.`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
