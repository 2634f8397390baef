// A vocabulary of 8 to 64 words with their counts: its rules, and the field in which a reader gives
// another one.
import { button, el } from "./base.js";

export const finite = (x) => typeof x === "number" && Number.isFinite(x);

/** What is wrong with words, counts and the chosen word, or null. As `problem` in vocabulary.py. */
export function vocabularyProblem({ words, counts, word }) {
  if (words.length < 8 || words.length > 64)
    return `This figure takes 8 to 64 words, not ${words.length}.`;
  if (words.length !== counts.length)
    return `There are ${words.length} words but ${counts.length} counts.`;
  const odd = words.find((name) => !name.trim() || name.length > 30);
  if (odd !== undefined) return `“${odd}” is no word for this figure: a word has 1 to 30 letters.`;
  const twice = words.find((name, i) => words.indexOf(name) !== i);
  if (twice !== undefined) return `The word “${twice}” stands there twice.`;
  const bad = counts.findIndex((count) => !Number.isInteger(count) || count < 1 || count > 1e9);
  if (bad >= 0) {
    const what = finite(counts[bad]) ? `is ${counts[bad]}` : "is missing or no number";
    return `The count of ${words[bad]} ${what}: a count is a whole number from 1 to 1,000,000,000.`;
  }
  if (words.includes(word)) return null;
  const more = words.length > 12 ? ", …" : "";
  return `“${word}” is not among the ${words.length} words: ${words.slice(0, 12).join(", ")}${more}`;
}

/**
 * A list to edit, one word and its count a line: {node}. `more(words)` gives what else changes with
 * the words.
 */
export function vocabularyField(figure, more = () => ({})) {
  const list = el("textarea", {
    spellcheck: "false",
    "aria-label": "one word and its count on each line",
  });
  const fill = () => {
    list.value = figure.state.words
      .map((word, i) => `${word} ${figure.state.counts[i]}`)
      .join("\n");
  };
  const use = () => {
    const lines = list.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean)
      .map((line) => line.match(/^(.*?)\s+(\S+)$/)?.slice(1) ?? [line, "no number"]);
    const words = lines.map(([word]) => word);
    const { word } = figure.state;
    figure.change(
      {
        words,
        counts: lines.map(([, count]) => Number(count)),
        word: words.includes(word) || !words.length ? word : words[0],
        ...more(words),
      },
      true,
      row,
    );
  };
  const row = el("div", { class: "at-row" }, button("Use these words", use));
  const node = el(
    "details",
    { ontoggle: fill },
    el("summary", {}, "A vocabulary of your own"),
    el("p", { class: "at-quiet" }, "8 to 64 lines, each a word and its count"),
    list,
    row,
  );
  return { node };
}
