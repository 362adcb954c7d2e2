/**
 * What is wrong with a text that is not YAML, in our words: those of the library are for people who write parsers.
 * May not know: files.
 */
import type { ErrorCode } from "yaml";

export const TOO_MANY = "aliases that stand for too many values";

const faults: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias (*name) takes no anchor or tag of its own",
  BAD_ALIAS: "an alias (*name) of an anchor (&name) that is missing; a text that begins with * belongs in quotes",
  BAD_COLLECTION_TYPE: "a tag that does not go with a list or a map",
  BAD_DIRECTIVE: "a directive (% at the start of a line) that is not known",
  BAD_DQ_ESCAPE: "an escape that double quotes do not have: write \\\\ for a backslash, or use single quotes",
  BAD_INDENT: "indented otherwise than the lines that it belongs to, or a bracket above is never closed",
  BAD_PROP_ORDER: "an anchor or a tag in the wrong place: it comes before its value",
  BAD_SCALAR_START: "a text may not begin with this character: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second `: ` on one line: put the text in quotes, or the inner map on lines of its own",
  BLOCK_IN_FLOW: "a list with `- ` or a map on lines of its own inside brackets",
  DUPLICATE_KEY: "a key twice",
  IMPOSSIBLE: "it cannot be read",
  KEY_OVER_1024_CHARS: "a key of more than 1,024 characters",
  MISSING_CHAR: "something is missing here: a closing quote or bracket, a comma, or the space after `:` or `-`",
  MULTILINE_IMPLICIT_KEY: "a key over several lines; or a line without its `: `",
  MULTIPLE_ANCHORS: "two anchors for one value",
  MULTIPLE_DOCS: "a second document (---); one file holds one",
  MULTIPLE_TAGS: "two tags for one value",
  NON_STRING_KEY: "a key that is not a text: put it in quotes",
  RESOURCE_EXHAUSTION: TOO_MANY,
  TAB_AS_INDENT: "indented with a tab: YAML takes spaces only",
  TAG_RESOLVE_FAILED: "a tag (!) that is not known; a text that begins with ! belongs in quotes",
  UNEXPECTED_TOKEN: "this does not belong here: put the text in quotes, or check the lines above",
};

export const yamlFault = (code: ErrorCode): string => `not YAML: ${faults[code]}`;
