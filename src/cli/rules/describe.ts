/**
 * Rules in words and tables: without a vocabulary, and as they were resolved in one.
 * May not know: files, models.
 */

import type { LoadedRules } from "../../rules/file.js";
import type { RuleReport, TokenReport } from "../../rules/resolve.js";
import { type Rule, rampScore } from "../../rules/rules.js";
import { SHOWN_LENGTHS } from "../../steps/explain-rules.js";
import { columns, quoted } from "../../util/terminal.js";

/** One rule as it was resolved: a table of its tokens, or what it does. `eos` names the stop token. */
export function describeResolved({ rule, disabled, tokens }: RuleReport, eos: string): string {
  const title = `\n${quoted(rule.name)} · ${rule.kind}${disabled ? " · disabled" : ""}\n`;
  switch (rule.kind) {
    case "eos_ramp": {
      const shown = SHOWN_LENGTHS.map((n) => [`n = ${n}`, signed(rampScore(rule, n))]);
      return `${title}  ${describeRule(rule)}; EOS is ${eos}\n${indent(columns(shown, [1]))}`;
    }
    case "used_tokens":
      return `${title}  ${describeRule(rule)}\n`;
    case "token_scores":
      return title + indent(columns([["string", "id", "piece", "score", ""], ...tokens.map(tokenCells)], [1, 3]));
    default:
      return rule satisfies never;
  }
}

function tokenCells(token: TokenReport): string[] {
  const string = quoted(JSON.stringify(token.string));
  if (!token.found) return [string, "-", "-", "-", `${token.reason}: ignored`];
  const others = token.alternatives.length === 0 ? "" : `also ${token.alternatives.join(", ")}, without a score`;
  return [string, String(token.id), shownPiece(token.piece), signed(token.score), token.byte ? "byte piece" : others];
}

/** As the vocabulary writes it; in quotes where it could not be seen otherwise. */
const shownPiece = (piece: string): string => quoted(/\s/.test(piece) ? JSON.stringify(piece) : piece);

/** One line per rule: what it does, without a vocabulary. */
export function describeRules({ rules }: LoadedRules): string {
  return indent(columns(rules.rules.map((rule) => [quoted(rule.name), rule.kind, describeRule(rule)])));
}

function describeRule(rule: Rule): string {
  switch (rule.kind) {
    case "eos_ramp": {
      const ends = { grow: "growing on after that", hold: `then ${signed(rule.score)} for good`, zero: "then nothing" };
      return `${signed(rule.score)} × n / ${rule.tokens} on EOS after n response tokens, ${ends[rule.after]}`;
    }
    case "token_scores":
      return `${rule.scores.size} strings, at every step`;
    case "used_tokens": {
      const what = {
        response: "of the response so far",
        conversation: "of the instruction, the tag and the response so far",
      };
      return `${signed(rule.score)} once for every distinct token ${what[rule.scope]}`;
    }
    default:
      return rule satisfies never;
  }
}

const signed = (score: number): string => `${score > 0 ? "+" : ""}${Number(score.toFixed(6))}`;
const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");
