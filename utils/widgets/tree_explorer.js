// The tree explorer: fields above, the tree with its bars, the walk step by step, the hidden vector, the depths.
import { button, choice, el, entry, live, number, put, signed, slider } from "./base.js";
import { TREES, dot, entropyBits, expectedDepth, huffmanMerges, layout, passes, stepsOf, vocabularyProblem, walksOf } from "./tree_math.js";
import { nodeName, treeDrawing } from "./tree_drawing.js";
import { vectorPad } from "./vector_pad.js";

const REACH = 3, HOME = [1, 0.5];

function check({ words, counts, tree, word, hidden, merges }) {
  const problem = vocabularyProblem(words, counts);
  if (problem) return problem;
  if (tree === "D2L" && words.length !== 8) {
    return `D2L’s tree has 8 leaves, this vocabulary ${words.length} words; “balanced” is that shape for any number.`;
  }
  if (!words.includes(word)) return `“${word}” is not among the ${words.length} words: ${words.join(", ")}.`;
  if (hidden.length !== 2 || !hidden.every((x) => Math.abs(x) <= REACH)) return "The hidden vector is outside its plane.";
  if (merges !== null && !(merges >= 0 && merges < words.length)) return `There are no ${merges} merges.`;
  return null;
}

/** Everything that is drawn, computed from the state. */
function compute(state) {
  const V = state.words.length, children = TREES[state.tree](state.counts), walks = walksOf(children);
  const scores = children.map((_, i) => dot(state.vectors[i], state.hidden)), mass = passes(children, scores);
  const total = state.counts.reduce((a, b) => a + b, 0), leaves = mass.slice(0, V);
  const weights = [];
  for (let i = V - 2; i >= 0; i--) weights[i] = children[i].reduce((s, c) => s + (c < V ? state.counts[c] : weights[c - V]), 0);
  return { V, children, walks, scores, mass, total, weights, spots: layout(children), sum: leaves.reduce((a, b) => a + b, 0),
    highest: Math.max(...leaves, ...state.counts.map((count) => count / total)),
    steps: stepsOf(walks[state.words.indexOf(state.word)], scores),
    built: state.tree === "Huffman" && state.merges !== null ? state.merges : V - 1,
    depth: expectedDepth(walks, state.counts), entropy: entropyBits(state.counts) };
}

