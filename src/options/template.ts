/**
 * The options that decide how a dialogue is written.
 * May not know: tokenizers.
 */
import { needed, oneOf, shaped, text } from "../util/option-kinds.js";
import { defineOptions } from "../util/options.js";

export interface Template {
  readonly name: string;
  readonly userTag: string;
  readonly assistantTag: string;
}

const template = shaped<Template>(
  { name: needed(text), userTag: needed(text), assistantTag: needed(text) },
  "a template, as templateFrom gives it",
);

/** Text names a template and its tags one by one; scripts have the three as one object. */
export const templateOptions = defineOptions({
  template: {
    type: { ...template, form: { form: "text", empty: false } },
    takes: "name",
    help: "format of a dialogue: {templates}",
    unless: '"tulu"',
  },
  userTag: {
    type: text,
    takes: "text",
    help: "tag before an instruction",
    unless: "the template's, <|user|>",
    only: "command",
  },
  assistantTag: {
    type: text,
    takes: "text",
    help: "tag before a response",
    unless: "the template's, <|assistant|>",
    only: "command",
  },
  bos: {
    type: oneOf("auto", "always", "never"),
    takes: "when",
    help: "auto: the BOS that the tokenizer itself adds; always: also one that a config names",
    default: "auto",
  },
});
