/**
 * Which scale the preferences of a file are on. AlpacaEval's is 1..2 (1 = output_1, the baseline, wins; 2 = output_2, the model, wins), and its
 * old files write a draw as 0. Other tools write 0..1, 1 = the model wins. A 1 means the opposite on either, so that a file on the
 * wrong one gives a plausible rate that is wrong.
 * May not know: files, how a scale is chosen.
 */

export const preferenceScales = ["1..2", "0..1"] as const;
export type PreferenceScale = (typeof preferenceScales)[number];

/** Looks at every preference of one file. */
export interface ScaleCheck {
  see(preference: number | null): void;
  /** Why the file cannot be read on the scale that was named, or on the default one if none was; undefined where it can. */
  problem(): string | undefined;
  /** Every preference is 1: nothing in the file shows its scale. */
  onlyOnes(): boolean;
}

/** @param scale  undefined where nobody named one: 1..2, unless the file speaks against it */
export function openScaleCheck(scale: PreferenceScale | undefined): ScaleCheck {
  const counts = { zeros: 0, between: 0, ones: 0, others: 0 };
  let above: number | undefined;
  return {
    see(preference) {
      if (preference === null) return;
      if (preference > 1) above ??= preference;
      const where =
        preference === 0
          ? "zeros"
          : preference === 1
            ? "ones"
            : preference > 0 && preference < 1
              ? "between"
              : "others";
      counts[where]++;
    },
    problem() {
      const { zeros, between, ones } = counts;
      if (scale === "0..1") {
        return above === undefined ? undefined : `a preference is ${above}, which the scale 0..1 does not have`;
      }
      if (scale !== undefined || above !== undefined || zeros + between === 0) return undefined;
      return `no preference is above 1 (${zeros} are 0, ${between} between 0 and 1, ${ones} are 1), so they are not on the scale 1..2, or nothing was won`;
    },
    onlyOnes: () => counts.ones > 0 && counts.zeros + counts.between + counts.others === 0,
  };
}
