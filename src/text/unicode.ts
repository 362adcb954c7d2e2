/**
 * The few Unicode notions on which JavaScript differs from Rust's and Python's.
 * May not know: tokenizers, templates.
 */

/**
 * Without the Unicode white space at both ends. (JavaScript's `trim` takes U+FEFF for white space and U+0085 not;
 * Unicode's White_Space says the reverse.)
 */
export function trimWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** All 25 characters of the property are single UTF-16 units. */
export function isWhiteSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/** Whether the character is part of a word in the sense of a regular expression's `\w` (Unicode, as Rust's `regex`). */
export function isWordCharacter(character: string): boolean {
  return /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u.test(character);
}

/** Lone surrogates, which no UTF-8 text can hold, become U+FFFD as they do on the way into Rust or Python. */
export function wellFormed(text: string): string {
  return loneSurrogate.test(text) ? text.replace(loneSurrogates, "\uFFFD") : text;
}

const loneSurrogate = /\p{Surrogate}/u;
const loneSurrogates = /\p{Surrogate}/gu;
