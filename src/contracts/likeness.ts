/**
 * What a subject looks like to somebody who reads a list. Two seats of one issuer at a contract never look alike: a name in another case, in another
 * normal form, in full width, or with Cyrillic or Greek letters for Latin ones would be taken for the first one's (`seat_likeness`).
 * A small table of our own, of lower-case letters, instead of all of UTS 39: 0/O and 1/l stay apart, because identifiers are full of them.
 */

const lookalikes = new Map(
  Object.entries({
    // Cyrillic
    ...{ а: "a", в: "b", с: "c", ԁ: "d", е: "e", һ: "h", н: "h", і: "i", ј: "j", к: "k", ӏ: "l", м: "m" },
    ...{ о: "o", р: "p", ԛ: "q", г: "r", ѕ: "s", т: "t", ѵ: "v", ԝ: "w", х: "x", у: "y" },
    // Greek
    ...{ α: "a", β: "b", ε: "e", η: "n", ι: "i", κ: "k", ν: "v", ο: "o", ρ: "p", τ: "t", υ: "u", χ: "x", ζ: "z" },
    // Latin
    ...{ ı: "i", ɑ: "a", ɡ: "g" },
  }),
);

export function likenessOf(subject: string): string {
  // Upper case first: some letters have their lower case only by it (ẞ, and Σ at the end of a word).
  const folded = subject.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  return Array.from(folded, (letter) => lookalikes.get(letter) ?? letter).join("");
}
