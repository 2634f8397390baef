// The mathematics of the tree explorer. tests/browser holds every function against utils on random
// numbers.
// A tree is a list of (left, right) pairs, one an inner node, the root first: below V a word, V + i
// is inner node i.
import { dot, sigma, TREES, treeProblem, vectorsProblem, walksOf } from "../common/trees.js";
import { finite } from "../common/vocabulary.js";

export const REACH = 2; // the hidden vector's coordinates lie between -2 and 2

/**
 * The chance that a walk passes each node, words first: the root's 1 is shared out at every inner
 * node.
 */
export function passes(children, scores) {
  const V = children.length + 1;
  const mass = new Array(2 * V - 1).fill(0);
  const open = [V];
  mass[V] = 1;
  while (open.length) {
    const node = open.pop();
    const [left, right] = children[node - V];
    const x = scores[node - V];
    mass[left] = mass[node] * sigma(x);
    mass[right] = mass[node] * sigma(-x);
    for (const child of [left, right]) if (child >= V) open.push(child);
  }
  return mass;
}

/**
 * The steps of one walk: node, sign, score, sigma(score), sigma(sign score), error, the product so
 * far (15.2.7).
 */
export function stepsOf(walk, scores) {
  let product = 1;
  return walk.nodes.map((node, j) => {
    const sign = walk.signs[j];
    const score = scores[node];
    const left = sigma(score);
    const step = sigma(sign * score);
    product *= step;
    return { node, sign, score, left, step, error: left - (sign > 0 ? 1 : 0), product };
  });
}

const total = (counts) => counts.reduce((sum, count) => sum + count, 0);

/** Sum of p(w) (L(w) - 1). */
export const expectedDepth = (walks, counts) =>
  dot(
    counts,
    walks.map((walk) => walk.nodes.length),
  ) / total(counts);

/** -sum p log2 p, in bits. */
export function entropyBits(counts) {
  const all = total(counts);
  return -counts.reduce((sum, count) => sum + (count / all) * Math.log2(count / all), 0);
}

/**
 * Where to draw the nodes: words in the order of the leaves at 0 .. V - 1, parents in the middle;
 * and the depths.
 */
export function layout(children) {
  const V = children.length + 1;
  const x = [];
  const depth = [];
  let next = 0;
  const place = (node, level) => {
    depth[node] = level;
    if (node < V) {
      x[node] = next++;
      return;
    }
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
  const { counts, words } = state;
  const V = words.length;
  const children = TREES[state.tree](counts);
  const walks = walksOf(children);
  const scores = children.map((_, i) => dot(state.vectors[i], state.hidden));
  const mass = passes(children, scores);
  const all = total(counts);
  const leaves = mass.slice(0, V);
  const weights = [];
  for (let i = V - 2; i >= 0; i--)
    weights[i] = children[i].reduce((sum, n) => sum + rankOf(n, counts, weights), 0);
  return {
    V,
    children,
    walks,
    scores,
    mass,
    weights,
    total: all,
    spots: layout(children),
    sum: total(leaves),
    highest: Math.max(...leaves, ...counts.map((count) => count / all)),
    steps: stepsOf(walks[words.indexOf(state.word)], scores),
    depth: expectedDepth(walks, counts),
    entropy: entropyBits(counts),
    built: state.tree === "Huffman" && state.merges !== null ? state.merges : V - 1,
  };
}

/** The count of a word, or of all words below an inner node. */
export const rankOf = (node, counts, weights) =>
  node < counts.length ? counts[node] : weights[node - counts.length];

/** What is wrong with a state, in one sentence, or null. As in explorer.py. */
export function problemOf({ words, counts, tree, word, hidden, merges, vectors }) {
  const wrong = treeProblem({ words, counts, word, tree });
  if (wrong) return wrong;
  if (hidden.length !== 2 || !hidden.every((x) => finite(x) && Math.abs(x) <= REACH)) {
    return `The hidden vector has two coordinates from −${REACH} to ${REACH}.`;
  }
  if (merges !== null && !(Number.isInteger(merges) && merges >= 0 && merges < words.length)) {
    return `${words.length} words take 0 to ${words.length - 1} merges, not ${merges}.`;
  }
  return vectorsProblem(vectors, words.length);
}
