/**
 * The body of a server's reply as a value: JSON, or the events of a stream that nobody asked for put together. Bounded in its nesting,
 * so that whatever walks through the value may recurse. Never throws.
 * May not know: what is in a completion, who asked.
 */

import { tryJson } from "../util/json.js";
import { quoted, shorten } from "../util/terminal.js";
import { assembleEvents, looksLikeEvents } from "./event-stream.js";

export type Body =
  /** `finite`: all its numbers are. `streamed`: it was put together here. */
  | { readonly kind: "value"; readonly value: unknown; readonly finite: boolean; readonly streamed: boolean }
  /** There is something, and it is not for us. */
  | { readonly kind: "deep"; readonly reason: string }
  | { readonly kind: "none"; readonly reason: string };

export function readBody(sent: string): Body {
  const text = withoutMark(sent);
  if (text.trim() === "") return { kind: "none", reason: "the reply is empty" };
  if (looksLikeEvents(text)) return readEvents(text);
  const result = tryJson(text);
  if ("value" in result)
    return { kind: "value", value: result.value, finite: allFinite(result.value), streamed: false };
  if (!result.problem.startsWith("not JSON")) return { kind: "deep", reason: `the reply is ${result.problem}` };
  return { kind: "none", reason: `the reply is not JSON: ${openingOf(text)}` };
}

function readEvents(text: string): Body {
  const assembled = assembleEvents(text, parsedJson);
  if (assembled.kind === "broken") return { kind: "none", reason: `${assembled.reason}: ${openingOf(text)}` };
  return { kind: "value", value: assembled.value, finite: allFinite(assembled.value), streamed: true };
}

/** Undefined where it is not JSON within bounds: the caller says so. */
export function parsedJson(text: string): unknown {
  const result = tryJson(withoutMark(text));
  return "value" in result ? result.value : undefined;
}

/** A byte order mark is no part of JSON, and some servers send one. */
const withoutMark = (text: string): string => text.replace(/^\uFEFF/, "");

/** How a text begins, on one line and safe to show. */
export const openingOf = (text: string): string => quoted(shorten(text.slice(0, 400).replace(/\s+/g, " ").trim(), 100));

/** JSON's grammar has numbers such as 1e999, which become infinite when they are read and null when they are written. */
function allFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(allFinite);
}
