import { describe, expect, it } from "vitest";
import { certificateSchema } from "../records/certificate.js";
import { IGNORE, type Row } from "../records/row.js";
import { UserError } from "../util/errors.js";
import { type CertificateTerms, createCertifier } from "./certificate.js";

const BOS = 1;
const EOS = 2;
const _ = IGNORE;
const terms: CertificateTerms = {
  template: "t",
  tokenizer: "h",
  objective: "instruction",
  bosId: BOS,
  modelBosId: BOS,
  eosId: EOS,
  maxLength: 12,
};

/** A row whose labels are the ids where the mask has an `x`. */
function row(ids: readonly number[], mask: string, rest: Partial<Row> = {}): Row {
  const labels = ids.map((id, i) => (mask[i] === "x" ? id : IGNORE));
  return { id: "r", inputIds: ids, labels, promptTokens: mask.indexOf("x"), merged: false, cut: false, ...rest };
}
const good = row([BOS, 7, 8, 9, EOS], "...xx");
const add = (candidate: Row, promptIds: readonly number[] = [BOS, 7, 8], responses = 1, changed = {}) =>
  createCertifier({ ...terms, ...changed }).add(candidate, { promptIds, responses });

describe("certificate", () => {
  it("counts what it has seen", () => {
    const certifier = createCertifier(terms);
    certifier.add(good, { promptIds: [BOS, 7, 8], responses: 1, lossy: true });
    certifier.add(row([BOS, 7, EOS], "..x", { merged: true }), { promptIds: [BOS, 7], responses: 1 });
    certifier.add(row([BOS, 7, 5, EOS, 7, 6, 6], "..xx.xx", { cut: true }), { promptIds: [BOS, 7], responses: 3 });
    certifier.skip();
    const certificate = certifier.finish();
    expect(certificate).toEqual({
      version: 1,
      template: "t",
      tokenizer: "h",
      objective: "instruction",
      bos_id: BOS,
      eos_id: EOS,
      max_length: 12,
      rows: 3,
      rows_merged: 1,
      rows_cut: 1,
      rows_skipped: 1,
      rows_lossy: 1,
      responses: 4,
      responses_empty: 1,
      responses_stopped: 3,
      tokens: 15,
      supervised_tokens: 7,
      longest_row: 7,
    });
    expect(certificateSchema.parse(JSON.parse(JSON.stringify(certificate)))).toEqual(certificate);
  });

  it("counts some of the rows alone where asked to, and never a row that it has not checked", () => {
    const certifier = createCertifier(terms);
    const long = row([BOS, 7, 5, 5, 5, EOS], "..xxxx", { cut: false });
    for (const each of [good, long])
      certifier.add(each, { promptIds: each.inputIds.slice(0, each.promptTokens), responses: 1 });
    certifier.skip();
    expect(certifier.finish([good])).toMatchObject({
      rows: 1,
      tokens: 5,
      supervised_tokens: 2,
      longest_row: 5,
      rows_skipped: 1,
    });
    expect(certifier.finish([long])).toMatchObject({ rows: 1, tokens: 6, supervised_tokens: 4, longest_row: 6 });
    expect(certifier.finish([long, good])).toEqual(certifier.finish());
    expect(() => certifier.finish([])).toThrow("no row is left to train on (1 skipped");
    expect(() => certifier.finish([{ ...good }])).toThrow("a row that was certified, r");
  });

  it("lets BOS and EOS be the same id, and rows begin without BOS", () => {
    const same = { bosId: EOS, modelBosId: EOS };
    expect(() => add(row([EOS, 7, 8, EOS, 7, 9, EOS], "..xx.xx"), [EOS, 7], 2, same)).not.toThrow();
    expect(() => add(row([7, 8, EOS], ".xx"), [7], 1, { bosId: undefined })).not.toThrow();
  });

  it.each<[string, () => void, string]>([
    ["a label too many", () => add({ ...good, labels: [...good.labels, _] }), "5 ids, but 6 labels"],
    ["a row over the limit", () => add(good, undefined, 1, { maxLength: 4 }), "5 ids, more than the limit of 4"],
    ["a label that is another id", () => add({ ...good, labels: [_, _, _, 8, EOS] }), "holds the id 9 and the label 8"],
    ["shifted labels", () => add({ ...good, labels: [_, _, 9, EOS, _] }), "position 2 holds the id 8 and the label 9"],
    ["no BOS", () => add(row([7, 8, 9, EOS], "..xx"), [7, 8]), "it begins with 7, not with BOS 1"],
    ["two BOS", () => add(row([BOS, BOS, 8, 9, EOS], "...xx"), [BOS, BOS, 8]), "BOS 1 stands at position 1"],
    ["BOS in a response", () => add(row([BOS, 7, 8, BOS, EOS], "...xx")), "BOS 1 stands at position 3"],
    [
      "BOS where there should be none",
      () => add(row([BOS, 7, 8, 9, EOS], "...xx"), undefined, 1, { bosId: undefined }),
      "BOS 1 stands at position 0",
    ],
    [
      "OLMo's BOS twice",
      () => add(row([EOS, EOS, 8, EOS], "..xx"), [EOS, EOS], 1, { bosId: EOS, modelBosId: EOS }),
      "BOS 2 stands at position 1",
    ],
    ["another prompt", () => add(good, [BOS, 7, 6]), "position 2 holds 8, but generation would see 6 there"],
    ["loss in the prompt", () => add(row([BOS, 7, 8, 9, EOS], "..xxx")), "position 2 of the prompt carries loss"],
    [
      "loss a token too late",
      () => add(row([BOS, 7, 8, 9, EOS], "....x", { promptTokens: 3 })),
      "loss begins at position 4",
    ],
    ["a wrong count", () => add({ ...good, promptTokens: 2 }), "it counts 2 prompt ids, generation 3"],
    ["nothing supervised", () => add(row([BOS, 7, 8, 9, EOS], ".....", { promptTokens: 3 })), "nothing carries loss"],
    [
      "no stop token",
      () => add(row([BOS, 7, 8, 9, 9], "...xx")),
      "the response that ends at position 4 has no stop token 2",
    ],
    [
      "a stop token without loss",
      () => add(row([BOS, 7, 8, 9, EOS], "...x.")),
      "the response that ends at position 3 has no stop token 2",
    ],
    [
      "a cut row whose first response has no stop token",
      () => add(row([BOS, 7, 8, 9, 7, 9], "...x.x", { cut: true }), undefined, 2),
      "the response that ends at position 3 has no stop token 2",
    ],
    [
      "loss behind the stop token",
      () => add(row([BOS, 7, 8, 9, EOS, 7, EOS], "...xxxx")),
      "loss continues behind the stop token at position 4",
    ],
    [
      "a user message that carries loss",
      () => add(row([BOS, 7, 8, 9, EOS, 7, EOS], "...xx.x"), undefined, 1),
      "2 stretches carry loss, but it has 1 response",
    ],
    ["a response without loss", () => add(good, undefined, 2), "1 stretches carry loss, but it has 2 responses"],
  ])("refuses %s", (_name, attempt, message) => {
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^row r: wrong loss mask: /);
  });

  it("refuses a run without rows", () => {
    const certifier = createCertifier(terms);
    certifier.skip();
    expect(() => certifier.finish()).toThrow("no row is left to train on (1 skipped");
    expect(() => createCertifier(terms).finish()).toThrow(/^no row is left to train on$/);
  });
});
