/**
 * The body of a completion, in whichever of the two shapes an OpenAI-compatible server sends it.
 * May not know: what a verdict is.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object and …/completions/object
 */
import { z } from "zod";

const logprob = z.object({ token: z.string(), logprob: z.number() });

/** Of a token that was sampled, the likeliest ones at its place. */
const chatLogprobs = z.object({ content: z.array(z.object({ top_logprobs: z.array(logprob).nullish() })).nullish() });
/** The older API: one record {token: log-probability} a place. */
const plainLogprobs = z.object({ top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish() });

const usageSchema = z.object({ prompt_tokens: z.number().nonnegative(), completion_tokens: z.number().nonnegative() });

const bodySchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }).nullish(),
        text: z.string().nullish(),
        logprobs: z.unknown().optional(),
      }),
    )
    .min(1),
  usage: z.unknown().optional(),
});

export interface Reply {
  readonly text: string;
  /** `stop`, `length`, `content_filter` …, as the server says. */
  readonly finish: string | undefined;
  readonly refusal: string | undefined;
  /** Per generated token the likeliest ones and their log-probabilities; undefined where the server sends none. */
  readonly top: readonly (readonly (readonly [token: string, logprob: number])[])[] | undefined;
  readonly usage: { readonly input: number; readonly output: number } | undefined;
}

/** Undefined where the body is no completion. */
export function readReply(body: unknown): Reply | undefined {
  const parsed = bodySchema.safeParse(body);
  const choice = parsed.data?.choices[0];
  const text = choice?.message === undefined || choice.message === null ? choice?.text : choice.message.content;
  if (choice === undefined || (text === undefined && choice.message === undefined)) return undefined;
  const usage = usageSchema.safeParse(parsed.data?.usage).data;
  return {
    text: text ?? "",
    finish: choice.finish_reason ?? undefined,
    refusal: choice.message?.refusal || undefined,
    top: topOf(choice.logprobs),
    usage: usage === undefined ? undefined : { input: usage.prompt_tokens, output: usage.completion_tokens },
  };
}

function topOf(value: unknown): Reply["top"] {
  const chat = chatLogprobs.safeParse(value).data?.content;
  const places = chat?.flatMap(({ top_logprobs: top }) =>
    top?.length ? [top.map((t) => [t.token, t.logprob] as const)] : [],
  );
  if (places !== undefined) return places.length > 0 ? places : undefined;
  const plain = plainLogprobs
    .safeParse(value)
    .data?.top_logprobs?.flatMap((top) => (top === null ? [] : [Object.entries(top)]));
  return plain === undefined || plain.length === 0 ? undefined : plain;
}

/** The choice itself, which AlpacaEval keeps as `raw_completion`. */
export const choiceOf = (body: unknown): unknown =>
  (body as { readonly choices?: readonly unknown[] } | null)?.choices?.[0] ?? null;
