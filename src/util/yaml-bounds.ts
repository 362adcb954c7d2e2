/**
 * Bounds of YAML text, on its tokens: composing a document takes time that grows with the square of its anchors, and recurses into its
 * depth, so what is beyond the bounds is told before it begins.
 * May not know: files, what the document says.
 */
import { CST, Lexer } from "yaml";
import { MAX_DEPTH } from "./json.js";

/** Values, keys and brackets that a hand-written file may have. */
export const MOST_NODES = 50_000;
/** Tokens of any kind: white space and line ends take time as well. */
const MOST_TOKENS = 250_000;
/** Anchors of a document, and uses of them: each use looks through the whole document. */
export const MOST_ANCHORS = 100;

/** What is beyond, and where in the text, in UTF-16 code units. */
export interface Beyond {
  readonly problem: string;
  readonly offset: number;
}

/** The first thing that is beyond the bounds. Stops there: what follows costs nothing. */
export function beyondBounds(text: string): Beyond | undefined {
  const columns: number[] = []; // where the block collections that are open begin
  const counts = { node: 0, anchor: 0, alias: 0 };
  let flow = 0; // brackets that are open
  let lineStart = 0;
  let offset = 0;
  let tokens = 0;
  for (const { type, source } of tokensOf(text)) {
    if (++tokens > MOST_TOKENS) return { problem: `more than ${MOST_TOKENS} tokens`, offset };
    const counted = COUNTED.get(type);
    if (counted !== undefined && ++counts[counted] > (counted === "node" ? MOST_NODES : MOST_ANCHORS))
      return {
        problem: counted === "node" ? `more than ${MOST_NODES} values` : `more than ${MOST_ANCHORS} ${PLURAL[counted]}`,
        offset,
      };
    if (flow === 0 && NESTING.has(type)) {
      const column = offset - lineStart;
      while ((columns.at(-1) ?? -1) > column) columns.pop();
      if (columns.at(-1) !== column) columns.push(column);
    }
    if (type === "flow-map-start" || type === "flow-seq-start") flow++;
    if (type === "flow-map-end" || type === "flow-seq-end") flow = Math.max(0, flow - 1);
    // One more for the leaf. A list may stand in the column of its key, so this counts half at least; the value is counted exactly later.
    if (columns.length + flow > MAX_DEPTH + 1) return { problem: `nested deeper than ${MAX_DEPTH} levels`, offset };
    const lineEnd = source.lastIndexOf("\n");
    if (lineEnd >= 0) lineStart = offset + lineEnd + 1;
    offset += source.length;
  }
  return undefined;
}

const PLURAL = { anchor: "anchors", alias: "aliases" } as const;

const COUNTED: ReadonlyMap<string, "node" | "anchor" | "alias"> = new Map([
  ...["scalar", "single-quoted-scalar", "double-quoted-scalar", "block-scalar-header", "map-value-ind", "comma"].map(
    asNode,
  ),
  ...["seq-item-ind", "explicit-key-ind", "flow-map-start", "flow-seq-start", "tag", "comment", "directive-line"].map(
    asNode,
  ),
  ["anchor", "anchor"],
  ["alias", "alias"],
]);

function asNode(type: string): [string, "node"] {
  return [type, "node"];
}

const NESTING = new Set(
  [
    "scalar",
    "single-quoted-scalar",
    "double-quoted-scalar",
    "seq-item-ind",
    "explicit-key-ind",
    "alias",
    "anchor",
    "tag",
  ].concat(["map-value-ind", "flow-map-start", "flow-seq-start"]),
);

/** Tokens with what they stand for; marks that the lexer puts between them have no text. */
function* tokensOf(text: string): Generator<{ readonly type: string; readonly source: string }> {
  let scalarNext = false;
  for (const source of new Lexer().lex(text)) {
    if (source === CST.SCALAR) {
      scalarNext = true;
      continue;
    }
    if (!scalarNext && (source === CST.DOCUMENT || source === CST.FLOW_END)) continue;
    yield { type: scalarNext ? "scalar" : (CST.tokenType(source) ?? "error"), source };
    scalarNext = false;
  }
}
