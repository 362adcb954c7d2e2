/**
 * Text that names options: `--micro-tokens 512` on the command line, `micro_tokens: 512` in a file, `microTokens: 512` in a script. Whoever
 * writes it names the option, and the surface that shows it spells the name.
 * May not know: any option, any surface.
 */

/** An option by its name in scripts, and a value of it where one is meant. */
export interface Mention {
  readonly option: string;
  readonly value?: string | number | boolean;
}
export type Words = string | readonly (string | Mention)[];
export type Spelling = (mention: Mention) => string;

export const option = (name: string, value?: Mention["value"]): Mention =>
  value === undefined ? { option: name } : { option: name, value };

const partsOf = (text: Words): readonly (string | Mention)[] => (typeof text === "string" ? [text] : text);

/** `` words`pass ${option("batch", 4)}` `` */
export const words = (texts: TemplateStringsArray, ...parts: readonly (Words | Mention | number)[]): Words =>
  texts.flatMap((text, i) => {
    const part = parts[i] ?? "";
    if (typeof part === "number") return [text, String(part)];
    return [text, ...(typeof part === "object" && "option" in part ? [part] : partsOf(part))];
  });

/** `microTokens`, and with a value `microTokens: 512`. */
export const asInScripts: Spelling = ({ option: name, value }) =>
  value === undefined ? name : `${name}: ${typeof value === "string" ? JSON.stringify(value) : value}`;

export const spelled = (text: Words, spelling: Spelling = asInScripts): string =>
  partsOf(text)
    .map((part) => (typeof part === "string" ? part : spelling(part)))
    .join("");

/** The first option that is named. */
export const firstOption = (text: Words): string | undefined =>
  partsOf(text).find((part): part is Mention => typeof part !== "string")?.option;

export const joined = (texts: readonly Words[], separator: string): Words =>
  texts.flatMap((text, i) => [...(i === 0 ? [] : [separator]), ...partsOf(text)]);
