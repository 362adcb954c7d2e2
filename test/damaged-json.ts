/** A record of JSON, or of JSON lines, as it might be found: with bytes changed, cut off, or with another value somewhere in it. */
import type { RandomStream } from "../src/util/random.js";

/** What was done, for the message of a test; and what stands there then. */
export interface Damage {
  readonly what: string;
  readonly bytes: Buffer;
}

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

/** Stand in for a value: text of JSON, since some of them are nothing that `JSON.stringify` would write. */
const VALUES: readonly string[] = [
  ...["null", "true", '""', '"7"', "[]", "{}", "0", "-1", "0.5", "1e308", "1e999", "-1e999", "9007199254740993"],
  ...[
    '"../../../etc/passwd"',
    '"/dev/zero"',
    '"a\\u0000b"',
    '"\\u001b[31m\\nred"',
    "[[]]",
    '[{"a":1}]',
    '{"__proto__":{}}',
  ],
  ...[JSON.stringify("x".repeat(50_000)), `{"${"k".repeat(50_000)}":1}`, deep(5_000), "NaN"],
];

type Path = readonly (string | number)[];

function placesIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [at, ...entries.flatMap(([key, inner]) => placesIn(inner, [...at, key]))];
}

const MARK = "\uE000here\uE000";

/** @param change  the text in place of the value; undefined where its key is to go */
function rewritten(value: unknown, at: Path, change: string | undefined): string {
  const copy = structuredClone({ root: value }) as Record<string, unknown>;
  const path: Path = ["root", ...at];
  const last = path.at(-1) as string;
  const holder = path.slice(0, -1).reduce<Record<string, unknown>>((inner, key) => inner[key] as never, copy);
  if (change !== undefined) holder[last] = MARK;
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return (JSON.stringify(copy.root, null, 2) ?? "").replace(JSON.stringify(MARK), () => change ?? "");
}

/** One value becomes another, or its key goes. */
function otherValue(bytes: Buffer, stream: RandomStream): Damage {
  const text = bytes.toString();
  const lines = text.split("\n");
  const isLines = lines.length > 2 && lines.slice(0, 2).every((line) => line.startsWith("{") && line.endsWith("}"));
  const chosen = isLines ? stream.integer(lines.length - 1) : 0;
  const value: unknown = JSON.parse(isLines ? (lines[chosen] ?? "") : text);
  const places = placesIn(value);
  const at = places[stream.integer(places.length)] ?? [];
  const change = stream.uniform() < 0.25 && at.length > 0 ? undefined : VALUES[stream.integer(VALUES.length)];
  const made = rewritten(value, at, change);
  const whole = isLines ? lines.with(chosen, made.replaceAll("\n", "")).join("\n") : made;
  return { what: `${at.join(".")} = ${change?.slice(0, 30) ?? "gone"}`, bytes: Buffer.from(whole) };
}

function otherBytes(bytes: Buffer, stream: RandomStream): Damage {
  const at = stream.integer(bytes.length);
  const copy = Buffer.from(bytes);
  switch (stream.integer(5)) {
    case 0:
      copy[at] = stream.integer(256);
      return { what: `byte ${at} is ${copy[at]}`, bytes: copy };
    case 1:
      copy[at] = (copy[at] ?? 0) ^ (1 << stream.integer(8));
      return { what: `a bit of byte ${at} flipped`, bytes: copy };
    case 2:
      return { what: `cut at ${at}`, bytes: copy.subarray(0, at) };
    case 3:
      return { what: "empty", bytes: Buffer.alloc(0) };
    default:
      return { what: "nested 5,000 deep", bytes: Buffer.from(deep(5_000)) };
  }
}

/** A file without a byte gets one that is no record. */
export const damaged = (bytes: Buffer, stream: RandomStream): Damage =>
  bytes.length === 0
    ? { what: "no record", bytes: Buffer.from("{}\n") }
    : stream.uniform() < 0.7
      ? otherValue(bytes, stream)
      : otherBytes(bytes, stream);
