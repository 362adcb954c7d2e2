/**
 * What came out, in one sentence on top: win rates against the baseline that most arms are compared with, in plain words, with their
 * intervals and the judge. Raw rates: they are of the same verdicts everywhere.
 * May not know: sections, markup.
 */
import type { ComparisonResult } from "../records/study.js";
import { present } from "../util/errors.js";
import { armName } from "./names.js";
import { capital } from "./rates.js";
import type { StudyFolder } from "./read.js";

/** Arms that the sentence names; the figure below has all. */
const NAMED = 5;

const WORDS: Readonly<Record<string, string>> = {
  response: "response tuning",
  instruction: "instruction tuning",
  untuned: "the untuned model",
  rules: "the untuned model with rules",
};

export function headline(study: StudyFolder): string | undefined {
  const { comparisons } = study.results;
  const groups = new Map<string, ComparisonResult[]>();
  for (const one of comparisons) {
    if (one.win_rate.mean === null) continue;
    const key = JSON.stringify([one.model, one.against]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const [largest] = [...groups.values()].sort((a, b) => b.length - a.length);
  const [first, ...others] = largest ?? [];
  if (first === undefined) return withoutVerdicts(study);
  const said = others.slice(0, NAMED - 1).map((one) => `; ${inWords(study, one, one.arm)} ${rate(one)}`);
  const more = others.length - said.length;
  const begin = capital(inWords(study, first, first.arm));
  return `${begin} wins ${rate(first)} against ${inWords(study, first, first.against)}${said.join("")}${
    more > 0 ? `; ${more} more below` : ""
  }. Win rates with 95 % intervals, a draw counts half; judge: ${study.record.study.judge ?? "none"}.`;
}

/** By what is done where one arm alone does it, else by the arm's name. */
function inWords(study: StudyFolder, { model }: ComparisonResult, arm: string): string {
  const { arms, models } = study.record.study;
  const kind = arms[arm]?.kind ?? "";
  const words = WORDS[kind];
  const alone = Object.values(arms).filter((one) => one.kind === kind).length === 1;
  if (words === undefined || !alone || Object.keys(models).length > 1) return `“${armName(study, { model, arm })}”`;
  return words;
}

/** `33.5 % [28.2, 38.8]` */
function rate({ win_rate: { mean, interval } }: ComparisonResult): string {
  const { low, high, n } = interval;
  const shown = present(mean, "a mean"); // comparisons without one are not named
  const range =
    low === null || high === null
      ? `(${n} prompts, too few for an interval)`
      : `[${low.toFixed(1)},\u00a0${high.toFixed(1)}]`;
  return `${shown.toFixed(1)}\u00a0% ${range}`;
}

/** Where nothing was judged: what was ranked, or how far the study is. */
function withoutVerdicts(study: StudyFolder): string | undefined {
  const { rankings, steps } = study.results;
  const ranked = rankings.slice(0, NAMED).flatMap((one) => {
    const { estimate, low, high } = one.totals.sum.rate;
    if (estimate === null) return [];
    const range = low === null || high === null ? "" : ` [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
    return [
      `${armName(study, one)}${one.seed === null ? "" : `, seed ${one.seed}`} ${(100 * estimate).toFixed(1)} %${range}`,
    ];
  });
  if (ranked.length > 0)
    return `The right response is more likely than another one in ${ranked.join("; ")} of pairs (half is chance).`;
  const done = steps.filter(({ state }) => state === "done").length;
  return done === steps.length ? undefined : `No result yet: ${done} of ${steps.length} steps are done.`;
}
