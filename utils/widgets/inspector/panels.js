// The parts of the gradient inspector around the planes; each is {node, draw(state, view, ..)}.
import {
  arrows,
  button,
  choice,
  el,
  entry,
  number,
  put,
  signed,
  slider,
  svg,
} from "../common/base.js";
import { drawn, FASTEST, METHODS, MOST_NOISE, noiseOf, rowName, SLOWEST } from "./math.js";
import { TREES } from "../tree/math.js";
import { markPath } from "./plane.js";

const fresh = () => `at-${Math.random().toString(36).slice(2)}`;
export const stepsTaken = ({ length }) => `${length} step${length === 1 ? "" : "s"} taken`;
const vectorText = (vector) => `(${vector.map((x) => number(x, 2)).join(", ")})`;
const plain = (x) => String(x).replace("-", "−");

/** Which pair, which noise words, which tree. */
export function pairPanel(figure) {
  const { change } = figure;
  const list = el("datalist", { id: fresh() });
  const word = (label, name) =>
    entry(label, { list: list.id, class: "at-word" }, (text) =>
      change({ [name]: text.trim() }, true, node),
    );
  const centre = word("centre word", "centre");
  const context = word("context word", "context");
  const swap = button("swap them", () =>
    change({ centre: figure.state.context, context: figure.state.centre }),
  );
  const sample = (size) => {
    const q = noiseOf(figure.state.counts);
    return Array.from({ length: size }, () => figure.state.words[drawn(q, Math.random())]);
  };
  const K = slider("K", { min: 1, max: MOST_NOISE, step: 1 }, (size, done) => {
    const kept = figure.state.negatives.slice(0, size);
    change({ negatives: [...kept, ...sample(size - kept.length)] }, done);
  });
  const noise = entry("noise words, K of them", { class: "at-wide" }, (text) =>
    change(
      {
        negatives: text
          .split(text.includes(",") ? "," : /\s+/)
          .map((one) => one.trim())
          .filter(Boolean),
      },
      true,
      node,
    ),
  );
  const draws = button("draw other noise words", () => {
    let negatives = figure.state.negatives;
    const same = () => negatives.join() === figure.state.negatives.join();
    for (let i = 0; i < 20 && same(); i++) negatives = sample(negatives.length);
    change({ negatives });
  });
  const ns = el("span", { class: "at-row at-group" }, K.node, noise.node, draws);
  const tree = choice(
    "tree",
    Object.keys(TREES).map((name) => [name, name]),
    (name) => change({ tree: name }, true, node),
  );
  const node = el("div", { class: "at-row" }, centre.node, context.node, swap, tree.node, ns, list);

  function draw(state) {
    if ([...list.children].map(({ value }) => value).join("\n") !== state.words.join("\n")) {
      list.replaceChildren(...state.words.map((value) => el("option", { value })));
    }
    centre.set(state.centre);
    context.set(state.context);
    ns.hidden = !state.methods.includes("ns");
    K.set(state.negatives.length, String(state.negatives.length));
    noise.set(state.negatives.join(", "));
    tree.node.hidden = !state.methods.includes("hs");
    tree.set(state.tree);
    put(tree.input.options[0], {
      disabled: state.words.length !== 8,
      text: state.words.length === 8 ? "D2L’s (figure 15.2.1)" : "D2L’s (needs 8 words)",
    });
  }

  return { node, draw };
}

/** The learning rate, a step forward, a step back. */
export function stepPanel(figure) {
  const { change } = figure;
  const now = () => figure.state.taken;
  const turn = slider(
    "learning rate",
    { min: Math.log10(SLOWEST), max: Math.log10(FASTEST), step: 0.05 },
    (power, done) => change({ rate: Number((10 ** power).toPrecision(2)) }, done, node),
  );
  const rate = entry("or an exact rate", { inputmode: "decimal", class: "at-short" }, (text) =>
    change({ rate: text.trim() === "" ? NaN : Number(text.replace("−", "-")) }, true, node),
  );
  const forward = button("one step ▶", () => {
    const { centre, context, negatives, rate } = figure.state;
    change({ taken: [...now(), { centre, context, negatives, rate }] }, true, node);
  });
  const back = button("◀ one step back", () => {
    // as it was: the pair, noise words and rate of that step too
    if (now().length) change({ ...now().at(-1), taken: now().slice(0, -1) }, true, node);
  });
  const again = button("start again", () => change({ taken: [] }, true, node));
  const shown = el("output", { class: "at-taken" });
  const node = el("div", { class: "at-row" }, turn.node, rate.node, forward, back, again, shown);

  function draw({ taken, rate: value }) {
    rate.set(value);
    turn.set(Math.log10(value), plain(value));
    put(back, { disabled: !taken.length });
    put(again, { disabled: !taken.length });
    put(shown, { text: stepsTaken(taken), "data-value": taken.length });
  }

  return { node, draw };
}

