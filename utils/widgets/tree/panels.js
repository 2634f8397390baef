// The parts of the tree explorer around the drawing; each is {node, draw(state, view)}.
import { button, choice, el, entry, number, put, rich, signed, slider } from "../common/base.js";
import { TREES } from "../common/trees.js";
import { rankOf } from "./math.js";
import { nodeName } from "./drawing.js";
import { vectorPad } from "../common/vector_pad.js";

const HOME = [1, 0.5]; // the running example's v_c

/** Which word, its count, which tree. */
export function fieldsPanel({ change, frame }, recount) {
  const list = el("datalist", { id: `at-${Math.random().toString(36).slice(2)}` });
  const word = entry("word", { list: list.id }, (text) =>
    change({ word: text.trim() }, true, node),
  );
  const count = entry("its count", { type: "number", min: 1, step: 1 }, (text) =>
    recount(null, text.trim() === "" ? NaN : Number(text), true, node),
  );
  const tree = choice(
    "tree",
    Object.keys(TREES).map((name) => [name, name]),
    (name) => change({ tree: name, merges: null }, true, node),
  );
  const node = el("div", { class: "at-row" }, word.node, count.node, tree.node, list);

  function draw(state, { V }) {
    if (
      list.children.length !== V ||
      state.words.some((name, i) => list.children[i].value !== name)
    ) {
      list.replaceChildren(...state.words.map((value) => el("option", { value })));
    }
    word.set(state.word);
    count.set(state.counts[state.words.indexOf(state.word)]);
    tree.set(state.tree);
    put(tree.input.options[0], {
      disabled: V !== 8,
      text: V === 8 ? "D2L’s (figure 15.2.1)" : "D2L’s (needs 8 words)",
    });
  }

  return { node, draw };
}

/** Huffman's tree, merge by merge. */
export function buildingPanel(figure) {
  const last = () => figure.state.words.length - 1;
  const done = () => figure.state.merges ?? last();
  const go = (to, let_go = true) => {
    const merges = Math.max(0, Math.min(last(), to));
    figure.change({ merges: merges === last() ? null : merges }, let_go);
  };
  const merges = slider("Huffman’s merges done", { min: 0, step: 1 }, go);
  const back = button("◀ back", () => go(done() - 1));
  const forward = button("merge ▶", () => go(done() + 1));
  const happened = el("p", { class: "at-merge" });
  const queue = el("p", { class: "at-quiet at-queue" });
  const node = el(
    "div",
    {},
    el("div", { class: "at-row" }, merges.node, back, forward),
    happened,
    queue,
  );

  function draw(state, { V, built, children, weights }) {
    node.hidden = state.tree !== "Huffman";
    if (node.hidden) return;
    const name = (n) =>
      n < V ? `${state.words[n]} ${state.counts[n]}` : `${nodeName(n - V)} ${weights[n - V]}`;
    merges.set(built, `${built} of ${V - 1}`, { max: V - 1 });
    put(back, { disabled: built === 0 });
    put(forward, { disabled: built === V - 1 });
    const newest = V - 1 - built;
    const merged = new Set(children.slice(newest).flat());
    const waiting = Array.from({ length: 2 * V - 1 }, (_, n) => n)
      .filter((n) => (n < V || n >= V + newest) && !merged.has(n))
      .sort(
        (a, b) =>
          rankOf(a, state.counts, weights) - rankOf(b, state.counts, weights) || age(a) - age(b),
      );
    function age(n) {
      return n < V ? n : 3 * V - 2 - n;
    }
    put(happened, {
      "data-pair": built ? children[newest].join(" ") : "",
      text: built
        ? `Merge ${built} of ${V - 1}: ${children[newest].map(name).join(" + ")} = ${weights[newest]}, ` +
          `the new node ${nodeName(newest)}`
        : `No merge yet: ${V} trees of one word each`,
    });
    put(queue, {
      text:
        built === V - 1
          ? "One tree is left."
          : `Waiting, the rarest first: ${waiting.map(name).join(" · ")}`,
    });
  }

  return { node, draw, told: () => happened.textContent };
}

