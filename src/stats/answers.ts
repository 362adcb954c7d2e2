/**
 * What can be said of answers without judging them: does the model end by itself, does it repeat the question, does it continue with
 * the other side of the dialogue?
 * May not know: models, files.
 */

export interface Answer {
  readonly instruction: string;
  readonly output: string;
  readonly tokens: number;
  readonly stop: "eos" | "length";
}

export interface AnswerCounts {
  readonly answers: number;
  /** Ended by themselves. */
  readonly stopped: number;
  /** Hold the whole instruction again, letter case and white space aside. */
  readonly echoes: number;
  /** Hold one of the template's tags. */
  readonly tags: number;
  readonly empty: number;
  readonly meanTokens: number | undefined;
}

export function countAnswers(answers: readonly Answer[], tags: readonly string[]): AnswerCounts {
  const how = (test: (answer: Answer) => boolean): number => answers.filter(test).length;
  return {
    answers: answers.length,
    stopped: how(({ stop }) => stop === "eos"),
    echoes: how(({ instruction, output }) => echoes(instruction, output)),
    tags: how(({ output }) => tags.some((tag) => output.includes(tag))),
    empty: how(({ output }) => output.trim() === ""),
    meanTokens:
      answers.length === 0 ? undefined : answers.reduce((sum, { tokens }) => sum + tokens, 0) / answers.length,
  };
}

/** Whether `output` repeats `instruction` word for word. An empty instruction is not repeated by anything. */
export function echoes(instruction: string, output: string): boolean {
  const wanted = folded(instruction);
  return wanted !== "" && folded(output).includes(wanted);
}

const folded = (text: string): string => text.toLowerCase().replace(/\s+/gu, " ").trim();
