/**
 * Agreement of judges, from annotation files to figures: each file is one judge, or one person's votes. The command and the library
 * call this one function.
 */

import { hash } from "node:crypto";
import { basename } from "node:path";
import { isSwitched } from "../judge/order.js";
import { comparePair, describeRater, type RatedCall, type RatedPair, type Rater } from "../judge/raters.js";
import type { agreementOptions, PreferenceScale } from "../options/measure.js";
import { type AgreementSummary, agreementSummarySchema } from "../records/agreement.js";
import { openScaleCheck } from "../stats/preference-scale.js";
import { probabilityOf } from "../stats/win-rate.js";
import { codePoints } from "../util/code-points.js";
import { UserError } from "../util/errors.js";
import type { OptionsOf } from "../util/options.js";
import { packageVersion, secondsSince } from "../util/system.js";
import { refuseOtherScale } from "./winrate/collect.js";
import { openPromptIds, type PromptIds } from "./winrate/prompt-ids.js";
import { type AnnotationRow, readAnnotations } from "./winrate/read-annotations.js";
import { type AnnotationSource, sourcesOf } from "./winrate.js";

export interface AgreementOptions extends Omit<OptionsOf<typeof agreementOptions>, "annotations"> {
  /** Files, or the annotations themselves. */
  readonly annotations: readonly AnnotationSource[];
}

/** @throws UserError  a file that is no annotations, or one without texts, by which pairs are recognised */
export async function agreement({ annotations, order, scale }: AgreementOptions): Promise<AgreementSummary> {
  const started = performance.now();
  const ids = openPromptIds();
  const raters: Rater[] = [];
  for (const source of sourcesOf(annotations)) raters.push(await readRater(source, ids, { order, scale }));
  const names = uniqueNames(raters);
  const named = raters.map((rater, i) => ({ ...rater, name: names[i] ?? rater.name }));
  return agreementSummarySchema.parse({
    version: 1,
    command: "agreement",
    raters: named.map(describeRater),
    pairs: named.flatMap((a, i) => named.slice(i + 1).map((b) => comparePair(a, b))),
    seconds: secondsSince(started),
    tacit: packageVersion(),
  } satisfies AgreementSummary);
}

/** Votes on one pair so far. */
interface Votes {
  readonly instruction: number;
  readonly turned: boolean;
  readonly longer: number;
  readonly ps: number[];
  readonly calls: RatedCall[];
}

async function readRater(
  { file, name, given }: ReturnType<typeof sourcesOf>[number],
  ids: PromptIds,
  { order, scale }: { readonly order: AgreementOptions["order"]; readonly scale: PreferenceScale | undefined },
): Promise<Rater> {
  const check = openScaleCheck(scale);
  const votes = new Map<string, Votes>();
  const judges = new Set<string>();
  let rows = 0;
  let ordered = false;
  for await (const batch of readAnnotations(file, given)) {
    if (batch.kind === "compact") {
      throw new UserError(`${file} has no texts, by which pairs of outputs are recognised`, {
        remedy: "name annotations with texts",
      });
    }
    for (const row of batch.rows) {
      rows++;
      check.see(row.preference);
      if (row.annotator) judges.add(row.annotator);
      const { key, turned } = pairKey(row);
      const { id: instruction } = ids.of(row.instruction);
      const pair = votes.get(key) ?? { instruction, turned, longer: lengthDifference(row), ps: [], calls: [] };
      votes.set(key, pair);
      const sided = (p: number): number => (turned === pair.turned ? p : 1 - p); // the first row decides whose model it is
      const p = probability(row.preference, scale);
      if (!Number.isNaN(p)) pair.ps.push(sided(p));
      ordered ||= row.calls !== undefined;
      for (const call of callsOf(row, order, scale)) {
        pair.calls.push({ switched: turned === pair.turned ? call.switched : !call.switched, p: sided(call.p) });
      }
    }
  }
  refuseOtherScale(file, check.problem(), scale);
  const pairs = [...votes].map(([key, pair]): [string, RatedPair] => [key, rated(key, pair)]);
  return {
    name: name ?? ([...judges].join(", ") || basename(file)),
    file,
    rows,
    orderFrom: ordered ? "calls" : order === undefined ? null : "alpaca_eval",
    pairs: new Map(pairs),
  };
}

const rated = (key: string, { ps, ...pair }: Votes): RatedPair => ({
  ...pair,
  key,
  p: ps.length === 0 ? Number.NaN : ps.reduce((sum, p) => sum + p, 0) / ps.length,
});

const lengthDifference = (row: AnnotationRow): number => codePoints(row.output_2) - codePoints(row.output_1);

const probability = (preference: number | null, scale: PreferenceScale | undefined): number =>
  (preference === null ? undefined : probabilityOf(preference, scale)) ?? Number.NaN;

/** Instruction and both outputs, the outputs in an order of their own, so that files may name either of them the baseline's. */
function pairKey({ instruction, output_1, output_2 }: AnnotationRow): {
  readonly key: string;
  readonly turned: boolean;
} {
  const turned = output_2 < output_1;
  const texts = [instruction, ...(turned ? [output_2, output_1] : [output_1, output_2])];
  return { key: hash("sha256", JSON.stringify(texts), "base64").slice(0, 24), turned };
}

/** Draws without a call (identical outputs) have none. */
function callsOf(
  row: AnnotationRow,
  order: AgreementOptions["order"],
  scale: PreferenceScale | undefined,
): RatedCall[] {
  if (row.calls !== undefined)
    return row.calls.map(({ switched, preference }) => ({ switched, p: probability(preference, scale) }));
  if (order === undefined || row.output_1 === row.output_2) return [];
  return [{ switched: isSwitched(row.instruction), p: probability(row.preference, scale) }];
}

/** Two files of one judge are told apart by their paths. */
function uniqueNames(raters: readonly Rater[]): string[] {
  return raters.map(({ name, file }, i) =>
    raters.some((other, j) => j !== i && other.name === name) ? `${name} (${file})` : name,
  );
}
