/**
 * Chess games in PGN: the two Elo tags to the movetext as written, comments and result included. The paper takes 1,000
 * games. A game without moves, or without a number in both tags, gives no such pair: it is left out and counted.
 */
import type { PgnGame } from "../formats/pgn.js";
import { leftOut, type Outcome } from "../record.js";
import type { DataSet } from "./data-set.js";
import { pair } from "./dialogue.js";

export const chess: DataSet = {
  name: "chess",
  title: "Chess games, first 1,000",
  source: "Hugging Face patrickfrank1/chess-pgn-games; the lichess.org open database, or any PGN with Elo tags",
  licence: "lichess: CC0; other collections: their own",
  formats: ["pgn", "pgn-parquet"],
  instruction: 'the line `[WhiteElo "…"]`, then the line `[BlackElo "…"]`, each with its line break',
  response: "the movetext on one line",
  paperRows: 1000,
  limit: 1000,
  leavesOut: "games without moves, or without a number in both Elo tags",
  toOutcome: ({ value, index }): Outcome => {
    const game = value as PgnGame; // both of this set's formats give games
    const white = game.tags.get("WhiteElo");
    const black = game.tags.get("BlackElo");
    if (!hasMoves(game.movetext)) return leftOut("no moves");
    if (!isRating(white) || !isRating(black)) return leftOut("no Elo rating of both players");
    return pair(`chess_${index}`, { text: `${white}\n${black}\n` }, { text: game.movetext });
  },
};

const isRating = (tag: string | undefined): tag is string => tag !== undefined && /"\s*[0-9]+\s*"/.test(tag);

/** Whether anything but comments, move numbers, glyphs and the result is there. */
export function hasMoves(movetext: string): boolean {
  const bare = movetext.replace(/\{[^}]*\}|;[^\n]*/g, " ");
  const tokens = bare.match(/[^\s()]+/g) ?? [];
  return tokens.some((token) => /[a-hKQRBNO]/.test(token) || token === "--");
}
