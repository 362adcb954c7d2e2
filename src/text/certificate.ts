/**
 * The mask certificate: looks at every finished row with fresh eyes (not at how it was made) and refuses a wrong one, so
 * that no run trains on a mask that fails silently. What it checks:
 *
 *   - BOS stands in front, once (a later one may only be the stop token, where both are the same id);
 *   - the prompt's ids, as generation would see them, are the beginning of the row;
 *   - a label is the id at its place or "no loss";
 *   - each response's last label is the stop id, unless the row was cut there;
 *   - nothing else carries loss: as many stretches of loss as responses, none in the prompt, none behind a stop id;
 *   - something carries loss at all.
 *
 * May not know: how rows are made, files, training.
 */

import { CERTIFICATE_VERSION, type Certificate } from "../records/certificate.js";
import { IGNORE, type Row } from "../records/row.js";
import { present, UserError } from "../util/errors.js";
import { plural } from "../util/progress.js";
import { option, words } from "../util/words.js";

/** What holds for all rows of a run. */
export interface CertificateTerms {
  /** `templateText` of the template. */
  readonly template: string;
  /** Hash of the tokenizer. */
  readonly tokenizer: string;
  readonly objective: "instruction" | "response";
  /** The id in front of every row; undefined where rows begin without one. */
  readonly bosId: number | undefined;
  /** The model's BOS, which must not appear even where rows begin without one. */
  readonly modelBosId: number | undefined;
  readonly eosId: number;
  readonly maxLength: number | undefined;
}

/** What a row must agree with. */
export interface RowTerms {
  /** Ids that generation would be given for the row's first instruction, BOS included. */
  readonly promptIds: readonly number[];
  /** Assistant messages in the example. */
  readonly responses: number;
  /** The tokenizer left something of its text out. */
  readonly lossy?: boolean;
}

export interface Certifier {
  /** @throws UserError  the row's mask is wrong; the message names the row and what is wrong */
  add(row: Row, terms: RowTerms): void;
  /** Counts a row that was left out because nothing of it carries loss. */
  skip(): void;
  /**
   * @param rows  counts these alone, of the rows that were added: what a run trains on, what it holds back. Default: all of them
   * @throws UserError  there is no row
   */
  finish(rows?: Iterable<Row>): Certificate;
}

/** What rows come to. */
type Counts = Pick<
  Certificate,
  | "rows"
  | "rows_merged"
  | "rows_cut"
  | "rows_lossy"
  | "responses"
  | "responses_empty"
  | "responses_stopped"
  | "tokens"
  | "supervised_tokens"
  | "longest_row"
>;

export function createCertifier(terms: CertificateTerms): Certifier {
  const all = noCounts();
  const countsOf = new WeakMap<Row, Counts>();
  let skipped = 0;
  return {
    add(row, rowTerms) {
      checkShape(row, terms);
      checkBos(row, terms);
      checkPrompt(row, rowTerms);
      const spans = checkResponses(row, terms, rowTerms);
      const counts = countRow(row, spans, rowTerms);
      countsOf.set(row, counts);
      addTo(all, counts);
    },
    skip() {
      skipped += 1;
    },
    finish(rows) {
      let counts = all;
      if (rows !== undefined) {
        counts = noCounts();
        for (const row of rows) addTo(counts, present(countsOf.get(row), `a row that was certified, ${row.id}`));
      }
      if (counts.rows === 0) {
        const why = skipped === 0 ? "" : ` (${skipped} skipped: nothing of them carries loss)`;
        throw new UserError(`no row is left to train on${why}`, {
          remedy: words`check ${option("data")} and ${option("maxLength")}`,
        });
      }
      return {
        version: CERTIFICATE_VERSION,
        template: terms.template,
        tokenizer: terms.tokenizer,
        objective: terms.objective,
        bos_id: terms.bosId ?? null,
        eos_id: terms.eosId,
        max_length: terms.maxLength ?? null,
        ...counts,
        rows_skipped: skipped,
      };
    },
  };
}

const noCounts = (): Counts => ({
  rows: 0,
  rows_merged: 0,
  rows_cut: 0,
  rows_lossy: 0,
  responses: 0,
  responses_empty: 0,
  responses_stopped: 0,
  tokens: 0,
  supervised_tokens: 0,
  longest_row: 0,
});