function build(figure) {
  const { frame, alarm, change } = figure;
  const words = el("datalist", { id: `at-${Math.random().toString(36).slice(2)}` });
  const word = entry("word", { list: words.id }, (text) => change({ word: text.trim() }));
  const count = entry("its count", { type: "number", min: 1, step: 1 }, (text) => recount(figure.state.words.indexOf(
    figure.state.word), text.trim() === "" ? NaN : Number(text), true));
  const tree = choice("tree", Object.keys(TREES).map((name) => [name, name === "D2L" ? "D2L’s, figure 15.2.1" : name]),
    (name) => change({ tree: name, merges: null }));
  const recount = (index, value, done) => change({ counts: figure.state.counts.map((c, i) => (i === index ? value : c)) }, done);

  const merged = (done) => {
    const last = figure.state.words.length - 1, to = Math.max(0, Math.min(last, done));
    return { merges: to === last ? null : to };
  };
  const step = (by) => change(merged((figure.state.merges ?? figure.state.words.length - 1) + by));
  const merges = slider("Huffman’s merges done", { min: 0, step: 1 }, (value, done) => change(merged(value), done));
  const [back, forward] = [button("◀ back", () => step(-1)), button("merge ▶", () => step(1))];
  const building = el("div", { class: "at-row" }, merges.node, back, forward);
  const happened = el("p", { class: "at-merge" }), queue = el("p", { class: "at-quiet" });

  const drawing = treeDrawing({ pick: (name) => change({ word: name }), recount });
  const turn = ([x, y], done) => change({ hidden: [x, y] }, done);
  const pad = vectorPad({ label: "hidden vector v c: arrow keys move it", reach: REACH, move: turn });
  const angle = slider("turn it", { min: -180, max: 180, step: 5 }, (degrees, done) => {
    const long = Math.min(REACH, Math.hypot(...figure.state.hidden) || 1), a = degrees * Math.PI / 180;
    turn([long * Math.cos(a), long * Math.sin(a)], done);
  });
  const hidden = el("output");

  const body = el("tbody"), title = el("h4"), result = el("output", { class: "at-product" });
  const heads = ["j", "n(w, j)", "score x", "σ(x)", "sign", "σ(sign · x)", "error", "product"];
  const table = el("div", { class: "at-scroll at-steps", tabindex: "0", role: "region", "aria-label": "the walk, step by step" },
    el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))), body));
  const meters = [["entropy of the counts", "at-entropy"], ["expected depth", "at-expected"], ["log₂ V", "at-log"]].map(
    ([text, kind]) => ({ label: el("span", {}, text), bar: el("span", { class: `at-meter ${kind}` }), value: el("output") }));

  const list = el("textarea", { spellcheck: "false", "aria-label": "one word and its count on each line" });
  const use = () => {
    const lines = list.value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => line.match(/^(.*?)\s+(\S+)$/) ?? [line, line, ""]);
    const names = lines.map((line) => line[1]), { state } = figure;
    change({ words: names, counts: lines.map((line) => (line[2] === "" ? NaN : Number(line[2]))), merges: null,
      word: names.includes(state.word) ? state.word : names[0], tree: state.tree === "D2L" && names.length !== 8 ? "balanced" : state.tree });
  };
  const edit = el("details", { ontoggle: () => { list.value = figure.state.words.map((w, i) => `${w} ${figure.state.counts[i]}`).join("\n"); } },
    el("summary", {}, "Your own vocabulary"), el("p", { class: "at-quiet" }, "8 to 64 lines, each a word and its count."), list,
    el("div", { class: "at-row" }, button("Use these words", use)));

  frame.append(el("div", { class: "at-row" }, word.node, count.node, tree.node), words, building, alarm, happened, queue,
    el("div", { class: "at-scroll" }, drawing.node),
    el("div", { class: "at-columns" },
      el("div", { class: "at-grow" }, title, table, el("p", {}, result)),
      el("div", {}, el("h4", {}, "The hidden vector ", hidden), el("div", { class: "at-pad" }, pad.node), angle.node,
        el("div", { class: "at-row" }, button("the running example’s", () => turn(HOME)), button("zero", () => turn([0, 0]))))),
    el("div", { class: "at-meters" }, ...meters.flatMap(({ label, bar, value }) => [label, el("span", {}, bar), value])), edit);

  return (state) => {
    const view = compute(state), { V, steps } = view;
    put(words, {}).replaceChildren(...state.words.map((value) => el("option", { value })));
    word.set(state.word);
    count.set(state.counts[state.words.indexOf(state.word)]);
    tree.set(state.tree);
    put(tree.input.options[0], { disabled: V !== 8 });
    drawing.draw(state, view);
    drawBuilding(state, view);

    const turns = view.walks[state.words.indexOf(state.word)].signs.map((sign) => (sign > 0 ? "left" : "right"));
    put(title, { text: `${state.word}: ${turns.join(", ")}; L(w) = ${turns.length + 1}` });
    body.replaceChildren(...steps.map((s, j) => el("tr", {}, ...[String(j + 1), nodeName(s.node), signed(s.score), number(s.left),
      s.sign > 0 ? "+1 left" : "−1 right", number(s.step), signed(s.error), number(s.product)].map((text) => el("td", {}, text)))));
    const p = steps.at(-1).product;
    put(result, { text: `P(${state.word} | wc) = ${number(p, 4)}, the product of ${steps.length} steps (15.2.7)`, "data-value": p });

    const lit = new Map(steps.map((s) => [s.node, nodeName(s.node)]));
    pad.draw({ hidden: state.hidden, vectors: view.children.map((_, i) => ({ vector: state.vectors[i], name: lit.get(i), lit: lit.has(i) }))
      .sort((a, b) => a.lit - b.lit) });
    put(hidden, { text: `vc = (${state.hidden.map((x) => number(x, 2)).join(", ")})` });
    const degrees = Math.round(Math.atan2(state.hidden[1], state.hidden[0]) * 180 / Math.PI);
    angle.set(degrees, `${number(degrees, 0)} degrees`);

    const depths = [view.entropy, view.depth, Math.log2(V)], longest = Math.max(...depths);
    meters.forEach(({ bar, value }, i) => {
      bar.style.width = `${100 * depths[i] / longest}%`;
      put(value, { text: number(depths[i], 3) + (i ? "" : " bits"), "data-value": depths[i] });
    });
    figure.say(`${state.word}: ${turns.length} steps, probability ${number(p, 3)}; the leaves sum to ${number(view.sum, 6)}; `
      + `expected depth ${number(view.depth, 2)}`);
  };

  function drawBuilding(state, { V, built, children, weights }) {
    const huffman = state.tree === "Huffman", name = (c) => (c < V ? `${state.words[c]} ${state.counts[c]}` : `${nodeName(c - V)} ${weights[c - V]}`);
    for (const node of [building, happened, queue]) node.hidden = !huffman;
    if (!huffman) return;
    merges.set(built, `${built} of ${V - 1}`, { max: V - 1 });
    put(back, { disabled: built === 0 });
    put(forward, { disabled: built === V - 1 });
    const i = V - 1 - built, [left, right] = built ? children[i] : [];
    put(happened, { text: built ? `Merge ${built} of ${V - 1}: ${name(left)} + ${name(right)} = ${weights[i]}, the new node ${nodeName(i)}`
      : `No merge yet: ${V} trees of one word each` });
    const inside = new Set(children.slice(i).flat()), open = [...Array(V).keys(), ...children.map((_, k) => V + k).slice(i)]
      .filter((c) => !inside.has(c)).sort((a, b) => weightOf(a) - weightOf(b) || age(a) - age(b));
    function weightOf(c) { return c < V ? state.counts[c] : weights[c - V]; }
    function age(c) { return c < V ? c : 3 * V - 2 - c; }
    put(queue, { text: built === V - 1 ? "One tree is left: Huffman’s." : `Waiting, rarest first: ${open.map(name).join(" · ")}` });
  }
}

export default { render: (context) => live(context, { label: "Tree explorer", build, check,
  traits: ["words", "counts", "tree", "word", "hidden", "merges", "vectors"] }) };
