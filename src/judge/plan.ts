/**
 * Which calls a set of pairs needs: one a pair, order and vote, named by the hash of everything that decides its reply.
 * May not know: how calls are made, what replies mean.
 */
import type { AskedJudge, Judge } from "../records/judge-file.js";
import { present } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import type { Call } from "./calls.js";
import type { LoadedJudge } from "./judge-file.js";
import { ordersOf } from "./order.js";
import type { Pair } from "./pairs.js";
import type { Shown } from "./prompt.js";

/** One call as a pair needs it. Equal texts in equal order are one call, however many pairs need it. */
export interface NeededCall {
  readonly key: string;
  /** The model's answer is shown first. */
  readonly switched: boolean;
  readonly vote: number;
}

export type PlannedPair = Pair & {
  /** Settled without a call, or what to ask. */
  readonly settled?: { readonly outcome: "identical" | "empty"; readonly reason: string };
  readonly calls: readonly NeededCall[];
};

/**
 * Emptiness comes first: two models that both say nothing have not drawn. A checker looks at equal outputs, too: it costs nothing, their
 * scores are wanted, and one of them may have been cut off.
 */
export function settledBefore(pair: Pair, { kind, empty }: Pick<Judge, "kind" | "empty">): PlannedPair["settled"] {
  const none = [pair.baseline, pair.model].map((text) => text.trim() === "");
  if (empty === "skip" && none.includes(true)) {
    const whose = none.every(Boolean)
      ? "both outputs are"
      : none[0]
        ? "the baseline's output is"
        : "the model's output is";
    return { outcome: "empty", reason: `${whose} empty` };
  }
  if (kind === "checker" || pair.baseline !== pair.model) return undefined;
  return { outcome: "identical", reason: "a draw without a call" };
}

export function planPairs(pairs: readonly Pair[], loaded: LoadedJudge, judge: AskedJudge): PlannedPair[] {
  return pairs.map((pair) => {
    const settled = settledBefore(pair, judge);
    if (settled !== undefined) return { ...pair, settled, calls: [] };
    const calls = ordersOf(judge.order, pair.instruction).flatMap((switched) =>
      Array.from({ length: judge.votes }, (_, vote) => ({ key: keyOf(loaded, pair, switched, vote), switched, vote })),
    );
    return { ...pair, calls };
  });
}

const keyOf = ({ callHash }: LoadedJudge, pair: Pair, switched: boolean, vote: number): string => {
  const { instruction, first, second } = shownAs(pair, switched);
  return sha256(JSON.stringify([callHash, instruction, first, second, vote])).slice(0, 32);
};

const shownAs = ({ instruction, baseline, model }: Pair, switched: boolean): Shown =>
  switched ? { instruction, first: model, second: baseline } : { instruction, first: baseline, second: model };

/** The calls that have no reply yet, each once, in the order of the pairs. */
export function missingCalls(
  pairs: readonly PlannedPair[],
  loaded: LoadedJudge,
  known: (key: string) => boolean,
): Call[] {
  const { prompt } = present(loaded.prompt, "the judge's prompt");
  const found = new Map<string, Call>();
  for (const pair of pairs) {
    for (const { key, switched, vote } of pair.calls) {
      if (known(key) || found.has(key)) continue;
      const shown = shownAs(pair, switched);
      found.set(key, { key, vote, shown, messages: () => prompt.render(shown) });
    }
  }
  return [...found.values()];
}
