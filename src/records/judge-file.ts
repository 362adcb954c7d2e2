/**
 * A judge as an object: who is asked, with which prompt, in which order, and how a reply becomes a verdict. What a person writes in
 * YAML; every default is filled in here. What decides a reply or a verdict is hashed (`src/judge/judge-file.ts`); `limits`, `price`,
 * `base_url` and the name of the key's variable are not.
 * May not know: how anything is asked.
 */
import { z } from "zod";

/** Two marker tokens, for the answer shown first and the one shown second; a third, if any, for a tie. AlpacaEval's are m and M. */
const markers = z
  .array(z.string().min(1).max(40))
  .min(2)
  .max(3)
  .refine((list) => new Set(list).size === list.length, "markers must differ");

const pattern = z.string().refine(isPattern, "not a regular expression");

/** How the text of a sampled reply becomes a verdict. */
export const parserSchema = z.union([
  /** `markers`: the marker that stands alone on a line or is the value of a key. `ranking`: AlpacaEval's list of {model, rank}. `scores`: two numbers in line 1. */
  z.enum(["markers", "ranking", "scores"]),
  /** Regular expressions; the last match of any counts. */
  z.strictObject({ first: pattern, second: pattern, tie: pattern.optional() }),
]);
export type VerdictParser = z.infer<typeof parserSchema>;

/** US dollars per million tokens. */
const price = z.number().nonnegative().max(1e9);
export const priceSchema = z.strictObject({ input: price, output: price });
export type Price = z.infer<typeof priceSchema>;

/** By model name. */
export const priceTableSchema = z.record(z.string(), priceSchema);

const perMinute = z.number().positive().max(1e9);

export const limitsSchema = z.strictObject({
  /** Calls under way at a time. */
  concurrency: z.number().int().min(1).max(256).default(8),
  requests_per_minute: perMinute.optional(),
  tokens_per_minute: perMinute.optional(),
  /** Of one request, from its first byte out to its last byte in. */
  timeout_seconds: z.number().positive().max(3600).default(120),
  /** Further requests for a call that got no reply. */
  retries: z.number().int().min(0).max(100).default(6),
  /** Before the first retry at most this long, twice as long before each further one, half of it by chance. */
  backoff_seconds: z.number().nonnegative().max(600).default(0.5),
});
export type Limits = z.infer<typeof limitsSchema>;

/** `both`: each pair is judged in both orders. `alpaca_eval`: in one, hash-random by instruction, as AlpacaEval's. */
export const orderSchema = z.enum(["both", "alpaca_eval"]);
export type Order = z.infer<typeof orderSchema>;

/** `skip`: a pair with an empty output has no verdict. `ask`: it is judged as any other (AlpacaEval). */
export const emptySchema = z.enum(["skip", "ask"]);

const name = z
  .string()
  .regex(/^[\w.-]{1,100}$/, "letters, digits, dots, dashes and underscores only")
  .optional();

const base = { version: z.literal(1).default(1), name };

const asking = {
  ...base,
  order: orderSchema.default("both"),
  empty: emptySchema.default("skip"),
  verdict: z.enum(["logprobs", "sampled"]),
  markers: markers.default(["m", "M"]),
  parser: parserSchema.default("markers"),
  /** Read replies as AlpacaEval does: markers by the exact text of a token, patterns that match once, reasoning not cut off. */
  compat: z.literal("alpaca_eval").optional(),
  /** Of a reply with log-probabilities, which token is the verdict. */
  position: z.enum(["first", "last"]).default("first"),
  /** Replies per pair and order; a sampled verdict is their mean. */
  votes: z.number().int().min(1).max(99).default(1),
  /** A prompt file, relative to the judge file; without: Tacit's own prompt. */
  prompt_file: z.string().min(1).optional(),
  /** `escape`: an output cannot contain a prompt file's delimiters or a chat's control tokens. `verbatim`: it goes in as it is. */
  outputs: z.enum(["escape", "verbatim"]).default("escape"),
};

export const openaiJudgeSchema = z.strictObject({
  ...asking,
  kind: z.literal("openai"),
  base_url: z.string().superRefine(checkUrl),
  model: z.string().min(1),
  api: z.enum(["chat", "completions"]).default("chat"),
  api_key_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable, not a key")
    .optional(),
  /** Sent as they are, over the defaults; null takes a default away. */
  parameters: z.record(z.string(), z.json()).default({}),
  limits: limitsSchema.prefault({}),
  price: priceSchema.optional(),
});
export type OpenaiJudge = z.infer<typeof openaiJudgeSchema>;

/** Replies by a fixed rule, for tests and for seeing what a biased judge does: it takes the same way as any reply. */
export const scriptedJudgeSchema = z.strictObject({
  ...asking,
  kind: z.literal("scripted"),
  verdict: z.literal("sampled").default("sampled"),
  /** Which answer it names, or what it says instead. */
  prefers: z.enum(["longer", "shorter", "first", "second", "nothing"]),
});
export type ScriptedJudge = z.infer<typeof scriptedJudgeSchema>;

/** A program scores each answer by itself; the higher score wins. */
export const checkerJudgeSchema = z.strictObject({
  ...base,
  empty: emptySchema.default("skip"),
  kind: z.literal("checker"),
  checker: z.string().min(1),
  /** JSON lines with `instruction` and whatever else the checker needs to know of it, relative to the judge file. */
  prompts: z.array(z.string().min(1)).min(1).optional(),
  /** Scores no further apart than this are a draw. */
  draw: z.number().nonnegative().default(0),
});
export type CheckerJudge = z.infer<typeof checkerJudgeSchema>;

/** Human votes: a file of annotations, relative to the judge file; several votes on a pair are averaged. */
export const votesJudgeSchema = z.strictObject({
  ...base,
  empty: emptySchema.default("ask"),
  kind: z.literal("votes"),
  file: z.string().min(1),
  /** What a preference of 1 means: on `1..2` that output_1 wins, on `0..1` that output_2 does. Without: 1..2, unless the file speaks against it. */
  scale: z.enum(["1..2", "0..1"]).optional(),
});
export type VotesJudge = z.infer<typeof votesJudgeSchema>;

export const judgeSchema = z.discriminatedUnion("kind", [
  openaiJudgeSchema,
  scriptedJudgeSchema,
  checkerJudgeSchema,
  votesJudgeSchema,
]);
export type Judge = z.infer<typeof judgeSchema>;
/** What a person writes: only what has no default. */
export type JudgeInput = z.input<typeof judgeSchema>;

/** Judges that are asked with a prompt and answer with a reply. */
export type AskedJudge = OpenaiJudge | ScriptedJudge;

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

/** An address that may stand in a record: http or https, and nothing in it that could be a secret. */
function checkUrl(text: string, context: z.core.$RefinementCtx<string>): void {
  const complain = (message: string): void => void context.addIssue({ code: "custom", message });
  if (!URL.canParse(text)) {
    complain("not an address; write it like http://127.0.0.1:8000/v1");
    return;
  }
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) complain("must begin with http:// or https://");
  if (url.username !== "" || url.password !== "") complain("holds a password; keys come from the environment");
  if (url.search !== "" || url.hash !== "") complain("must end with the path, as in …/v1");
}
