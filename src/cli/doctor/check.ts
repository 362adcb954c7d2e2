/** What a check of `tacit doctor` says. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do about it; absent where nothing needs doing. */
  readonly remedy?: string;
}
