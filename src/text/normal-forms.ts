/**
 * Unicode's normal forms as Hugging Face's Rust core gives them.
 * May not know: tokenizers.
 */

export type NormalForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/**
 * Characters that Unicode gave a decomposition, a composition or a combining class after version 9, whose tables the Rust
 * core carries: to it they are characters without properties. Found by asking both about every code point, each
 * beside marks of a lower and a higher class; NFC, NFD, NFKC and NFKD together (tokenizers 0.23.2, Node 20.20 with Unicode 17).
 */
const late = [
  String.raw`\u{7fd}\u{897}-\u{89f}\u{8ca}-\u{8d3}\u{9fe}\u{c3c}\u{d3b}-\u{d3c}\u{eba}\u{1715}`,
  String.raw`\u{1abf}-\u{1add}\u{1ae0}-\u{1aeb}\u{1df6}-\u{1dfa}\u{32ff}\u{a7f1}-\u{a7f4}\u{a82c}\u{ab69}`,
  String.raw`\u{105c0}-\u{105ff}\u{10781}-\u{10785}\u{10787}-\u{107b0}\u{107b2}-\u{107ba}\u{10d24}-\u{10d27}`,
  String.raw`\u{10d69}-\u{10d6d}\u{10eab}-\u{10eac}\u{10efa}-\u{10efb}\u{10efd}-\u{10eff}\u{10f46}-\u{10f50}`,
  String.raw`\u{10f82}-\u{10f85}\u{11070}\u{1133b}\u{11380}-\u{113ff}\u{1145e}\u{11839}-\u{1183a}`,
  String.raw`\u{11930}-\u{11943}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11d42}\u{11d44}-\u{11d45}\u{11d97}`,
  String.raw`\u{11f41}-\u{11f42}\u{16100}-\u{1613f}\u{16d40}-\u{16d7f}\u{16ff0}-\u{16ff1}\u{1ccd6}-\u{1ccf9}`,
  String.raw`\u{1e030}-\u{1e06d}\u{1e08f}\u{1e130}-\u{1e136}\u{1e2ae}\u{1e2ec}-\u{1e2ef}\u{1e4ec}-\u{1e4ef}`,
  String.raw`\u{1e5ee}-\u{1e5ef}\u{1e6e3}\u{1e6e6}\u{1e6ee}-\u{1e6ef}\u{1e6f5}\u{1f16c}\u{1fbf0}-\u{1fbf9}`,
].join("");
const lateCharacter = new RegExp(`[${late}]`, "u");
const lateRuns = new RegExp(`([${late}]+)`, "u");

/** A late character is left as it is, and what stands before and after it never combine. */
export function normalizeAsRust(text: string, form: NormalForm): string {
  if (!lateCharacter.test(text)) return text.normalize(form);
  const parts = text.split(lateRuns); // runs stand at odd places
  return parts.map((part, i) => (i % 2 === 1 ? part : part.normalize(form))).join("");
}
