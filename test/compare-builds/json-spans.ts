/** Takes the values of some keys out of JSON text and leaves every other byte: layout, order of keys, how a number is written. */

/**
 * @param omit  the keys down to a value, outermost first, positions in lists left out
 * @returns the text with `<…>` in place of those values; text that is not JSON is cut where it stops being so, and kept from there
 */
export function withoutValues(text: string, omit: (path: readonly string[]) => boolean): string {
  let at = 0;
  let out = "";
  const path: string[] = [];

  const space = (): void => void copy(/[\s,]*/y);
  const copy = (pattern: RegExp): string => {
    const found = match(pattern);
    out += found;
    return found;
  };
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const value = (): boolean => {
    space();
    if (text[at] === "{") return members();
    if (text[at] === "[") return items();
    return copy(/"(?:[^"\\]|\\.)*"|[^\s,\]}"]+/y) !== "";
  };
  const items = (): boolean => {
    copy(/\[/y);
    for (space(); text[at] !== "]"; space()) if (!value()) return false;
    return copy(/\]/y) !== "";
  };
  const members = (): boolean => {
    copy(/\{/y);
    for (space(); text[at] !== "}"; space()) {
      const key = copy(/"(?:[^"\\]|\\.)*"\s*:\s*/y);
      if (key === "") return false;
      path.push(JSON.parse(key.slice(0, key.lastIndexOf(":"))) as string);
      const before = out;
      if (!value()) return false;
      if (omit(path)) out = `${before}<${path.at(-1)}>`;
      path.pop();
    }
    return copy(/\}/y) !== "";
  };

  while (value());
  return out + text.slice(at);
}
