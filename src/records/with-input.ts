/** Alpaca's `input`, wherever a row has one: `data` reads it and `judge` pairs by it. Loads no package, as a command's help must not. */

/** The input follows the instruction after a blank line. */
export const withInput = (instruction: string, input: string): string =>
  input === "" ? instruction : `${instruction}\n\n${input}`;
