/**
 * One arm against another, out of the verdicts of all seeds: what `tacit winrate` says of each, mean and standard deviation over seeds
 * as in the paper, and an interval with prompts and seeds as levels.
 * May not know: how verdicts came about.
 */
import type { LcChoice } from "../../options/lc-models.js";
import type { studySettings } from "../../options/study-settings.js";
import type { ComparisonResult, Spread } from "../../records/study.js";
import type { Arm } from "../../records/study-file.js";
import type { WinrateEntry } from "../../records/winrate.js";
import { type Ranged, withinRange } from "../../stats/bounded.js";
import { clusteredMean } from "../../stats/cluster.js";
import { toEstimateRecord } from "../../stats/estimate.js";
import { spread } from "../../stats/runs.js";
import { winrate } from "../../steps/winrate.js";
import { invariant, present } from "../../util/errors.js";
import type { OptionsOf } from "../../util/options.js";

/** What is compared: the annotations of the arm (output_2) against the other (output_1), a file for each seed. */
export interface Comparison {
  readonly model: string;
  readonly arm: string;
  readonly against: string;
  readonly pairs: readonly Pair[];
  readonly lengthControl: { readonly fit: LcChoice | undefined; readonly data: string | undefined };
  readonly published: Arm["published"];
  /** Of `winrate`. */
  readonly settings: Partial<OptionsOf<typeof studySettings.winrate>>;
}

interface Pair {
  readonly seed: number | null;
  readonly epochs: number | null;
  readonly againstSeed: number | null;
  readonly againstEpochs: number | null;
  readonly file: string;
  /** What the record says of where the file lies. */
  readonly recorded: string;
}

export async function comparisonOf(compare: Comparison): Promise<ComparisonResult> {
  const files = compare.pairs.map(({ file }) => file);
  const { fit, data } = compare.lengthControl;
  const summary = await winrate({
    annotations: files.map((file) => ({ name: compare.arm, file })),
    compare: "none",
    ...(fit === undefined ? {} : { lc: fit }),
    ...(data === undefined ? {} : { lcData: data }),
    ...compare.settings,
  });
  const entries = files.map((file) =>
    present(
      summary.models.find((entry) => entry.file === file),
      file,
    ),
  );
  const [one, ...others] = entries;
  invariant(one !== undefined, "a comparison without a pair");
  return {
    model: compare.model,
    arm: compare.arm,
    against: compare.against,
    pairs: compare.pairs.map((pair, i) => pairOf(pair, present(entries[i], "a pair"))),
    win_rate: {
      ...over(compare.pairs, entries, "win_rate"),
      interval: possible(others.length === 0 ? one.intervals.win_rate : present(summary.runs[0], "runs").interval),
    },
    length_controlled: lengthControlled(compare.pairs, entries),
    published: compare.published ?? null,
  };
}

const pairOf = ({ seed, epochs, againstSeed, againstEpochs, recorded }: Pair, entry: WinrateEntry) => ({
  ...{ seed, epochs, against_seed: againstSeed, against_epochs: againstEpochs },
  ...{ annotations: recorded, summary: { ...entry, file: recorded } },
});

/** Where one side has no seeds, the other's count. */
function over(
  pairs: readonly Pair[],
  entries: readonly WinrateEntry[],
  figure: "win_rate" | "length_controlled_winrate",
): Omit<Spread, "interval"> {
  const seeds = pairs.map(({ seed, againstSeed }, i) => ({
    seed: seed ?? againstSeed,
    value: entries[i]?.[figure] ?? null,
  }));
  const { mean, sd } = spread(seeds.flatMap(({ value }) => value ?? []));
  return { seeds, mean: mean ?? null, sd: sd ?? null };
}

/** The fit has no value by prompt: over several seeds its interval is of the seeds alone, and says so. */
function lengthControlled(pairs: readonly Pair[], entries: readonly WinrateEntry[]): Spread | null {
  const values = over(pairs, entries, "length_controlled_winrate");
  const known = values.seeds.flatMap(({ value }) => value ?? []);
  if (known.length < entries.length) return null; // a mean over other seeds than the raw one's would not be comparable with it
  const [only] = entries;
  if (entries.length === 1 && only !== undefined)
    return { ...values, interval: only.intervals.length_controlled_winrate };
  const interval = clusteredMean(known.map((value) => [value]));
  return {
    ...values,
    interval: possible({ ...toEstimateRecord(interval), method: "95 % t interval over seeds alone" }),
  };
}

/** Few prompts or seeds give wide intervals, and equal values none: no percentage leaves its range. */
const possible = <T extends Ranged>(interval: T): T => withinRange(interval, [0, 100]);
