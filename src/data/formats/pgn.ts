/**
 * PGN: games out of lines. A game is its tag lines (`[Name "value"]`) and all movetext up to the next game's tags. Nothing
 * is normalised: tags and movetext stay as written, but movetext wrapped over several lines becomes one line.
 * May not know: Elo, examples, legal moves.
 *
 * Format: "Portable Game Notation Specification and Implementation Guide", 1994, sections 4 (comments, escapes), 8 (tags,
 * movetext).
 */

import { isObject } from "../../util/json.js";
import { own } from "../fields.js";
import type { Origin, RawRecord } from "../record.js";
import { readLines } from "./lines.js";
import { readParquet } from "./parquet.js";

export interface PgnGame {
  /** Tag name to the tag as written, for example `WhiteElo` to `[WhiteElo "1703"]`. */
  readonly tags: ReadonlyMap<string, string>;
  /** All movetext on one line, with comments and the result. */
  readonly movetext: string;
}

/** A game whose movetext is longer than this is not a game. */
const MAX_MOVETEXT = 1024 * 1024;

/** Games of a PGN file; the place of a game is its first line. */
export async function* readPgn(file: string): AsyncGenerator<RawRecord[]> {
  const games = gameCollector();
  for await (const lines of readLines(file)) {
    const found = lines.flatMap((line) => {
      const at = { file, line: line.number, unit: "line" } as const;
      return games.push("problem" in line ? { at, text: line.lossy, problem: line.problem } : { at, text: line.text });
    });
    if (found.length > 0) yield found;
  }
  const last = games.end();
  if (last !== undefined) yield [last];
}

/** Games of a Parquet file with one line of PGN in the column `text` of each row, as Hugging Face keeps such files. */
export async function* readPgnRows(file: string): AsyncGenerator<RawRecord[]> {
  const games = gameCollector();
  for await (const rows of readParquet(file)) {
    const found = rows.flatMap((row) => {
      if (row.kind === "bad") return [row];
      const text = isObject(row.value) ? own(row.value, "text") : undefined;
      return games.push(
        typeof text === "string" ? { at: row.at, text } : { at: row.at, text: "", problem: 'no text in column "text"' },
      );
    });
    if (found.length > 0) yield found;
  }
  const last = games.end();
  if (last !== undefined) yield [last];
}

interface PgnLine {
  readonly at: Origin;
  readonly text: string;
  /** Spoils the game that the line belongs to. */
  readonly problem?: string;
}

interface Draft {
  readonly at: Origin;
  readonly tags: Map<string, string>;
  movetext: string;
  problem: string | undefined;
  /** Inside `{ … }`. */
  inComment: boolean;
  /** The last movetext line ends in a `; …` comment, which a joined line would swallow. */
  endsInLineComment: boolean;
}

const TAG = /\[\s*([A-Za-z0-9_]+)\s+"(?:[^"\\]|\\.)*"\s*\]/g;
const isTagLine = (text: string): boolean => /^\s*\[\s*[A-Za-z0-9_]+\s+"/.test(text);
const beginsGame = (text: string): boolean => text.startsWith('[Event "');

export function gameCollector(): { push(line: PgnLine): RawRecord[]; end(): RawRecord | undefined } {
  let game: Draft | undefined;
  const begin = (at: Origin): Draft => ({
    at,
    tags: new Map(),
    movetext: "",
    problem: undefined,
    inComment: false,
    endsInLineComment: false,
  });
  const finish = (): RawRecord | undefined => {
    const done = game;
    game = undefined;
    if (done === undefined) return undefined;
    if (done.inComment) done.problem ??= "a comment { is never closed";
    if (done.problem !== undefined) return { kind: "bad", at: done.at, reason: done.problem };
    return { kind: "record", at: done.at, value: { tags: done.tags, movetext: done.movetext } satisfies PgnGame };
  };
  return {
    push(line) {
      const { at, text, problem } = line;
      if (problem === undefined && (text.startsWith("%") || text.trim() === "")) return []; // an escape line, or white space
      const isTag = game?.inComment === true ? beginsGame(text) : isTagLine(text);
      let finished: RawRecord | undefined;
      if (isTag && (game === undefined || game.movetext !== "" || game.inComment)) finished = finish();
      game ??= begin(at);
      if (problem !== undefined) game.problem ??= `${at.unit} ${at.line}: ${problem}`;
      if (isTag) addTags(game, text, at);
      else addMovetext(game, text);
      return finished === undefined ? [] : [finished];
    },
    end: finish,
  };
}

function addTags(game: Draft, text: string, at: Origin): void {
  let found = 0;
  for (const [tag, name = ""] of text.matchAll(TAG)) {
    found++;
    if (!game.tags.has(name)) game.tags.set(name, tag);
    else game.problem ??= `line ${at.line}: a second [${name}] tag`;
  }
  if (found === 0) game.problem ??= `line ${at.line}: a tag that is not closed`;
}

function addMovetext(game: Draft, text: string): void {
  if (game.movetext.length + text.length > MAX_MOVETEXT) {
    game.problem ??= `movetext longer than ${MAX_MOVETEXT / 1024 / 1024} MiB`;
    game.movetext = game.movetext.slice(0, 1);
    return;
  }
  const join = game.movetext === "" ? "" : game.endsInLineComment ? "\n" : " ";
  game.movetext += join + text;
  game.endsInLineComment = false;
  for (const char of text.match(/[{};]/g) ?? []) {
    if (char === "}") game.inComment = false;
    else if (game.inComment) continue;
    else if (char === "{") game.inComment = true;
    else {
      game.endsInLineComment = true;
      break;
    }
  }
}
