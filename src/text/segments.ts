/**
 * A row as text again, cut where the loss begins and ends: what a person looks at to trust a mask.
 * May not know: colours, terminals, files.
 */
import { IGNORE, type Row } from "../records/row.js";
import type { Tokenizer } from "./tokenizer.js";

export interface Segment {
  /** Control tokens appear as their piece, `<s>`. */
  readonly text: string;
  readonly loss: boolean;
  readonly control: boolean;
  readonly tokens: number;
}

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/** Neighbouring tokens of one kind are one segment, so that characters spread over several tokens stay whole. */
export function segmentsOf(tokenizer: Tokenizer, row: Row): Segment[] {
  const segments: Segment[] = [];
  for (let start = 0; start < row.inputIds.length; ) {
    const kind = kindAt(tokenizer, row, start);
    let end = start + 1;
    while (end < row.inputIds.length && !kind.control && sameKind(kind, kindAt(tokenizer, row, end))) end += 1;
    const ids = row.inputIds.slice(start, end);
    segments.push({ ...kind, text: textOf(tokenizer, ids), tokens: ids.length });
    start = end;
  }
  return segments;
}

interface Kind {
  readonly loss: boolean;
  readonly control: boolean;
}

function kindAt(tokenizer: Tokenizer, row: Row, i: number): Kind {
  return { loss: row.labels[i] !== IGNORE, control: tokenizer.isSpecial(row.inputIds[i] ?? -1) };
}

const sameKind = (a: Kind, b: Kind): boolean => a.loss === b.loss && a.control === b.control;

function textOf(tokenizer: Tokenizer, ids: readonly number[]): string {
  // llama2.c writes its begin token with line breaks around it, which would only confuse here.
  const bytes = ids.map((id) => tokenizer.bytes(id) ?? Buffer.from(tokenizer.piece(id)?.trim() ?? `<${id}>`));
  return lossy.decode(Buffer.concat(bytes));
}