const countRow = (row: Row, spans: readonly Span[], { lossy = false }: RowTerms): Counts => ({
  rows: 1,
  rows_merged: row.merged ? 1 : 0,
  rows_cut: row.cut ? 1 : 0,
  rows_lossy: lossy ? 1 : 0,
  responses: spans.length,
  responses_empty: spans.filter(({ start, end, stopped }) => stopped && end - start === 1).length,
  responses_stopped: spans.filter(({ stopped }) => stopped).length,
  tokens: row.inputIds.length,
  supervised_tokens: spans.reduce((sum, { start, end }) => sum + end - start, 0),
  longest_row: row.inputIds.length,
});

function addTo(sum: Counts, one: Counts): void {
  for (const key of Object.keys(one) as (keyof Counts)[]) {
    sum[key] = key === "longest_row" ? Math.max(sum[key], one[key]) : sum[key] + one[key];
  }
}

function wrong(row: Row, what: string): never {
  throw new UserError(`row ${row.id}: wrong loss mask: ${what}`, {
    remedy: "do not train on these rows; look at one with tacit render --show 1 and report it",
  });
}

function checkShape(row: Row, terms: CertificateTerms): void {
  if (row.inputIds.length !== row.labels.length) {
    wrong(row, `${row.inputIds.length} ids, but ${row.labels.length} labels`);
  }
  if (terms.maxLength !== undefined && row.inputIds.length > terms.maxLength) {
    wrong(row, `${row.inputIds.length} ids, more than the limit of ${terms.maxLength}`);
  }
  for (const [i, label] of row.labels.entries()) {
    if (label !== IGNORE && label !== row.inputIds[i]) {
      wrong(row, `position ${i} holds the id ${row.inputIds[i]} and the label ${label}`);
    }
  }
}

function checkBos(row: Row, terms: CertificateTerms): void {
  const { bosId, modelBosId, eosId } = terms;
  if (bosId !== undefined && row.inputIds[0] !== bosId)
    wrong(row, `it begins with ${row.inputIds[0]}, not with BOS ${bosId}`);
  for (const [i, id] of row.inputIds.entries()) {
    if (i === 0 && bosId !== undefined) continue;
    const isStop = id === eosId && row.labels[i] === id;
    if ((id === bosId || id === modelBosId) && !isStop) wrong(row, `BOS ${id} stands at position ${i}`);
  }
}

function checkPrompt(row: Row, { promptIds }: RowTerms): void {
  const length = Math.min(promptIds.length, row.inputIds.length); // a cut may fall inside the prompt
  for (let i = 0; i < length; i++) {
    if (row.inputIds[i] !== promptIds[i]) {
      wrong(row, `position ${i} holds ${row.inputIds[i]}, but generation would see ${promptIds[i]} there`);
    }
    if (row.labels[i] !== IGNORE) wrong(row, `position ${i} of the prompt carries loss`);
  }
  if (row.promptTokens !== length) wrong(row, `it counts ${row.promptTokens} prompt ids, generation ${length}`);
}

/** A stretch of positions that carry loss. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly stopped: boolean;
}

function checkResponses(row: Row, { eosId }: CertificateTerms, { promptIds, responses }: RowTerms): Span[] {
  const spans = spansOf(row, eosId);
  const first = spans[0];
  if (first === undefined) return wrong(row, "nothing carries loss");
  if (first.start !== promptIds.length) {
    wrong(row, `loss begins at position ${first.start}, the response at ${promptIds.length}`);
  }
  for (const [i, span] of spans.entries()) {
    const mayBeCut = row.cut && i === spans.length - 1 && span.end === row.labels.length;
    if (!span.stopped && !mayBeCut)
      wrong(row, `the response that ends at position ${span.end - 1} has no stop token ${eosId}`);
    const early = row.labels.indexOf(eosId, span.start);
    if (early >= 0 && early < span.end - 1) wrong(row, `loss continues behind the stop token at position ${early}`);
  }
  const complete = row.cut ? spans.length <= responses : spans.length === responses;
  if (!complete) wrong(row, `${spans.length} stretches carry loss, but it has ${plural(responses, "response")}`);
  return spans;
}

function spansOf(row: Row, eosId: number): Span[] {
  const spans: Span[] = [];
  for (let start = 0; start < row.labels.length; ) {
    if (row.labels[start] === IGNORE) {
      start += 1;
      continue;
    }
    let end = start;
    while (end < row.labels.length && row.labels[end] !== IGNORE) end += 1;
    spans.push({ start, end, stopped: row.labels[end - 1] === eosId });
    start = end;
  }
  return spans;
}