/** The counters of one objective. */
export function counterPanel(method) {
  const dots = el("output", { class: "at-dots" });
  const rows = el("output", { class: "at-rows" });
  const why = el("p", { class: "at-quiet" });
  const spent = el("p", { class: "at-quiet at-spent" });
  const bar = el("div", { class: "at-cost" });
  const counters = el("p", { class: "at-counters" }, dots, " dot products, ", rows, " rows");
  const node = el("div", {}, counters, bar, why, spent);

  function draw({ taken }, m, { methods }) {
    const most = Math.max(...Object.values(methods).map(({ cost }) => cost.dotProducts));
    put(bar, { style: `width: ${(100 * m.cost.dotProducts) / most}%` });
    put(spent, {
      text: `${plain(m.spent)} dot products in ${taken.length} step${taken.length > 1 ? "s" : ""}`,
      "data-value": m.spent,
      hidden: !taken.length,
    });
    put(dots, { text: plain(m.cost.dotProducts), "data-value": m.cost.dotProducts });
    put(rows, { text: plain(m.cost.rows), "data-value": m.cost.rows, "data-moved": m.moved });
    const n = m.asked.length;
    const errors = {
      full: `V = ${n} errors, one a word`,
      ns: `K + 1 = ${n} errors, one a question`,
      hs: `L(w) − 1 = ${n} error${n > 1 ? "s" : ""}, one a step`,
    }[method];
    put(why, {
      text:
        errors +
        (m.moved < n
          ? `; only ${m.moved} different row${m.moved > 1 ? "s" : ""}, errors of one row add up`
          : ""),
    });
  }

  return { node, draw };
}

/** The loss of this pair after each step taken, and hollow: after the step that is chosen now. */
export function lossPanel(method) {
  const line = svg("path", { class: "at-line" });
  const ahead = svg("path", { class: "at-line at-ahead" });
  const dots = svg("path", { class: "at-mark at-moves" });
  const hollow = svg("path", { class: "at-mark at-hollow" });
  const axis = svg("path", { class: "at-zero" });
  const top = svg("text", { class: "at-small", "text-anchor": "end" });
  const zero = svg("text", { class: "at-small", "text-anchor": "end" }, "0");
  const under = svg("text", { class: "at-small" });
  const text = el("p", { class: "at-loss" });
  const curve = svg(
    "svg",
    { role: "img", "aria-label": "loss of this pair after each step" },
    axis,
    line,
    ahead,
    dots,
    hollow,
    top,
    zero,
    under,
  );
  const loss = el("output", { class: "at-now" });
  const next = el("output", { class: "at-next" });
  text.append("loss ", loss, " nats, next ", next);
  const node = el("div", {}, text, curve);

  function draw(state, m, { em, room }) {
    const width = Math.min(room, 27 * em) - 3.1 * em;
    const height = 3.4 * em;
    const values = [...m.losses, ...(m.out ? [] : [m.nextLoss])];
    const most = Math.max(...values, 1e-9);
    const n = m.losses.length;
    const x = (i) => 0.5 * em + (i * (width - em)) / Math.max(5, n);
    const y = (value) => height * (1 - value / most);
    put(curve, {
      style: `width: ${width}px; height: ${height + 1.6 * em}px; margin-left: ${2.5 * em}px`,
    });
    put(axis, { d: `M0 0V${height}H${width}` });
    put(line, { d: m.losses.map((value, i) => `${i ? "L" : "M"}${x(i)} ${y(value)}`).join("") });
    put(ahead, { d: m.out ? null : `M${x(n - 1)} ${y(m.loss)}L${x(n)} ${y(m.nextLoss)}` });
    const size = (n > 20 ? 0.16 : 0.28) * em;
    put(dots, { d: m.losses.map((value, i) => markPath(method, x(i), y(value), size)).join("") });
    put(hollow, { d: m.out ? null : markPath(method, x(n), y(m.nextLoss), 0.3 * em) });
    put(top, { text: number(most, 2), x: -0.4 * em, y: 0.7 * em });
    put(zero, { x: -0.4 * em, y: height + 0.2 * em });
    put(under, {
      text:
        n > 1
          ? `after 0 to ${n - 1} steps, and the next (hollow)`
          : "now, and after one step (hollow)",
      x: 0,
      y: height + 1.3 * em,
    });
    put(loss, { text: number(m.loss), "data-value": m.loss });
    put(next, { text: m.out ? "too far: refused" : number(m.nextLoss), "data-value": m.nextLoss });
  }

  return { node, draw };
}

