// The mathematics of the noise explorer. tests/browser holds every number against utils on random
// states.
import { finite, vocabularyProblem } from "../common/vocabulary.js";

export const REACH = 2; // the hidden vector's coordinates lie between -2 and 2
export const MOST_WORDS = 20;
export const MOST_DRAWS = 100000; // of K; of draws before those in sight
export const ON_HIT = ["keep", "skip", "redraw"];
export const SCALES = ["linear", "log"];

const total = (numbers) => numbers.reduce((sum, x) => sum + x, 0);

/** u.v, the score. */
export const score = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);

/** 1 / (1 + exp(-x)) (15.2.2), and -log of it, which stays finite where sigma(x) is 0. */
export const yes = (x) => 1 / (1 + Math.exp(-x));
export const minusLogYes = (x) => Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** q(w): count(w)^power, normalised (utils.noise.NoiseDistribution). */
export function noiseOf(counts, power) {
  const most = Math.max(...counts);
  const weights = counts.map((count) => (count / most) ** power);
  const all = total(weights);
  return weights.map((weight) => weight / all);
}

/** The right ends of pieces that lie side by side from 0 to 1, each as wide as its share. */
export function endsOf(shares) {
  let end = 0;
  const ends = shares.map((share) => (end += share));
  return ends.map((right) => right / end);
}

/**
 * The piece that a number from 0 to 1 falls on, by binary search: a piece has its start, not its
 * end.
 */
export function search(ends, u) {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (u < ends[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * One round of a hash that turns every bit of a 32-bit number over with about the same chance
 * (lowbias32).
 */
function stir(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * The n-th random number of a seed, at least 0 and below 1, 53 bits: any of them without those
 * before it.
 */
export function uniform(seed, n) {
  const key = stir(seed + 0x9e3779b9);
  const bits = (i) => stir((stir(i) + key) | 0);
  return ((bits(2 * n) >>> 5) * 2 ** 26 + (bits(2 * n + 1) >>> 6)) / 2 ** 53;
}

// those of the last seed: sliders ask for them again and again
const kept = { seed: -1, numbers: [] };

function numbersOf(seed, N) {
  if (kept.seed !== seed) Object.assign(kept, { seed, numbers: [] });
  while (kept.numbers.length < N) kept.numbers.push(uniform(seed, 2 * kept.numbers.length));
  return kept.numbers;
}

/**
 * The i-th draw: the word `first` that number 2i falls on and the `word` that is taken. They differ
 * only where a hit
 * is drawn again: number 2i + 1, thrown on the pieces of the other words, which has the law of
 * throwing until it hits
 * no more.
 */
function thrower({ seed, on_hit }, q, o, N) {
  const numbers = numbersOf(seed, N);
  const ends = endsOf(q);
  const others = on_hit === "redraw" ? endsOf(q.map((p, w) => (w === o ? 0 : p))) : null;
  return (i) => {
    const u = numbers[i];
    const first = search(ends, u);
    return {
      u,
      first,
      word: others && first === o ? search(others, uniform(seed, 2 * i + 1)) : first,
    };
  };
}

/** Everything that is drawn on the page, computed from the state. */
export function compute(state) {
  const { words, counts, power, K, before, hidden, vectors, on_hit } = state;
  const V = words.length;
  const N = before + K;
  const o = words.indexOf(state.word);
  const q = noiseOf(counts, power);
  const all = total(counts);
  const throwOne = thrower(state, q, o, N);
  const tally = new Array(V).fill(0);
  const hitAt = new Uint8Array(N);
  const draws = [];
  let hits = 0;
  let rounds = 0;
  let hitRounds = 0;
  for (let i = 0; i < N; i++) {
    const draw = throwOne(i);
    tally[draw.word] += 1;
    hits += hitAt[i] = draw.first === o ? 1 : 0;
    if (i >= before) draws.push({ ...draw, hit: draw.first === o });
  }
  for (let end = N; end >= K; end -= K) {
    // the K in sight are the last round
    rounds += 1;
    hitRounds += hitAt.subarray(end - K, end).includes(1) ? 1 : 0;
  }
  const rest = total(q.filter((_, w) => w !== o));
  const taken = on_hit === "redraw" ? q.map((p, w) => (w === o ? 0 : p / rest)) : q;
  const scores = words.map((_, w) => score(vectors[w], hidden));
  const no = scores.map((x) => minusLogYes(-x));
  const asked = (w) => on_hit !== "skip" || w !== o;
  const first = minusLogYes(scores[o]);
  const terms = [
    { id: o, sign: 1, asked: true, hit: false, loss: first },
    ...draws.map(({ word: id }) => ({
      id,
      sign: -1,
      asked: asked(id),
      hit: id === o,
      loss: asked(id) ? no[id] : 0,
    })),
  ].map((term) => ({ ...term, score: scores[term.id], right: yes(term.sign * scores[term.id]) }));
  const average = (shares) => first + K * total(shares.map((p, w) => (asked(w) ? p * no[w] : 0)));
  const order = words.map((_, w) => w).sort((a, b) => counts[b] - counts[a] || a - b);
  const rare = order.slice(-(V >> 1));
  const share = counts.map((count) => count / all);
  const inRare = (shares) => total(rare.map((w) => shares[w]));
  return {
    V,
    N,
    o,
    q,
    level: 1 / V,
    share,
    order,
    ends: endsOf(q),
    draws,
    tally,
    hits,
    rounds,
    hitRounds,
    expected: taken.map((p) => N * p),
    spread: taken.map((p) => Math.sqrt(N * p * (1 - p))),
    chance: -Math.expm1(K * Math.log1p(-q[o])),
    terms,
    loss: total(terms.map((term) => term.loss)),
    expectedLoss: average(taken),
    meanLoss: average(tally.map((n) => n / N)),
    rare: { words: rare.length, now: inRare(q), one: inRare(share), zero: rare.length / V },
  };
}

/**
 * What is wrong with a state, in one sentence, or null. The same rules as `problem` in explorer.py.
 */
export function problemOf(state) {
  const { words, power, K, on_hit, before, seed, hidden, vectors, scale } = state;
  const wrong = vocabularyProblem(state);
  if (wrong) return wrong;
  if (!(finite(power) && power >= 0 && power <= 1))
    return `The power is ${power}: it lies between 0 and 1.`;
  if (!(Number.isInteger(K) && K >= 1 && K <= MOST_WORDS))
    return `K is ${K}: 1 to ${MOST_WORDS} noise words.`;
  if (!ON_HIT.includes(on_hit)) return `A hit is kept, skipped or drawn again, not “${on_hit}”.`;
  if (!(Number.isInteger(before) && before >= 0 && before <= MOST_DRAWS)) {
    return `The tally holds ${MOST_DRAWS.toLocaleString("en")} draws: start again with other random numbers.`;
  }
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31))
    return `The seed is ${seed}: a whole number from 0.`;
  if (hidden.length !== 2 || !hidden.every((x) => finite(x) && Math.abs(x) <= REACH)) {
    return `The hidden vector has two coordinates from −${REACH} to ${REACH}.`;
  }
  if (vectors.length < words.length || !vectors.every((u) => u.length === 2 && u.every(finite))) {
    return "Each word needs a vector of two coordinates.";
  }
  return SCALES.includes(scale) ? null : `The scale is linear or log, not “${scale}”.`;
}
