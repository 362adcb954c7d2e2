/** The names of length-controlled fits. Loads no package, as a command's help must not. */

/**
 * `length`: our own, for verdicts of any kind. AlpacaEval's: `v1`; `noreg`, without the gamed rows; `minimal`, without the difficulty, too.
 */
export const lcModels = ["length", "v1", "noreg", "minimal"] as const;
export type LcModel = (typeof lcModels)[number];
/** What a person may ask for. */
export const lcChoices = [...lcModels, "none"] as const;
export type LcChoice = (typeof lcChoices)[number];
