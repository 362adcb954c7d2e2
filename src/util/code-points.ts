/** How long a text is to a person who counts characters, as Python counts them. */

const SURROGATE = /[\ud800-\udfff]/;

/** Unicode code points, as Python counts: two halves of a surrogate pair are one. */
export function codePoints(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count--;
      i++;
    }
  }
  return count;
}
