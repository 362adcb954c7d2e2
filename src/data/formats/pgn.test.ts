import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import type { RawRecord } from "../record.js";
import { type PgnGame, readPgn, readPgnRows } from "./pgn.js";

const files = temporaryFolder();
const games = async (source: AsyncGenerator<RawRecord[]>) => {
  const records: RawRecord[] = [];
  for await (const batch of source) records.push(...batch);
  return records.map((r) => {
    if (r.kind === "bad") return [r.at.line, r.reason];
    const { tags, movetext } = r.value as PgnGame;
    return [r.at.line, [...tags.values()].join(""), movetext];
  });
};
const read = (text: string | Uint8Array) => games(readPgn(files.write("x.pgn", text)));

describe("readPgn", () => {
  it("keeps one line of movetext as it is, comments, glyphs and result included", async () => {
    const movetext = "1. e4 { [%clk 0:01:00] } 1... c5?! { [%eval 0.2] } 2. Nf3  1-0";
    expect(await read(`\n[Event "A"]\n[WhiteElo "1"]\n\n${movetext}\n\n\n\n[Event "B"]\n\n0-1\n\n\n`)).toEqual([
      [2, '[Event "A"][WhiteElo "1"]', movetext],
      [9, '[Event "B"]', "0-1"],
    ]);
  });

  it("joins wrapped movetext with spaces, CRLF or not", async () => {
    expect(await read('[Event "A"]\r\n\r\n1.e4 c5 2.c3\r\nNf6 3.e5  1-0\r\n\r\n[Event "B"]\r\n\r\n1.d4\r\n')).toEqual([
      [1, '[Event "A"]', "1.e4 c5 2.c3 Nf6 3.e5  1-0"],
      [6, '[Event "B"]', "1.d4"],
    ]);
  });

  it("keeps a rest-of-line comment from swallowing the next line; escape lines are no movetext", async () => {
    expect(await read('[Event "A"]\n\n1. e4 ; best { by test\n% an escape\ne5 *\n')).toEqual([
      [1, '[Event "A"]', "1. e4 ; best { by test\ne5 *"],
    ]);
  });

  it("does not mistake a bracket in a comment for a tag", async () => {
    expect(await read('[Event "A"]\n\n1. e4 { see\n[White "x"]\n\nthere } e5 *\n[Event "B"]\n\n1. d4 *\n')).toEqual([
      [1, '[Event "A"]', '1. e4 { see [White "x"] there } e5 *'],
      [7, '[Event "B"]', "1. d4 *"],
    ]);
  });

  it("reports an open comment, a second tag of a name, an open tag and bytes that are no text, each at its game", async () => {
    const text = Buffer.concat([
      Buffer.from(
        '[Event "A"]\n\n1. e4 { never closed\n\n[Event "B"]\n[Event "B"]\n\n1. e4 *\n\n[Event "C"]\n[Site "x\n\n*\n\n',
      ),
      Buffer.from('[Event "R'),
      Buffer.from([0xe9]),
      Buffer.from('ti"]\n\n*\n\n[Event "E"]\n\n*\n'),
    ]);
    expect(await read(text)).toEqual([
      [1, "a comment { is never closed"],
      [5, "line 6: a second [Event] tag"],
      [10, "line 11: a tag that is not closed"],
      [15, expect.stringMatching(/^line 15: not valid UTF-8/)],
      [19, '[Event "E"]', "*"],
    ]);
  });

  it("reads one PGN line a row of a Parquet file", async () => {
    expect(await games(readPgnRows("test/fixtures/data/pgn.parquet"))).toEqual([
      [1, '[Event "Ours"][WhiteElo "1500"][BlackElo "1600"]', "1. e4 e5 2. Nf3 1-0"],
      [7, '[Event "Ours"][WhiteElo "1500"][BlackElo "?"]', "1. d4 0-1"],
    ]);
  });
});
