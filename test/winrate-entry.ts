/** What `tacit winrate` says of a model that nobody judged, with what a test is about in its place. */
import { verdictOutcomes } from "../src/records/annotations.js";
import type { WinrateEntry, WinrateLedger } from "../src/records/winrate.js";

const undefinedEstimate = { estimate: null, low: null, high: null, n: 0, method: "" };

export function winrateEntry({
  ledger = {},
  lc = {},
  ...change
}: Partial<Omit<WinrateEntry, "ledger" | "lc">> & {
  readonly ledger?: Partial<WinrateLedger>;
  readonly lc?: Partial<WinrateEntry["lc"]>;
} = {}): WinrateEntry {
  const none = Object.fromEntries(verdictOutcomes.map((outcome) => [outcome, 0])) as Record<
    (typeof verdictOutcomes)[number],
    number
  >;
  return {
    ...{ name: "model", baseline: "baseline", annotator: "judge", file: "annotations.json" },
    ...{ win_rate: null, standard_error: null, discrete_win_rate: null },
    ...{ n_wins: 0, n_wins_base: 0, n_draws: 0, n_total: 0 },
    ...{ length_controlled_winrate: null, lc_standard_error: null, avg_length: null },
    ...{ mean_length: { model: null, baseline: null }, c: null, weights: null },
    ...{ bounds: null, extreme_change: false, warnings: [] },
    intervals: {
      win_rate: undefinedEstimate,
      discrete_win_rate: undefinedEstimate,
      length_controlled_winrate: undefinedEstimate,
    },
    ...change,
    lc: { model: null, c_from: null, losses: null, difficulty_by: null, note: null, ...lc },
    ledger: { n: 0, ...none, unexplained: 0, out_of_range: 0, ties: 0, absent: null, repeated: 0, ...ledger },
  };
}
