/** Which modules the text of a module names: for the tests that look at the source as data. */

// A statement begins a line (the formatter sees to that); a dynamic import stands anywhere.
const statics = [/^(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']/gm, /^import\s*["']([^"']+)["']/gm];
const dynamics = [/\bimport\(\s*["']([^"']+)["']\s*\)/g, /\brequire(?:\.resolve)?\(\s*["']([^"']+)["']\s*\)/g];

/** Specifiers of imports and re-exports outside comment lines; `static` leaves out those that are only loaded when asked for. */
export function specifiersIn(text: string, which: "all" | "static" = "all"): string[] {
  const code = text.replaceAll(/^\s*(\/\/|\/\*|\*).*$/gm, "");
  const patterns = which === "all" ? [...statics, ...dynamics] : statics;
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
}
