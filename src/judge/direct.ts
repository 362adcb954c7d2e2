/**
 * Judges that are not asked: human votes that were cast already. (`checker.ts` is the other one.)
 * May not know: prompts, replies, the network.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { type Annotation, annotationSchema } from "../records/annotations.js";
import type { VotesJudge } from "../records/judge-file.js";
import { openScaleCheck } from "../stats/preference-scale.js";
import { probabilityOf } from "../stats/win-rate.js";
import { UserError } from "../util/errors.js";
import { LARGEST_ROWS, readJsonAs } from "../util/json.js";
import { quoted } from "../util/terminal.js";
import type { Pair } from "./pairs.js";

export type PairVerdict = Pick<Annotation, "preference"> &
  Partial<Pick<Annotation, "outcome" | "reason" | "score_1" | "score_2">>;

export type DirectJudge = (pair: Pair) => PairVerdict;

const votesSchema = z.array(
  annotationSchema.pick({ instruction: true, output_1: true, output_2: true, preference: true }),
);

/**
 * Votes as annotations, AlpacaEval's format; which output stands first does not matter. Several votes on a pair are averaged.
 *
 * @throws UserError  not a file of annotations
 */
export async function votesJudge({ file, scale }: VotesJudge, folder: string): Promise<DirectJudge> {
  const path = resolve(folder, file);
  const rows = await readJsonAs(
    path,
    votesSchema,
    "votes are [{instruction, output_1, output_2, preference}], 1 for output_1, 2 for output_2, 1.5 for neither",
    { most: LARGEST_ROWS },
  );
  const check = openScaleCheck(scale);
  for (const { preference } of rows) check.see(preference);
  const problem = check.problem();
  if (problem !== undefined) {
    throw new UserError(`${quoted(path)}: ${problem.what}`, {
      remedy:
        problem.remedy ??
        "write scale: 0..1 in the judge file where 1 means that output_2 wins, or scale: 1..2 where 1 means that output_1 wins and 0 a draw",
    });
  }
  const votes = new Map<string, number[]>();
  for (const { instruction, output_1: one, output_2: two, preference } of rows) {
    const p = preference === null ? undefined : probabilityOf(preference, scale);
    if (p === undefined) continue;
    const vote = 1 + p;
    push(votes, JSON.stringify([instruction, one, two]), vote);
    if (one !== two) push(votes, JSON.stringify([instruction, two, one]), 3 - vote);
  }
  return ({ instruction, baseline, model }) => {
    const cast = votes.get(JSON.stringify([instruction, baseline, model]));
    if (cast === undefined) return { preference: null, outcome: "failed", reason: "nobody voted on this pair" };
    return { preference: cast.reduce((sum, vote) => sum + vote, 0) / cast.length, outcome: "judged" };
  };
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
