// The mathematics of the gradient inspector. tests/browser holds it against utils, autograd and SGD
// on random numbers.
import { dot, sigma, treeProblem, TREES, vectorsProblem, walksOf } from "../common/trees.js";

export const METHODS = {
  full: "full softmax",
  ns: "negative sampling",
  hs: "hierarchical softmax",
};
export const LIMIT = 20;
export const SLOWEST = 0.01;
export const FASTEST = 100;
export const MOST_STEPS = 100;
export const MOST_NOISE = 10;
const PAIR = ["centre", "context", "negatives", "rate"];

/** The noise distribution q(w), proportional to count to the power 0.75 (utils.noise). */
export function noiseOf(counts) {
  const weights = counts.map((count) => count ** 0.75);
  const all = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / all);
}

/**
 * The word that a uniform number from 0 to 1 draws: the first whose running sum of q is above it.
 */
export function drawn(q, uniform) {
  let running = 0;
  const at = q.findIndex((p) => (running += p) > uniform);
  return at < 0 ? q.length - 1 : at;
}

/** -log sigma(x), without overflow. */
const surprise = (x) => Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const add = (a, b, times = 1) => a.map((x, i) => x + times * b[i]);

/** A pair's words as numbers: centre c, context o, noise words h. */
function idsOf(words, { centre, context, negatives }) {
  const id = new Map(words.map((word, i) => [word, i]));
  return { c: id.get(centre), o: id.get(context), h: negatives.map((word) => id.get(word)) };
}

/**
 * The questions of a pair: which row, its score, what was said (P or sigma), the label, the error;
 * and the loss.
 */
function questions(method, { centres, rows }, { c, o, h }, walks) {
  const v = centres[c];
  const asked = (row, label, score = dot(rows[row], v), said = sigma(score)) => ({
    row,
    score,
    said,
    label,
    error: said - label,
  });
  if (method === "full") {
    const scores = rows.map((u) => dot(u, v));
    const most = Math.max(...scores);
    const powers = scores.map((s) => Math.exp(s - most));
    const all = powers.reduce((sum, x) => sum + x, 0);
    return {
      asked: scores.map((s, i) => asked(i, i === o ? 1 : 0, s, powers[i] / all)),
      loss: Math.log(all) + most - scores[o],
    };
  }
  const list =
    method === "ns"
      ? [asked(o, 1), ...h.map((row) => asked(row, 0))]
      : walks[o].nodes.map((row, j) => asked(row, walks[o].signs[j] > 0 ? 1 : 0));
  return {
    asked: list,
    loss: list.reduce((sum, { score, label }) => sum + surprise(label ? score : -score), 0),
  };
}

/**
 * Errors times vectors: the gradient in v_c, and for each row that has one its errors, summed, and
 * its gradient.
 */
function gradients({ centres, rows }, c, asked) {
  const inV = asked.reduce((sum, { row, error }) => add(sum, rows[row], error), [0, 0]);
  const errors = new Map();
  for (const { row, error } of asked) errors.set(row, (errors.get(row) ?? 0) + error);
  const inRows = [...errors].map(([row, error]) => ({
    row,
    error,
    gradient: centres[c].map((x) => error * x),
  }));
  return { inV, inRows };
}

/** The tables after one step: each row minus rate times its gradient. */
function stepped({ centres, rows }, c, { inV, inRows }, rate) {
  const moved = { centres: centres.slice(), rows: rows.slice() };
  moved.centres[c] = add(centres[c], inV, -rate);
  for (const { row, gradient } of inRows) moved.rows[row] = add(rows[row], gradient, -rate);
  return moved;
}

const inside = (vector) => vector.every((x) => Math.abs(x) <= LIMIT);

/** The vector that a step takes out of the limits, {row (null for v_c), to}, or nothing. */
function escaped({ centres, rows }, c) {
  if (!inside(centres[c])) return { row: null, to: centres[c] };
  const row = rows.findIndex((u) => !inside(u));
  return row < 0 ? null : { row, to: rows[row] };
}

const treeOf = ({ tree, counts }) => walksOf(TREES[tree](counts));

/**
 * One objective's tables at the start and after each step taken, and the dot products spent on
 * them; `stop` says which
 * step went too far.
 */
function replay(state, method, walks) {
  const from = REPLAYED.map((name) => state[name]);
  const last = lately.get(method);
  if (last && last.from.every((value, i) => value === from[i])) return last.path;
  const path = walkThrough(state, method, walks);
  lately.set(method, { from, path });
  return path;
}

const REPLAYED = ["words", "counts", "tree", "taken", "centre_rows", "output_rows", "node_rows"];
const lately = new Map(); // of each objective the last path: a slider moves none of these

