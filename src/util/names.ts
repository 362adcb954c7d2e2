/**
 * Names by which results find back to what was asked, whatever people wrote as ids.
 * May not know: what is named.
 */

/**
 * The names in their order, made different: the first of equal ones stays as it is, and each later one has its place behind it.
 * The same names give the same result at any time.
 */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((own, i) => {
    let name = own;
    while (taken.has(name)) name = `${name} (number ${i + 1})`; // again where somebody's id already looks like that
    taken.add(name);
    return name;
  });
}