/** The table: a row a question; one is picked, by click or keys, and worked out below; then v_c. */
export function errorPanel(method, pick, now) {
  const said = method === "full" ? "P" : "σ";
  const heads = ["row", "score", said, "label", "error", "−1 to 1"];
  const id = fresh();
  const body = el("tbody");
  const sums = el("p", { class: "at-sums at-quiet" });
  const centre = el("p", { class: "at-sums at-quiet" });
  const head = el(
    "thead",
    {},
    el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text))),
  );
  const table = el(
    "table",
    {
      role: "grid",
      tabindex: "0",
      "aria-label": `errors of ${METHODS[method]}, ` + "up and down choose a row",
    },
    head,
    body,
  );
  const scroll = el("div", { class: "at-scroll at-errors", tabindex: "-1" }, table);
  const node = el("div", {}, scroll, sums, centre);
  let seen = "";
  table.addEventListener("keydown", (event) => {
    const way = arrows(event);
    if (way) pick(Math.max(0, Math.min(body.children.length - 1, now() - way[1])));
  });

  function line(i) {
    const bar = el("span");
    const cells = heads.map(() => el("td"));
    cells.at(-1).append(el("span", { class: "at-error" }, bar));
    return el("tr", { id: `${id}-${i}`, onclick: () => pick(i) }, ...cells);
  }

  /** Keep the picked row in sight, without moving the page. */
  function reveal(row) {
    const from = row.offsetTop - head.offsetHeight;
    const to = row.offsetTop + row.offsetHeight;
    if (from < scroll.scrollTop) scroll.scrollTop = from;
    else if (to > scroll.scrollTop + scroll.clientHeight)
      scroll.scrollTop = to - scroll.clientHeight;
  }

  function draw(state, m, view, picked) {
    put(scroll, {
      class: m.asked.length > 16 ? "at-scroll at-errors at-many" : "at-scroll at-errors",
    });
    while (body.children.length > m.asked.length) body.lastChild.remove();
    while (body.children.length < m.asked.length) body.append(line(body.children.length));
    m.asked.forEach((q, i) => {
      const tr = body.children[i];
      const before = m.asked.slice(0, method === "ns" ? i : 0).some(({ row }) => row === q.row);
      const more =
        method === "hs"
          ? q.label
            ? ", left"
            : ", right"
          : !before
            ? ""
            : q.row === view.o
              ? ", a hit"
              : ", again";
      const texts = [
        rowName(method, q.row, state.words) + more,
        number(q.score, 2),
        number(q.said),
        String(q.label),
        signed(q.error),
      ];
      texts.forEach((text, k) => put(tr.children[k], { text }));
      put(tr.firstChild, { title: texts[0].length > 9 ? texts[0] : null });
      put(tr, {
        "aria-selected": String(i === picked),
        class: i === picked ? "at-picked" : null,
        "data-row": q.row,
        "data-score": q.score,
        "data-said": q.said,
        "data-label": q.label,
        "data-error": q.error,
      });
      const from = 50 + 50 * Math.min(0, q.error);
      const wide = 50 * Math.abs(q.error);
      put(tr.lastChild.firstChild.firstChild, { style: `left: ${from}%; width: ${wide}%` });
    });
    const { row } = m.asked[picked];
    const all = m.asked.filter((q) => q.row === row);
    const error =
      all.length > 1
        ? `(${all.map((q) => signed(q.error)).join(" ")})`
        : `(${signed(all[0].error)})`;
    const rate = plain(state.rate);
    sums.replaceChildren(
      "u",
      el("sub", {}, rowName(method, row, state.words)),
      ` = ${vectorText(m.now.rows[row])} − ${rate} × ${error} × ${vectorText(m.v)} = ${vectorText(m.next.rows[row])}`,
    );
    centre.replaceChildren(
      "v",
      el("sub", {}, "c"),
      ` = ${vectorText(m.v)} − ${rate} × ${vectorText(m.inV)}` + ` = ${vectorText(m.nextV)}`,
    );
    const key = JSON.stringify([picked, state.context, state.words.length]);
    if (key !== seen && body.children[picked].offsetHeight) {
      // once, and only where it can be seen
      reveal(body.children[picked]);
      seen = key;
    }
    put(table, { "aria-activedescendant": `${id}-${picked}` });
  }

  return { node, draw };
}
