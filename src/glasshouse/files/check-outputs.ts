/**
 * Scores a file of outputs by what each prompt's `check` asks for. Every output is accounted for: scored, or not, with the reason.
 * May not know: arms, judges' files, the command line.
 */
import { readJsonl } from "../../data/formats/jsonl.js";
import { readOutputs } from "../../judge/pairs.js";
import { UserError } from "../../util/errors.js";
import { openResult } from "../../util/result.js";
import { PARTS, type Part } from "../check.js";
import { glasshouseChecker } from "../checker.js";
import { checkSchema, TASKS } from "../tasks/task.js";

export interface CheckRequest {
  /** Outputs as `tacit generate` writes them. */
  readonly outputs: string;
  /** JSON lines with `instruction` and `check`. */
  readonly prompts: string;
  /** File for one line an answer. */
  readonly out?: string;
  readonly force?: boolean;
}

export interface CheckedLine {
  readonly instruction: string;
  readonly output: string;
  readonly task: string | null;
  readonly total: number | null;
  readonly parts: Readonly<Record<Part, number>> | null;
  /** Why there is no score. */
  readonly reason: string | null;
}

/** Means over answers. */
export interface CheckedTask {
  readonly task: string;
  readonly answers: number;
  /** Answers that lose nothing. */
  readonly right: number;
  readonly total: number;
  readonly parts: Readonly<Record<Part, number>>;
}

export interface CheckSummary {
  readonly generator: string;
  readonly answers: number;
  readonly scored: number;
  /** Answers without a score, by reason. */
  readonly unscored: Readonly<Record<string, number>>;
  /** Prompts that nobody answered. */
  readonly unanswered: number;
  readonly right: number;
  readonly all: CheckedTask | null;
  readonly tasks: readonly CheckedTask[];
  readonly worst: readonly CheckedLine[];
}

const WORST = 3;

/** @throws UserError  a file that cannot be read, or results that already exist */
export async function checkOutputs(request: CheckRequest): Promise<CheckSummary> {
  const { out, outputs, prompts, force = false } = request;
  if (out === undefined) return (await check(request)).summary;
  await using result = await openResult({ main: out, beside: [], inputs: [outputs, prompts], force });
  const { lines, summary } = await check(request);
  await result.write(out, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await result.commit();
  return summary;
}

async function check(request: CheckRequest) {
  const { generator, rows } = await readOutputs(request.outputs);
  const prompts = await readPrompts(request.prompts);
  const lines = rows.map(({ instruction, output, stop }): CheckedLine => {
    const prompt = prompts.get(instruction);
    const task = checkSchema.safeParse(prompt?.check).data?.task ?? null;
    const stopped = stop === undefined ? undefined : stop === "eos";
    const verdict = glasshouseChecker({ instruction, output, stopped, prompt });
    if ("reason" in verdict) return { instruction, output, task, total: null, parts: null, reason: verdict.reason };
    const parts = verdict.parts as CheckedLine["parts"];
    return { instruction, output, task, total: verdict.total, parts, reason: null };
  });
  return { lines, summary: summaryOf(generator, lines, prompts) };
}

interface PromptRow {
  readonly instruction: string;
  readonly check?: unknown;
}

/** @throws UserError  a line that is no prompt, or two that differ under one instruction */
async function readPrompts(path: string): Promise<ReadonlyMap<string, PromptRow>> {
  const prompts = new Map<string, PromptRow>();
  const remedy = "prompts are JSON lines with `instruction` and `check`, as `tacit glasshouse data` writes them";
  for await (const records of readJsonl(path)) {
    for (const record of records) {
      const place = `${path}:${record.at.line}`;
      if (record.kind === "bad") throw new UserError(`${place}: ${record.reason}`, { remedy });
      const row = record.value as Partial<PromptRow> | null;
      if (typeof row?.instruction !== "string") throw new UserError(`${place}: no "instruction"`, { remedy });
      const before = prompts.get(row.instruction);
      if (before !== undefined && JSON.stringify(before.check) !== JSON.stringify(row.check))
        throw new UserError(`${place}: an earlier line has the same instruction and other checks`, {
          remedy: "keep one",
        });
      prompts.set(row.instruction, { instruction: row.instruction, check: row.check });
    }
  }
  return prompts;
}

type Scored = CheckedLine & { readonly parts: Readonly<Record<Part, number>>; readonly total: number };
const isScored = (line: CheckedLine): line is Scored => line.parts !== null && line.total !== null;

function summaryOf(
  generator: string,
  lines: readonly CheckedLine[],
  prompts: ReadonlyMap<string, PromptRow>,
): CheckSummary {
  const scored = lines.filter(isScored);
  const unscored = new Map<string, number>();
  for (const { reason } of lines) if (reason !== null) unscored.set(reason, (unscored.get(reason) ?? 0) + 1);
  const answered = new Set(lines.map(({ instruction }) => instruction));
  const byTask = TASKS.map((task) => ({ task, of: scored.filter((line) => line.task === task) }));
  return {
    generator,
    answers: lines.length,
    scored: scored.length,
    unscored: Object.fromEntries(unscored),
    unanswered: [...prompts.keys()].filter((instruction) => !answered.has(instruction)).length,
    right: scored.filter(isRight).length,
    all: scored.length === 0 ? null : meansOf("all", scored),
    tasks: byTask.filter(({ of }) => of.length > 0).map(({ task, of }) => meansOf(task, of)),
    worst: [...scored]
      .sort((a, b) => a.total - b.total)
      .slice(0, WORST)
      .filter((line) => !isRight(line)),
  };
}

const partNames = Object.keys(PARTS) as readonly Part[];
const isRight = ({ parts }: Scored): boolean => partNames.every((name) => parts[name] === 1);

function meansOf(task: string, lines: readonly Scored[]): CheckedTask {
  const mean = (value: (line: Scored) => number): number =>
    lines.reduce((sum, line) => sum + value(line), 0) / lines.length;
  const parts = Object.fromEntries(partNames.map((name) => [name, mean((line) => line.parts[name])]));
  return {
    task,
    answers: lines.length,
    right: lines.filter(isRight).length,
    total: mean((line) => line.total),
    parts: parts as Record<Part, number>,
  };
}