function walkThrough(state, method, walks) {
  const V = state.words.length;
  const rows = method === "hs" ? state.node_rows.slice(0, V - 1) : state.output_rows.slice(0, V);
  const tables = [{ centres: state.centre_rows, rows }];
  let spent = 0;
  for (const [i, pair] of state.taken.entries()) {
    const now = tables.at(-1);
    const ids = idsOf(state.words, pair);
    const { asked } = questions(method, now, ids, walks);
    const next = stepped(now, ids.c, gradients(now, ids.c, asked), pair.rate);
    const out = escaped(next, ids.c);
    if (out) return { tables, spent, stop: { step: i + 1, rate: pair.rate, ...out } };
    tables.push(next);
    spent += asked.length;
  }
  return { tables, spent, stop: null };
}

/** The name of an output row: its word, or n₁, n₂, .. for an inner node. */
export const rowName = (method, row, words) =>
  method === "hs"
    ? "n" + String(row + 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit])
    : words[row];

/**
 * Everything that is drawn, computed from the state: for each method shown its questions, the
 * gradients, the tables
 * before and after a step at the chosen rate, the cost, and the loss of this pair after each of the
 * steps taken.
 */
export function inspect(state) {
  const walks = treeOf(state);
  const ids = idsOf(state.words, state);
  const methods = {};
  for (const method of state.methods) {
    const { tables, spent } = replay(state, method, walks);
    const now = tables.at(-1);
    const { asked, loss } = questions(method, now, ids, walks);
    const pull = gradients(now, ids.c, asked);
    const next = stepped(now, ids.c, pull, state.rate);
    methods[method] = {
      asked,
      loss,
      spent,
      ...pull,
      now,
      next,
      out: escaped(next, ids.c),
      v: now.centres[ids.c],
      nextV: next.centres[ids.c],
      nextLoss: questions(method, next, ids, walks).loss,
      cost: { dotProducts: asked.length, rows: asked.length },
      moved: pull.inRows.length,
      losses: tables.map((table) => questions(method, table, ids, walks).loss),
    };
  }
  return { V: state.words.length, ...ids, methods };
}

const few = (x) => Number(x.toPrecision(4)).toString().replace("-", "−");

function pairProblem(words, { centre, context, negatives, rate }) {
  const unknown = [centre, context, ...negatives].find((word) => !words.includes(word));
  if (unknown !== undefined) {
    const more = words.length > 12 ? ", …" : "";
    return `“${unknown}” is not among the ${words.length} words: ${words.slice(0, 12).join(", ")}${more}`;
  }
  if (centre === context) {
    return `Centre and context are both “${centre}”: a word is not its own context here, choose two different words.`;
  }
  if (negatives.length < 1 || negatives.length > MOST_NOISE) {
    return `There are ${negatives.length} noise words: this figure takes 1 to ${MOST_NOISE}.`;
  }
  if (!(typeof rate === "number" && rate >= SLOWEST && rate <= FASTEST)) {
    const what = Number.isFinite(rate) ? `is ${few(rate)}` : "is missing or no number";
    return `The learning rate ${what}: this figure takes ${SLOWEST} to ${FASTEST}.`;
  }
  return null;
}

const isStep = (pair) =>
  pair &&
  Object.keys(pair).length === PAIR.length &&
  PAIR.every((name) => name in pair) &&
  Array.isArray(pair.negatives);

/**
 * What is wrong with a state, in one sentence, or null. The same rules as `problem` in steps.py.
 */
export function inspectorProblem(state) {
  const { words, counts, tree, centre, methods, centre_rows, output_rows, node_rows, taken } =
    state;
  const said =
    treeProblem({ words, counts, tree, word: centre }) ??
    vectorsProblem(node_rows, words.length) ??
    pairProblem(words, state);
  if (said) return said;
  if (
    !methods.length ||
    new Set(methods).size < methods.length ||
    !methods.every((name) => name in METHODS)
  ) {
    return `This figure shows one or more of ${Object.keys(METHODS).join(", ")}, each once.`;
  }
  for (const [name, rows, size] of [
    ["centre", centre_rows, words.length],
    ["output", output_rows, words.length],
    ["node", node_rows, words.length - 1],
  ]) {
    if (rows.length < size || !rows.every((row) => row.length === 2 && inside(row))) {
      return `The ${name} rows are ${size} vectors of two coordinates from −${LIMIT} to ${LIMIT}.`;
    }
  }
  if (taken.length > MOST_STEPS) {
    return `${MOST_STEPS} steps are taken, that is as many as this figure keeps: step back or start again.`;
  }
  for (const [i, pair] of taken.entries()) {
    const wrong = isStep(pair) ? pairProblem(words, pair) : `it needs ${PAIR.join(", ")}.`;
    if (wrong) return `Step ${i + 1}: ${wrong}`;
  }
  const walks = treeOf(state);
  for (const method of methods) {
    const { stop } = replay(state, method, walks);
    if (stop) {
      const what = stop.row === null ? "v_c" : `the row of ${rowName(method, stop.row, words)}`;
      return (
        `Step ${stop.step} at the rate ${few(stop.rate)} would move ${what} of ${METHODS[method]} to ` +
        `(${stop.to.map(few).join(", ")}), beyond ±${LIMIT}: choose a smaller rate.`
      );
    }
  }
  return null;
}
