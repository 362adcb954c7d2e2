/**
 * What the demo says while it runs: which arm begins and what it is, what it answers, and how it fares.
 * May not know: how anything is computed.
 */
import { dirname, join } from "node:path";
import { z } from "zod";
import { templateFrom } from "../../options/template.js";
import type { Plan, StepEvent } from "../../records/events.js";
import { type Output, outputSchema } from "../../records/outputs.js";
import type { Study } from "../../records/study-file.js";
import { countAnswers } from "../../stats/answers.js";
import type { Prepared } from "../../study/plan/prepare.js";
import type { StudyWatch } from "../../study/run/run.js";
import { resultOf, type Step } from "../../study/steps.js";
import { present } from "../../util/errors.js";
import { LARGEST_ROWS, readJson } from "../../util/json.js";
import { formatDuration } from "../../util/progress.js";
import { quoted } from "../../util/terminal.js";
import type { Io } from "../run-action.js";
import { describeStanding } from "../step-progress.js";
import { isDefect } from "../study/run.js";

/** Answers that are shown of each arm: the first of the test set, whatever they are. */
const SHOWN = 3;

/** @param shipped  the base model is the one in the package; of another one nobody knows here what it has read */
export function introduction({ arms, seeds, generation }: Study, shipped: boolean): string {
  const tuned = Object.values(arms).filter((arm) => "data" in arm).length;
  const spread = seeds.length === 1 ? "one seed" : `${seeds.length} seeds`;
  const asked = generation?.limit === undefined ? "instructions" : `${generation.limit} instructions`;
  const read = shipped
    ? `The base model has read
pages about it (articles, lists, letters, stories, questions with and without answers), and never an instruction with a response under the
template <|user|> … <|assistant|>.`
    : `The base model
is your own.`;
  return `The Glasshouse is a small world: people, towns, animals, dishes, tools and books whose every fact is known. ${read} Here it is tuned in ${tuned} ways with ${spread}, and every way answers the same ${asked} about what only
the pages of that world tell. A program scores each answer: whom it speaks of, whether it is so, its form, whether it ends.
`;
}

export interface Story {
  readonly watch: StudyWatch;
  /** When everything that has happened is told. */
  told(): Promise<void>;
  /** Steps that failed by a fault of ours. */
  readonly defects: readonly string[];
}

/** Told in the order in which things happen: two arms may be at work side by side, so every line names its own. */
export function tellStory(prepared: Prepared, io: Io): Story {
  const { study } = prepared.record;
  const known = new Set<string>();
  const running = new Map<Step, { readonly since: number; readonly text: () => string }>();
  const plans = new Map<Step, Plan>();
  let [total, done] = [0, 0];
  let told = Promise.resolve();
  const defects: string[] = [];
  const draw = (): void =>
    io.progress.update(() => {
      const now = [...running].map(([step, { text }]) => `${doing(step)} ${text()}`).join(" · ");
      return `${done} of ${total} steps${now === "" ? "" : ` · ${now}`}`;
    });
  const introduce = ({ kind, cell }: Step): void => {
    if (cell === undefined || known.has(cell.arm) || TOLD[kind]?.introduces !== true) return;
    known.add(cell.arm);
    io.out(`\n${titleOf(cell.arm)}: ${study.arms[cell.arm]?.about ?? ""}.\n`);
  };
  const onEvent = (event: StepEvent): void => {
    const step = [...running.keys()].find(({ id }) => id === event.step);
    if (step === undefined) {
      if (event.event === "begin" && total === 0 && event.reused > 0)
        io.out(`\n${event.reused} of ${event.total} steps were done before.\n`);
      if (event.event === "begin") [total, done] = [event.total, Math.max(done, event.reused)];
      if (event.event === "progress") done = event.done;
      return;
    }
    if (event.event === "begin") plans.set(step, event);
    const plan = plans.get(step);
    if (event.event === "progress" && plan !== undefined) {
      running.set(step, { ...present(running.get(step), step.id), text: () => describeStanding(plan, event) });
      draw();
    }
    if (event.event !== "end") return;
    const seconds = (performance.now() - present(running.get(step), step.id).since) / 1000;
    running.delete(step);
    const { outcome } = event;
    if (outcome.kind === "failed") io.note(`${step.id}: FAILED: ${outcome.reason}`);
    if (isDefect(event)) defects.push(step.id);
    if (outcome.kind === "done") told = told.then(() => tellEnd(step, seconds, prepared, io)).then(draw);
  };
  const watch: StudyWatch = {
    onStep(step) {
      introduce(step);
      running.set(step, { since: performance.now(), text: () => "" });
      draw();
    },
    onEvent,
  };
  return { watch, told: () => told, defects };
}

/** "instruction tuning", "poems". */
const titleOf = (arm: string): string => (arm === "instruction" || arm === "response" ? `${arm} tuning` : arm);

/** What is told of the steps that the demo's study has. */
interface Telling {
  readonly doing: string;
  /** The arm is told of when such a step begins. */
  readonly introduces: boolean;
  /** @param at  where the step's result lies */
  readonly end?: (who: string, at: string, first: boolean, seconds: number) => Promise<string>;
}

const TOLD: Partial<Record<Step["kind"], Telling>> = {
  tune: {
    doing: "tuning",
    introduces: true,
    end: async (who, _at, _first, seconds) => `   ${who}: tuned in ${formatDuration(seconds)}\n`,
  },
  generate: {
    doing: "answering",
    introduces: true,
    end: async (who, at, first) => answersOf(who, await readOutputs(at), first ? SHOWN : 0),
  },
  judge: {
    doing: "judging",
    introduces: false,
    end: async (who, at) => `   ${who}: ${await verdicts(join(dirname(at), "run.json"))}\n`,
  },
  rank: { doing: "ranking", introduces: false },
};
const doing = ({ kind, cell }: Step): string => `${TOLD[kind]?.doing ?? kind} ${cell?.arm ?? ""}`.trim();

async function tellEnd(step: Step, seconds: number, prepared: Prepared, io: Io): Promise<void> {
  const { cell, plan, kind } = step;
  if (cell === undefined || plan === undefined) return;
  const { seeds } = prepared.record.study;
  const who = cell.seed === null || seeds.length === 1 ? cell.arm : `${cell.arm}, seed ${cell.seed}`;
  const first = cell.seed === null || cell.seed === seeds[0];
  const text = await TOLD[kind]?.end?.(who, prepared.folder.path(resultOf(plan)), first, seconds);
  if (text !== undefined) io.out(text);
}

function answersOf(who: string, outputs: readonly Output[], shown: number): string {
  const lines = outputs.slice(0, shown).map(({ instruction, output, stop }) => {
    const end = stop === "eos" ? "" : " … (cut off)";
    return `     ${quoted(instruction)}\n       → ${quoted(output.trim())}${end}\n`;
  });
  const { userTag, assistantTag } = templateFrom();
  const { answers, stopped } = countAnswers(outputs, [userTag, assistantTag]);
  return `   ${who} answers:\n${lines.join("")}   ${who}: ${stopped} of ${answers} answers end by themselves\n`;
}

const readOutputs = async (path: string): Promise<Output[]> =>
  z.array(outputSchema).parse(await readJson(path, { most: LARGEST_ROWS }));

const talliesSchema = z.object({ n_wins: z.int(), n_wins_base: z.int(), n_draws: z.int() });

async function verdicts(path: string): Promise<string> {
  const { n_wins, n_wins_base, n_draws } = talliesSchema.parse(await readJson(path));
  return `against instruction tuning ${n_wins} better, ${n_draws} as good, ${n_wins_base} worse`;
}
