/**
 * Which fold of a cross-validation each row is held out in. Rows of one group (a prompt) are held out together.
 * May not know: what is being fitted.
 */

export const FOLDS = 5;

/**
 * Groups to folds in the order in which they first appear, one after the other: sizes differ by one group at most, and neighbours
 * (a subset of a set of prompts, as a rule) are spread over all folds.
 *
 * @param groups  `[N]`, any numbers
 * @returns `[N]`, 0 to FOLDS − 1
 */
export function groupedFolds(groups: ArrayLike<number>, folds: number = FOLDS): Uint8Array {
  const foldOf = new Map<number, number>();
  return Uint8Array.from({ length: groups.length }, (_, i) => {
    const group = groups[i] as number;
    const fold = foldOf.get(group) ?? foldOf.size % folds;
    foldOf.set(group, fold);
    return fold;
  });
}

/**
 * The folds of scikit-learn's `GroupKFold` for N groups of equal size, which AlpacaEval's are: it deals groups out in the reverse of
 * the order in which `numpy.argsort` leaves their (equal) sizes. That order is an accident of numpy's quicksort, so it is
 * reproduced and not derived.
 *
 * @see scikit-learn, GroupKFold; numpy, npysort/quicksort (builds without vector instructions)
 */
export function scikitLearnFolds(n: number, folds: number = FOLDS): Uint8Array {
  const order = numpyOrderOfEqualKeys(n);
  const result = new Uint8Array(n);
  order.forEach((group, position) => {
    result[group] = (n - 1 - position) % folds;
  });
  return result;
}

/** Up to this many elements numpy sorts by insertion, which leaves equal keys where they are. */
const SMALL = 16;

/** What `numpy.argsort` gives for n equal keys: the swaps of its quicksort when no key is smaller than another. */
function numpyOrderOfEqualKeys(n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const swap = (i: number, j: number): void => {
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  };
  const sort = (left: number, right: number): void => {
    if (right - left < SMALL) return;
    swap(left + ((right - left) >> 1), right - 1); // the pivot waits beside the right end
    let i = left + 1;
    let j = right - 2;
    for (; i < j; i++, j--) swap(i, j); // both scans stop at once at equal keys
    swap(i, right - 1);
    sort(left, i - 1);
    sort(i + 1, right);
  };
  sort(0, n - 1);
  return order;
}
