/**
 * Two of the three kinds of failure. The third, a recorded outcome, is a typed value in a record and never an exception.
 * May not know: anything of the domain.
 */
import { firstOption, option, type Spelling, spelled, type Words, words } from "./words.js";

/**
 * The user's mistake: shown as one line with its remedy, exit code 2, no stack. Options in it are named, and spelled as scripts write them
 * until a surface spells them its own way.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly remedy: string | undefined;
  /** The option it is about, by its name in scripts. */
  readonly option: string | undefined;
  /** It lies in what the machine had free at that moment: the same may succeed a little later. */
  readonly passing: boolean;
  readonly #message: Words;
  readonly #remedy: Words | undefined;

  constructor(message: Words, options: { remedy?: Words | undefined; cause?: unknown; passing?: boolean } = {}) {
    super(spelled(message), options.cause === undefined ? undefined : { cause: options.cause });
    const { remedy, passing = false } = options;
    this.#message = message;
    this.#remedy = remedy;
    this.remedy = remedy === undefined ? undefined : spelled(remedy);
    this.option = firstOption(message) ?? firstOption(remedy ?? "");
    this.passing = passing;
  }

  /** The one line that a person sees. */
  get line(): string {
    return this.remedy === undefined ? this.message : `${this.message}; ${this.remedy}`;
  }

  /** Both parts as a surface spells the options in them. */
  spelled(spelling?: Spelling): { readonly message: string; readonly remedy: string | undefined } {
    const remedy = this.#remedy;
    return {
      message: spelled(this.#message, spelling),
      remedy: remedy === undefined ? undefined : spelled(remedy, spelling),
    };
  }
}

/** Our mistake: a condition that this program guarantees does not hold. Shown with its stack, exit code 1. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(`internal: ${message}`);
}

/** The value, where this program guarantees that there is one. */
export function present<T>(value: T | undefined | null, what: string): T {
  invariant(value !== undefined && value !== null, `${what} is missing`);
  return value;
}

/** Raised where the person pressed Ctrl-C and what was finished has been kept. Exit code 130. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** A short reason out of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// What the operating system says of a path or a disk that the user named.
const systemErrors: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOENT: ["no such file or folder", "check the path"],
  EACCES: ["permission denied", "check who may read and write it"],
  EPERM: ["not permitted", "check who may read and write it"],
  EEXIST: ["stands where a folder should be", "name another path"],
  EISDIR: ["is a folder, not a file", "name a file"],
  ENOTDIR: ["not a folder", "check the path"],
  ENOTEMPTY: ["is a folder with files in it", "name another path"],
  ELOOP: ["its links lead in a circle", "check the path"],
  ENOSPC: ["no space left on the disk", "free some, or write elsewhere"],
  EDQUOT: ["the quota of the disk is used up", "free some, or write elsewhere"],
  EFBIG: ["the file would be larger than the disk allows", "write elsewhere"],
  EIO: ["the disk could not be read or written", "check the disk"],
  EROFS: ["the disk is read-only", "write elsewhere"],
  EMFILE: ["too many open files", "raise the limit (ulimit -n)"],
  ENAMETOOLONG: ["the name is too long", "choose a shorter one"],
};

export const outOfMemory = (cause: unknown): UserError =>
  new UserError("out of memory", {
    remedy: words`compute less at once (${option("batch")}, ${option("microTokens")}), take a smaller model, or free some`,
    cause,
    passing: true,
  });

/** The same error; one of the system that does not say which file it was about (reads and writes do not) says it now. */
export function withPath(error: unknown, path: string): unknown {
  if (error instanceof Error && "syscall" in error && !("path" in error)) Object.assign(error, { path });
  return error;
}

/** A file is renamed from a temporary name: what is in its way stands at the other one, which is also the one that people know. */
const pathOf = ({ code, path, dest }: NodeJS.ErrnoException & { readonly dest?: string }): string | undefined =>
  code === "ENOENT" ? path : (dest ?? path);

/** What others may give back. */
const PASSING: readonly string[] = ["ENOSPC", "EDQUOT", "EMFILE"];

/** The error as the user's mistake, where it is one: a `UserError`, or a file or memory that the system would not give us. */
export function userErrorOf(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  if (error instanceof RangeError && /array buffer allocation failed/i.test(error.message)) return outOfMemory(error);
  if (!(error instanceof Error) || !("syscall" in error)) return undefined;
  const { code = "" } = error as NodeJS.ErrnoException;
  const path = pathOf(error as NodeJS.ErrnoException);
  const [what, remedy] = systemErrors[code] ?? [];
  if (what === undefined || remedy === undefined) return undefined;
  return new UserError(path === undefined ? what : `${path}: ${what}`, {
    remedy,
    cause: error,
    passing: PASSING.includes(code),
  });
}
