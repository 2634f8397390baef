// The mathematics of the tree explorer. tests/browser holds every function against utils on random numbers.
// A tree is a list of (left, right) pairs, one an inner node, the root first: below V a word, V + i is inner node i.
import { finite, vocabularyProblem } from "./vocabulary.js";

export const REACH = 2;                              // the hidden vector's coordinates lie between -2 and 2

/** 1 / (1 + exp(-x)) (15.2.2). */
export const sigma = (x) => 1 / (1 + Math.exp(-x));

export const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Huffman's merges in order; equal counts by age: words by id, then merged nodes (utils.tree.huffman_merges). */
export function huffmanMerges(counts) {
  const V = counts.length, heap = counts.map((count, node) => [count, node]), merges = [];
  const rarest = () => {
    let best = 0;
    for (let i = 1; i < heap.length; i++) {
      const [count, node] = heap[i], [least, first] = heap[best];
      if (count < least || (count === least && node < first)) best = i;
    }
    return heap.splice(best, 1)[0];
  };
  while (heap.length > 1) {
    const [a, left] = rarest(), [b, right] = rarest();
    heap.push([a + b, V + merges.length]);
    merges.push([left, right]);
  }
  return merges;
}

/** The Huffman tree: the last merge is the root, inner node 0 (utils.tree.huffman_tree). */
export function huffmanTree(counts) {
  const V = counts.length, renamed = (node) => (node < V ? node : 3 * V - 2 - node);
  return huffmanMerges(counts).map((pair) => pair.map(renamed)).reverse();
}

/** The complete tree: depths differ by at most 1 (utils.tree.balanced_tree). */
export const balancedTree = (V) => Array.from({ length: V - 1 }, (_, i) => [2 * i + 1, 2 * i + 2].map(
  (node) => (node < V - 1 ? node + V : node - (V - 1))));

/** Word i to the left, the rest to the right: lesson 04's chain. */
export const chainTree = (V) => Array.from({ length: V - 1 }, (_, i) => [i, i < V - 2 ? V + i + 1 : V - 1]);

export const TREES = {
  D2L: () => balancedTree(8), balanced: (counts) => balancedTree(counts.length), Huffman: huffmanTree,
  chain: (counts) => chainTree(counts.length),
};

/** For each word its walk: the inner nodes from the root, and +1 for each turn to the left, -1 to the right. */
export function walksOf(children) {
  const V = children.length + 1, walks = [];
  const down = (node, nodes, signs) => {
    if (node < V) { walks[node] = { nodes, signs }; return; }
    children[node - V].forEach((child, side) => down(child, [...nodes, node - V], [...signs, side ? -1 : 1]));
  };
  down(V, [], []);
  return walks;
}

/** The chance that a walk passes each node, words first: the root's 1 is shared out at every inner node. */
export function passes(children, scores) {
  const V = children.length + 1, mass = new Array(2 * V - 1).fill(0), open = [V];
  mass[V] = 1;
  while (open.length) {
    const node = open.pop(), [left, right] = children[node - V], x = scores[node - V];
    mass[left] = mass[node] * sigma(x);
    mass[right] = mass[node] * sigma(-x);
    for (const child of [left, right]) if (child >= V) open.push(child);
  }
  return mass;
}

/** The steps of one walk: node, sign, score, sigma(score), sigma(sign score), error, the product so far (15.2.7). */
export function stepsOf(walk, scores) {
  let product = 1;
  return walk.nodes.map((node, j) => {
    const sign = walk.signs[j], score = scores[node], left = sigma(score), step = sigma(sign * score);
    product *= step;
    return { node, sign, score, left, step, error: left - (sign > 0 ? 1 : 0), product };
  });
}

const total = (counts) => counts.reduce((sum, count) => sum + count, 0);

/** Sum of p(w) (L(w) - 1). */
export const expectedDepth = (walks, counts) =>
  dot(counts, walks.map((walk) => walk.nodes.length)) / total(counts);

/** -sum p log2 p, in bits. */
export function entropyBits(counts) {
  const all = total(counts);
  return -counts.reduce((sum, count) => sum + (count / all) * Math.log2(count / all), 0);
}

/** Where to draw the nodes: words in the order of the leaves at 0 .. V - 1, parents in the middle; and the depths. */
export function layout(children) {
  const V = children.length + 1, x = [], depth = [];
  let next = 0;
  const place = (node, level) => {
    depth[node] = level;
    if (node < V) { x[node] = next++; return; }
    const [left, right] = children[node - V];
    place(left, level + 1);
    place(right, level + 1);
    x[node] = (x[left] + x[right]) / 2;
  };
  place(V, 0);
  return { x, depth, deepest: Math.max(...depth) };
}

/** Everything that is drawn, computed from the state. */
export function compute(state) {
  const { counts, words } = state, V = words.length, children = TREES[state.tree](counts), walks = walksOf(children);
  const scores = children.map((_, i) => dot(state.vectors[i], state.hidden)), mass = passes(children, scores);
  const all = total(counts), leaves = mass.slice(0, V), weights = [];
  for (let i = V - 2; i >= 0; i--) weights[i] = children[i].reduce((sum, n) => sum + rankOf(n, counts, weights), 0);
  return { V, children, walks, scores, mass, weights, total: all, spots: layout(children), sum: total(leaves),
    highest: Math.max(...leaves, ...counts.map((count) => count / all)),
    steps: stepsOf(walks[words.indexOf(state.word)], scores), depth: expectedDepth(walks, counts),
    entropy: entropyBits(counts),
    built: state.tree === "Huffman" && state.merges !== null ? state.merges : V - 1 };
}

/** The count of a word, or of all words below an inner node. */
export const rankOf = (node, counts, weights) => (node < counts.length ? counts[node] : weights[node - counts.length]);

/** What is wrong with a state, in one sentence, or null. The same rules as `problem` in tree_explorer.py. */
export function problemOf({ words, counts, tree, word, hidden, merges, vectors }) {
  const wrong = vocabularyProblem({ words, counts, word });
  if (wrong) return wrong;
  if (!(tree in TREES)) return `There is no tree “${tree}”.`;
  if (tree === "D2L" && words.length !== 8) {
    return `D2L’s tree has 8 leaves, this vocabulary ${words.length} words: “balanced” is that shape for any `
      + "number.";
  }
  if (hidden.length !== 2 || !hidden.every((x) => finite(x) && Math.abs(x) <= REACH)) {
    return `The hidden vector has two coordinates from −${REACH} to ${REACH}.`;
  }
  if (merges !== null && !(Number.isInteger(merges) && merges >= 0 && merges < words.length)) {
    return `${words.length} words take 0 to ${words.length - 1} merges, not ${merges}.`;
  }
  if (vectors.length < words.length - 1 || !vectors.every((u) => u.length === 2 && u.every(finite))) {
    return "Each inner node needs a vector of two coordinates.";
  }
  return null;
}
