/**
 * What a bench is: flags of its own, and a run that gives tables, one after another. The runner measures the machine's matrix products before
 * and after each of them. May not know: any bench.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../src/util/errors.js";

export interface Bench {
  /** One line for `--help`. */
  readonly about: string;
  /** Flags of its own by name: a placeholder and what it does; without a placeholder it is a switch. */
  readonly flags: Readonly<Record<string, { readonly value?: string; readonly help: string }>>;
  run(settings: Settings): AsyncIterable<Table>;
}

export interface Settings {
  /** Tiny sizes: does it run at all? Whatever is not named is made up. */
  readonly quick: boolean;
  /** Runs that count, after one that does not. */
  readonly runs: number;
  readonly threads: number;
  /** A flag's text; undefined where it is not given. */
  readonly text: (flag: string) => string | undefined;
  readonly given: (flag: string) => boolean;
  /** A line on standard error while it works. */
  readonly note: (text: string) => void;
}

export interface Table {
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly notes?: readonly string[];
  /** It is not as it should be: exit status 1. */
  readonly failed?: boolean;
}

/** One line of a table. */
export interface Figure {
  readonly work: string;
  readonly figure: number;
  readonly unit: string;
  readonly lowest: number;
  readonly highest: number;
  /** Operations a second that the work needs, in 10⁹; absent where multiplying is not the work. */
  readonly gigaflops?: number;
  /** Further cells by their header. */
  readonly more?: Readonly<Record<string, string>>;
}

/** @throws UserError  the flag is not given */
export function needed(settings: Settings, flag: string): string {
  const text = settings.text(flag);
  if (text !== undefined) return text;
  throw new UserError(`--${flag} is missing`, { remedy: "name it, or take --quick, which makes it up" });
}

/** @throws UserError  it is no whole number from 1 to 99999 */
export function countOf(text: string | undefined, flag: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UserError(`--${flag} takes a whole number from 1 to 99999`, { remedy: "give one" });
}

export const count = (settings: Settings, flag: string, otherwise: number): number =>
  countOf(settings.text(flag), flag, otherwise);

/** A folder that is gone when it is disposed, and when the process ends before. */
export function temporaryFolder(): Disposable & { readonly path: string; readonly at: (name: string) => string } {
  const path = mkdtempSync(join(tmpdir(), "tacit-bench-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  return {
    path,
    at: (name) => join(path, name),
    [Symbol.dispose]() {
      process.off("exit", remove);
      remove();
    },
  };
}