/** The walk, one row a step. */
export function walkPanel() {
  const heads = ["j", "n(w, j)", "x", "σ(x)", "sign", "factor", "error", "product"];
  const title = el("p", { class: "at-head" });
  const body = el("tbody");
  const result = el("output", { class: "at-product" });
  const head = el(
    "thead",
    {},
    el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text))),
  );
  const table = el(
    "div",
    {
      class: "at-scroll at-steps",
      tabindex: "0",
      role: "region",
      "aria-label": "the path, decision by decision",
    },
    el("table", {}, head, body),
  );
  const note = el(
    "p",
    { class: "at-quiet" },
    ...rich(
      "x = u_n · v_c is the score, factor = σ(sign · x); " +
        "error = σ(x) − 1 where the path goes left, σ(x) − 0 where it goes right",
    ),
  );
  const node = el("div", { class: "at-walk" }, title, table, el("p", {}, result), note);

  function draw(state, { V, built, steps }) {
    const turns = steps.map(({ sign }) => (sign > 0 ? "left" : "right"));
    const p = steps.at(-1).product;
    const told = turns.length > 12 ? [...turns.slice(0, 11), "…"] : turns;
    put(title, {
      text:
        `${state.word}${built < V - 1 ? " on the finished tree" : ""}: ${told.join(", ")}; ` +
        `L(w) = ${turns.length + 1}`,
    });
    const cells = steps.map((s, j) => [
      String(j + 1),
      nodeName(s.node),
      signed(s.score),
      number(s.left),
      s.sign > 0 ? "+1" : "−1",
      number(s.step),
      signed(s.error),
      number(s.product),
    ]);
    while (body.children.length > cells.length) body.lastChild.remove();
    while (body.children.length < cells.length)
      body.append(el("tr", {}, ...heads.map(() => el("td"))));
    cells.forEach((row, j) =>
      row.forEach((text, k) => put(body.children[j].children[k], { text })),
    );
    put(result, { "data-value": p, "data-steps": steps.length });
    result.replaceChildren(
      `P(${state.word} | `,
      ...rich("w_c"),
      `) = ${number(p, 4)}, the product of ${steps.length} factor${steps.length > 1 ? "s" : ""} (15.2.7)`,
    );
  }

  return { node, draw };
}

/** The plane of the hidden vector. */
export function vectorPanel(figure, reach) {
  const move = (hidden, done) => figure.change({ hidden }, done);
  const pad = vectorPad({
    label: "hidden vector v c, moved by the arrow keys",
    reach,
    move,
    now: () => figure.state.hidden,
  });
  const angle = slider("turn it", { min: -180, max: 180, step: 5 }, (degrees, done) => {
    const long = Math.min(reach, Math.hypot(...figure.state.hidden) || 1);
    const turn = (degrees * Math.PI) / 180;
    move([long * Math.cos(turn), long * Math.sin(turn)], done);
  });
  const shown = el("output");
  const node = el(
    "div",
    { class: "at-vector" },
    el("p", { class: "at-head" }, "hidden vector ", shown),
    el("div", { class: "at-pad" }, pad.node),
    angle.node,
    el(
      "div",
      { class: "at-row" },
      button("as in the lessons", () => move(HOME, true)),
      button("zero", () => move([0, 0], true)),
    ),
  );

  function draw(state, { children, steps }) {
    const lit = new Set(steps.map((step) => step.node));
    pad.draw({
      hidden: state.hidden,
      vectors: children
        .map((_, i) => ({ vector: state.vectors[i], name: nodeName(i), lit: lit.has(i) }))
        .sort((a, b) => a.lit - b.lit),
    });
    shown.replaceChildren(...rich(`v_c = (${state.hidden.map((c) => number(c, 2)).join(", ")})`));
    const degrees = Math.round((Math.atan2(state.hidden[1], state.hidden[0]) * 180) / Math.PI);
    angle.set(degrees, `${number(degrees, 0)}°`);
  }

  return { node, draw };
}

/** Expected depth beside entropy and log2 V. */
export function depthPanel() {
  const rows = [
    ["entropy of the counts", "at-entropy"],
    ["expected depth", "at-expected"],
    ["log₂ V", "at-log"],
  ].map(([text, kind]) => ({
    name: el("span", {}, text),
    bar: el("span", { class: `at-meter ${kind}` }),
    value: el("output", { class: `${kind}-value` }),
  }));
  const node = el(
    "div",
    { class: "at-meters" },
    ...rows.flatMap(({ name, bar, value }) => [name, el("span", {}, bar), value]),
  );

  function draw(state, { entropy, depth, V }) {
    const values = [entropy, depth, Math.log2(V)];
    const longest = Math.max(...values);
    rows.forEach(({ bar, value }, i) => {
      bar.style.width = `${(100 * values[i]) / longest}%`;
      put(value, {
        text: number(values[i], 3) + [" bits", " decisions", ""][i],
        "data-value": values[i],
      });
    });
  }

  return { node, draw };
}
