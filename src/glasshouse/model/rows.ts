/**
 * Pages as rows of one length, written when their step comes. A row begins with the beginning of a page, as every prompt does; pages follow
 * each other, each between BOS and EOS, and the last one is cut where the row ends. Its rest is not read: there are pages without end.
 * May not know: what pages say, engines.
 */
import type { MadeRows, Row } from "../../records/row.js";
import type { Tokenizer } from "../../text/tokenizer.js";
import { invariant, present } from "../../util/errors.js";
import type { Page } from "../corpus.js";
import { EOS } from "./tokenizer.js";

/** Pages that belong to a row; no row comes near so many. */
const PAGES_A_ROW = 256;

export interface CorpusRows {
  readonly count: number;
  /** Ids of each. */
  readonly tokens: number;
  /** Index of the first: rows before it belong to somebody else. */
  readonly from?: number;
}

/** Every token but a row's first carries loss. Ids and labels are one array. */
export function corpusRows(
  page: (index: number) => Page,
  tokenizer: Tokenizer,
  { count, tokens, from = 0 }: CorpusRows,
): MadeRows {
  const eos = present(tokenizer.idOf(EOS), EOS);
  const at = (index: number): Row => {
    const ids: number[] = [];
    for (let i = 0; ids.length < tokens; i++) {
      invariant(i < PAGES_A_ROW, `row ${index} has more pages than it may have`);
      ids.push(...tokenizer.encode(page((from + index) * PAGES_A_ROW + i).text), eos);
    }
    ids.length = tokens;
    return { id: `row-${from + index}`, inputIds: ids, labels: ids, promptTokens: 0, merged: false, cut: false };
  };
  return { length: count, at, longest: at(0) };
}
