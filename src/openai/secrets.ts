/**
 * Keys: where they come from, and how they are kept out of everything that is shown, thrown or written. Servers repeat them.
 * May not know: servers.
 */
import { UserError } from "../util/errors.js";

/**
 * The key in an environment variable; undefined where it is not set.
 *
 * @throws UserError  it holds what no key holds, such as a line break
 */
export function keyFrom(variable: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const key = env[variable]?.trim() || undefined;
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw new UserError(`${variable} holds characters that no key has`, { remedy: "set it again" });
  }
  return key;
}

/**
 * Takes the key out of a text that may be JSON, in whichever way it is written there. Servers repeat it.
 *
 * @returns the same JSON but for the key
 */
export function textCleaner(key: string | undefined): (text: string) => string {
  if (key === undefined || key.length < SHORTEST_SECRET) return (text) => text;
  const escaped = JSON.stringify(key).slice(1, -1);
  return (text) => unescaped(text).replaceAll(escaped, "[key]").replaceAll(key, "[key]");
}

/** JSON with escapes of plain characters undone: `\\u0073` and `s` are one string. Other text stays readable. */
const unescaped = (text: string): string =>
  text.includes("\\")
    ? text.replace(/\\(?:u00([2-7][0-9a-f])|(.))/gis, (whole, code: string | undefined, next: string | undefined) => {
        const plain =
          code === undefined ? (next === "/" ? "/" : undefined) : String.fromCharCode(Number.parseInt(code, 16));
        return plain === undefined || plain === '"' || plain === "\\" || plain === "\u007f" ? whole : plain;
      })
    : text;

/** "none" and the like are no secrets. */
const SHORTEST_SECRET = 5;

/** Takes the key out of every string of a value. */
export function cleaner(key: string | undefined): (value: unknown) => unknown {
  if (key === undefined || key.length < SHORTEST_SECRET) return (value) => value;
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return value.replaceAll(key, "[key]");
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [clean(name), clean(item)]));
  };
  return clean;
}
