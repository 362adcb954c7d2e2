/**
 * Which scale the preferences of a file are on. AlpacaEval's is 1..2 (1 = output_1, the baseline, wins; 2 = output_2, the model, wins), and its
 * old files write a draw as 0. Other tools write 0..1, 1 = the model wins. A 1 means the opposite on either, so that a file on the
 * wrong one gives a plausible rate that is wrong.
 * May not know: files, how a scale is chosen.
 */

import type { PreferenceScale } from "../options/measure.js";

export interface ScaleProblem {
  readonly what: string;
  /** Where naming a scale does not help. */
  readonly remedy?: string;
}

/** Looks at every preference of one file. */
export interface ScaleCheck {
  see(preference: number | null): void;
  /** Why the file cannot be read on the scale that was named, or on the default one if none was; undefined where it can. */
  problem(): ScaleProblem | undefined;
  /** Every preference that is on a scale at all is 1: nothing in the file shows which. */
  onlyOnes(): boolean;
}

/** @param scale  undefined where nobody named one: 1..2, unless the file speaks against it */
export function openScaleCheck(scale: PreferenceScale | undefined): ScaleCheck {
  const counts = { zeros: 0, between: 0, ones: 0, wins: 0, beyond: 0 };
  let [above, off]: (number | undefined)[] = [];
  return {
    see(preference) {
      if (preference === null) return;
      if (preference > 1) above ??= preference;
      const place = placeOf(preference);
      if (place === "beyond") off ??= preference;
      counts[place]++;
    },
    problem() {
      const { zeros, between, ones, wins, beyond } = counts;
      const all = zeros + between + ones + wins + beyond;
      // One damaged value is a row without a verdict; a tenth of them are a scale that is not supported, such as -1..1 or 0..100.
      if (beyond > 1 && 10 * beyond >= all) {
        const what = `${beyond} of ${all} preferences are on neither scale, 0..1 or 1..2 (one is ${off})`;
        return { what, remedy: "convert them to one of these" };
      }
      if (scale === "0..1") {
        return above === undefined
          ? undefined
          : { what: `a preference is ${above}, which the scale 0..1 does not have` };
      }
      if (scale !== undefined || wins > 0 || zeros + between === 0) return undefined;
      const others = beyond === 0 ? "" : `, ${beyond} on neither scale`;
      const found = `${zeros} are 0, ${between} between 0 and 1, ${ones} are 1${others}`;
      return {
        what: `no preference is above 1 and at most 2 (${found}), so they are not on the scale 1..2, or nothing was won`,
      };
    },
    onlyOnes: () => counts.ones > 0 && counts.zeros + counts.between + counts.wins === 0,
  };
}

/** Wins of the model are what the scale 1..2 alone has; a value beyond both scales is damage and says nothing of either. */
function placeOf(preference: number): "zeros" | "between" | "ones" | "wins" | "beyond" {
  if (preference === 0) return "zeros";
  if (preference === 1) return "ones";
  if (preference > 0 && preference < 1) return "between";
  return preference > 1 && preference <= 2 ? "wins" : "beyond";
}
