/** The slow, obvious judge of `src/text/llama2c.ts`: llama2.c's `encode` as its README and `run.c` describe it. */

interface Vocabulary {
  readonly scores: number[];
  readonly ids: Map<string, number>;
}

function readVocabulary(bytes: Buffer): Vocabulary {
  const scores: number[] = [];
  const ids = new Map<string, number>();
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    ids.set(bytes.toString("latin1", at + 8, at + 8 + length), scores.length);
    scores.push(bytes.readFloatLE(at));
    at += 8 + length;
  }
  return { scores, ids };
}

/** Pieces are compared byte by byte, hence the Latin-1 strings. */
export function llama2cEncodeSlowly(bytes: Buffer, text: string): number[] {
  const { scores, ids } = readVocabulary(bytes);
  const pieces = [...ids.keys()];
  const row: number[] = [];
  for (const character of text === "" ? "" : ` ${text}`) {
    const utf8 = Buffer.from(character, "utf8");
    const id = ids.get(utf8.toString("latin1"));
    row.push(...(id === undefined ? [...utf8].map((byte) => byte + 3) : [id]));
  }
  for (;;) {
    let best = { score: Number.NEGATIVE_INFINITY, at: -1, id: -1 };
    for (let i = 0; i + 1 < row.length; i++) {
      const id = ids.get(pieces[row[i]!]! + pieces[row[i + 1]!]!);
      if (id !== undefined && scores[id]! > best.score) best = { score: scores[id]!, at: i, id };
    }
    if (best.at === -1) return [1, ...row];
    row.splice(best.at, 2, best.id);
  }
}
