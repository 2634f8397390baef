// Trees over a vocabulary, as figures offer them. tests/browser holds them against utils.
// A tree is a list of (left, right) pairs, one an inner node, the root first: below V a word, V + i
// is
// inner node i.
import { finite, vocabularyProblem } from "./vocabulary.js";

/** 1 / (1 + exp(-x)) (15.2.2). */
export const sigma = (x) => 1 / (1 + Math.exp(-x));

export const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/**
 * Huffman's merges in order; equal counts by age: words by id, then merged nodes
 * (utils.tree.huffman_merges).
 */
export function huffmanMerges(counts) {
  const V = counts.length;
  const heap = counts.map((count, node) => [count, node]);
  const merges = [];
  const rarest = () => {
    let best = 0;
    for (let i = 1; i < heap.length; i++) {
      const [count, node] = heap[i];
      const [least, first] = heap[best];
      if (count < least || (count === least && node < first)) best = i;
    }
    return heap.splice(best, 1)[0];
  };
  while (heap.length > 1) {
    const [a, left] = rarest();
    const [b, right] = rarest();
    heap.push([a + b, V + merges.length]);
    merges.push([left, right]);
  }
  return merges;
}

/** The Huffman tree: the last merge is the root, inner node 0 (utils.tree.huffman_tree). */
export function huffmanTree(counts) {
  const V = counts.length;
  const renamed = (node) => (node < V ? node : 3 * V - 2 - node);
  return huffmanMerges(counts)
    .map((pair) => pair.map(renamed))
    .reverse();
}

/** The complete tree: depths differ by at most 1 (utils.tree.balanced_tree). */
export const balancedTree = (V) =>
  Array.from({ length: V - 1 }, (_, i) =>
    [2 * i + 1, 2 * i + 2].map((node) => (node < V - 1 ? node + V : node - (V - 1))),
  );

/** Word i to the left, the rest to the right: lesson 04's chain. */
export const chainTree = (V) =>
  Array.from({ length: V - 1 }, (_, i) => [i, i < V - 2 ? V + i + 1 : V - 1]);

export const TREES = {
  D2L: () => balancedTree(8),
  balanced: (counts) => balancedTree(counts.length),
  Huffman: huffmanTree,
  chain: (counts) => chainTree(counts.length),
};

/**
 * For each word its walk: the inner nodes from the root, and +1 for each turn to the left, -1 to
 * the right.
 */
export function walksOf(children) {
  const V = children.length + 1;
  const walks = [];
  const down = (node, nodes, signs) => {
    if (node < V) {
      walks[node] = { nodes, signs };
      return;
    }
    children[node - V].forEach((child, side) =>
      down(child, [...nodes, node - V], [...signs, side ? -1 : 1]),
    );
  };
  down(V, [], []);
  return walks;
}

/** What is wrong with a vocabulary and its tree, in one sentence, or null. As in trees.py. */
export function treeProblem({ words, counts, word, tree }) {
  const wrong = vocabularyProblem({ words, counts, word });
  if (wrong) return wrong;
  if (!(tree in TREES)) return `There is no tree “${tree}”.`;
  if (tree === "D2L" && words.length !== 8) {
    return (
      `D2L’s tree has 8 leaves, this vocabulary ${words.length} words: ` +
      "“balanced” is that shape for any number."
    );
  }
  return null;
}

/** What is wrong with the vectors of a tree's inner nodes, in one sentence, or null. */
export function vectorsProblem(vectors, size) {
  const right = vectors.every((u) => u.length === 2 && u.every(finite));
  if (vectors.length < size - 1 || !right) {
    return "Each inner node needs a vector of two coordinates.";
  }
  return null;
}
