// The tree from the root down to the words, and under each word its two bars: probability and
// count.
import { arrows, drag, emOf, number, onlyWhen, put, resize, richSvg, svg } from "../common/base.js";

const LOW = "₀₁₂₃₄₅₆₇₈₉";
export const nodeName = (i) => "n" + String(i + 1).replace(/\d/g, (digit) => LOW[digit]);

const P_EM = 6;
const COUNT_EM = 4.8; // heights of the two rows of bars

/**
 * {node, draw(state, view)}. `pick(word)` hears which word is wanted, `recount(index, count, done)`
 * which count.
 * Keys and pointer ask `figure.state`, which may be ahead of what is drawn.
 */
export function treeDrawing(figure, { pick, recount }) {
  const edges = svg("g");
  const inner = svg("g");
  const signs = svg("g", { class: "at-small", "font-weight": "700" });
  const leaves = svg("g", {
    role: "group",
    "aria-label": "words: left and right choose one, up and down change its count",
  });
  const [sum, caption] = [
    svg("text", { class: "at-small at-sum" }),
    svg("text", { class: "at-small" }),
  ];
  const node = svg(
    "svg",
    { role: "group", "aria-label": "the tree" },
    edges,
    leaves,
    inner,
    signs,
    sum,
    caption,
  );
  const remake = onlyWhen();
  let state;
  let view;
  let size;
  let parts = [];
  let flows = [];
  let order = [];
  let pull = null;
  let seen = "";

  /** One word: a column to click, its two bars, and a place to drag the count. */
  function leafOf(index) {
    const text = () => svg("text", { class: "at-small at-halo", "text-anchor": "middle" });
    const part = {
      tip: svg("title"),
      drop: svg("line", { class: "at-drop" }),
      column: svg("rect", { class: "at-hit at-click" }),
      label: svg("text", { class: "at-click" }),
      bar: svg("rect"),
      share: svg("line", { class: "at-share" }),
      p: text(),
      count: svg("rect"),
      counted: text(),
      grip: svg("rect", { class: "at-hit at-drag at-updown" }),
      focus: svg("rect", { class: "at-focus", rx: 3 }),
    };
    const group = svg(
      "g",
      { role: "slider", "aria-orientation": "vertical", "aria-valuemin": 1 },
      ...Object.values(part),
    );
    group.addEventListener("pointerenter", () =>
      put(part.tip, {
        text:
          `${state.words[index]}: count ` +
          `${state.counts[index]}, P = ${number(view.mass[index], 4)}`,
      }),
    );
    const choose = () => {
      pick(state.words[index]);
      group.focus({ preventScroll: true });
    };
    part.column.addEventListener("click", choose);
    part.label.addEventListener("click", choose);
    group.addEventListener("keydown", (event) => {
      const way = arrows(event);
      if (!way) return;
      if (way[1]) return recount(index, Math.max(1, figure.state.counts[index] + way[1]), true);
      const next =
        order[Math.max(0, Math.min(order.length - 1, order.indexOf(index) + Math.sign(way[0])))];
      pick(state.words[next]);
      parts[next].group.focus();
    });
    drag(
      part.grip,
      (event) => {
        // the scale stays as it is now until the bar is let go
        pull = {
          most: size.most,
          perPixel: size.most / (COUNT_EM * size.em),
          y: event.clientY,
          from: figure.state.counts[index],
          moved: false,
        };
        choose();
      },
      (event, done) => {
        const wanted = pull.from + (pull.y - event.clientY) * pull.perPixel;
        pull.moved ||= Math.abs(pull.y - event.clientY) > 2;
        if (pull.moved) recount(index, Math.round(Math.max(1, Math.min(pull.most, wanted))), done);
        if (done) pull = null;
      },
    );
    return { ...part, group };
  }

  /** All places: the tree above, the words, the bars of P, the bars of the counts. */
  function measure() {
    const em = emOf(node.parentNode);
    const V = state.words.length;
    const room = node.parentNode.clientWidth || 40 * em;
    const type = V > 32 ? 0.8 : 1;
    const gap = Math.max((room - 0.5 * em) / V, (V > 32 ? 0.86 : 1.25) * em);
    const longest = Math.min(12, Math.max(...state.words.map((word) => word.length)));
    const upright = longest * 0.62 * em + 0.3 * em > gap;
    const level = Math.max(Math.min(3.6 * em, (26 * em) / view.spots.deepest), 0.42 * em);
    const top = 1.3 * em;
    const leaf = top + view.spots.deepest * level + 0.6 * em;
    const words = leaf + (upright ? longest * 0.62 * type + 0.6 : 1.7) * em;
    const bars = words + (2.8 + P_EM) * em;
    const counts = bars + (2.6 + COUNT_EM) * em;
    return {
      em,
      type,
      gap,
      upright,
      top,
      leaf,
      words,
      bars,
      counts,
      width: gap * V + 0.5 * em,
      most: pull ? pull.most : Math.max(10, Math.ceil(Math.max(...state.counts) * 1.2)),
      x: (n) => 0.25 * em + (view.spots.x[n] + 0.5) * gap,
      y: (n) => top + view.spots.depth[n] * level,
    };
  }

  function drawLeaf(index) {
    const { em, type, gap, upright, leaf, bars, counts, most, width, x, y } = size;
    const part = parts[index];
    const word = state.words[index];
    const count = state.counts[index];
    const lit = word === state.word;
    const p = view.mass[index];
    const at = x(index);
    const left = at - gap / 2;
    const bar = Math.min(gap * 0.72, 3.2 * em);
    const told = lit || gap > 2.9 * em;
    const short = word.length > 12 ? word.slice(0, 11) + "…" : word;
    const weight = lit ? 700 : 400;
    const tall = (P_EM * em * p) / view.highest;
    const share = (P_EM * em * count) / view.total / view.highest;
    const high = (COUNT_EM * em * count) / most;
    // no line through the number
    const clear = share > tall - 0.3 * em && share < tall + 1.4 * em ? share : tall;
    const inside = Math.max(1.4 * em, Math.min(width - 1.4 * em, at));
    put(part.drop, { x1: at, x2: at, y1: y(index), y2: leaf - 0.1 * em });
    put(part.column, { x: left, y: leaf - 0.4 * em, width: gap, height: bars - leaf + 0.4 * em });
    put(part.label, {
      text: short,
      "font-weight": weight,
      style: `font-size: ${type}em`,
      "text-anchor": upright ? "end" : "middle",
      transform: upright
        ? `translate(${at + 0.3 * type * em} ${leaf + 0.2 * em}) rotate(-90)`
        : `translate(${at} ${leaf + em})`,
    });
    put(part.bar, {
      x: at - bar / 2,
      y: bars - tall,
      width: bar,
      height: tall,
      class: lit ? "at-p at-lit" : "at-p",
    });
    put(part.share, {
      x1: left + 0.06 * gap,
      x2: left + 0.94 * gap,
      y1: bars - share,
      y2: bars - share,
    });
    put(part.p, {
      text: told ? number(p, 3) : "",
      x: inside,
      y: bars - clear - 0.35 * em,
      "font-weight": weight,
    });
    put(part.count, {
      x: at - bar / 2,
      y: counts - high,
      width: bar,
      height: high,
      class: lit ? "at-count at-lit" : "at-count",
    });
    put(part.counted, {
      text: told ? String(count) : "",
      x: inside,
      y: counts - high - 0.35 * em,
      "font-weight": weight,
    });
    put(part.grip, { x: left, y: bars + 0.4 * em, width: gap, height: counts - bars });
    put(part.focus, { x: left, y: leaf - 0.4 * em, width: gap, height: counts - leaf + 0.8 * em });
    put(part.group, {
      tabindex: lit ? 0 : -1,
      "data-word": word,
      "data-count": count,
      "data-p": p,
      "aria-label": `count of ${word}`,
      "aria-valuenow": count,
      "aria-valuemax": most,
      "aria-valuetext": lit ? `count ${count}, probability ${number(p, 3)}` : null,
    });
  }

  /**
   * Nodes and edges; names and signs wherever they have room, the walk's first. Widths follow with
   * every change.
   */
  function drawTree() {
    const { em, x, y } = size;
    const V = state.words.length;
    const half = V - 1 - view.built;
    const taken = [];
    const lines = [];
    const marks = [];
    flows = [];
    const walked = new Set([
      ...view.steps.map((step) => V + step.node),
      state.words.indexOf(state.word),
    ]);
    const room = (cx, cy, r) => {
      const free = taken.every(([a, b, s]) => Math.hypot(a - cx, b - cy) >= r + s);
      if (free) taken.push([cx, cy, r]);
      return free;
    };
    // Huffman's merges number the nodes backwards
    const shown = view.children.map((_, i) => i).slice(half);
    const named = new Set(
      [...shown]
        .sort((a, b) => walked.has(V + b) - walked.has(V + a) || a - b)
        .filter((i) => room(x(V + i), y(V + i), 1.15 * em)),
    );
    for (const i of shown) {
      view.children[i].forEach((child, right) => {
        const lit = walked.has(V + i) && walked.has(child);
        const [x1, y1, x2, y2] = [x(V + i), y(V + i), x(child), y(child)];
        const middle = [(x1 + x2) / 2, (y1 + y2) / 2];
        const line = svg("line", { x1, y1, x2, y2, class: lit ? "at-edge at-lit" : "at-edge" });
        lines[lit ? "push" : "unshift"](line);
        flows.push(() =>
          put(line, { "stroke-width": (lit ? 2.5 : 1) + 0.6 * em * view.mass[child] }),
        );
        if (lit && room(...middle, 0.5 * em)) {
          marks.push(
            svg(
              "text",
              { class: "at-halo", "text-anchor": "middle", x: middle[0], y: middle[1] + 0.32 * em },
              right ? "−1" : "+1",
            ),
          );
        }
      });
    }
    edges.replaceChildren(...lines);
    signs.replaceChildren(...marks);
    inner.replaceChildren(
      ...shown.map((i) => {
        const [cx, cy] = [x(V + i), y(V + i)];
        const big = named.has(i);
        const text = (dy, content, attributes = {}) =>
          svg(
            "text",
            {
              class: "at-small at-halo",
              "text-anchor": "middle",
              x: cx,
              y: cy + dy * em,
              ...attributes,
            },
            content,
          );
        const kind = (walked.has(V + i) ? " at-lit" : "") + (half && i === half ? " at-fresh" : "");
        return svg(
          "g",
          { "data-node": i + 1 },
          svg("circle", { cx, cy, r: (big ? 0.92 : 0.26) * em, class: `at-node${kind}` }),
          big ? text(0.3, nodeName(i)) : "",
          big && half ? text(-1.15, String(view.weights[i]), { "font-weight": 700 }) : "",
        );
      }),
    );
  }

  /** Where the drawing is wider than its frame: scroll sideways to this place. */
  function reveal(x) {
    const frame = node.parentNode;
    const [from, to] = [frame.scrollLeft, frame.scrollLeft + frame.clientWidth];
    if (x < from + 3 * size.em || x > to - 3 * size.em)
      frame.scrollLeft = x - frame.clientWidth / 2;
  }

  /** Headings stay in sight while the drawing scrolls under them. */
  const stay = () =>
    [sum, caption].forEach((text) => put(text, { x: node.parentNode.scrollLeft + 0.25 * size.em }));

  function draw(newState, newView) {
    [state, view] = [newState, newView];
    if (parts.length !== state.words.length) {
      parts = state.words.map((_, index) => leafOf(index));
      leaves.replaceChildren(...parts.map((part) => part.group));
    }
    size = measure();
    order = state.words.map((_, i) => i).sort((a, b) => view.spots.x[a] - view.spots.x[b]);
    const { em, words, bars, counts, width } = size;
    const whole = view.built === state.words.length - 1;
    resize(node, width, counts + 0.7 * em);
    if (state.word !== seen) reveal(size.x(state.words.indexOf(state.word)));
    seen = state.word;
    put(sum, { y: words + 1.1 * em, "data-value": view.sum });
    richSvg(
      sum,
      `P(w | w_c)${whole ? "" : " of the finished tree"}: sum ${view.sum.toFixed(12)} (15.2.9)`,
    );
    put(caption, { y: bars + 1.4 * em, text: "counts: drag them" });
    node.parentNode.onscroll = stay;
    stay();
    state.words.forEach((_, index) => drawLeaf(index));
    remake(
      [view.children, view.built, view.weights, state.word, size.em, size.gap, size.top],
      drawTree,
    );
    for (const flow of flows) flow();
  }

  return { node, draw };
}
