// The tree from the root down to the words, and under each word its two bars: probability and count.
import { arrows, drag, emOf, number, put, svg } from "./base.js";

const SUB = "₀₁₂₃₄₅₆₇₈₉";
export const nodeName = (i) => "n" + String(i + 1).replace(/\d/g, (digit) => SUB[digit]);

/**
 * {node, draw(state, view)}. `pick(word)` hears which word is wanted, `recount(index, count, done)` which count.
 */
export function treeDrawing({ pick, recount }) {
  const edges = svg("g"), inner = svg("g"), signs = svg("g", { class: "at-small", "font-weight": "700" });
  const leaves = svg("g", { role: "group", "aria-label": "words: left and right choose one, up and down change its count" });
  const heads = [0, 1].map(() => svg("text", { class: "at-small" }));
  const node = svg("svg", { role: "group", "aria-label": "the tree" }, edges, leaves, inner, signs, ...heads);
  let state, view, size, parts = [], order = [], pull = null;

  /** One word: its column to click, its bars, and the count's handle. */
  function leafOf(index) {
    const part = {
      drop: svg("line", { class: "at-drop" }), column: svg("rect", { class: "at-hit" }),
      grip: svg("rect", { class: "at-hit at-drag at-updown" }), label: svg("text"), bar: svg("rect", { class: "at-p" }),
      value: svg("text", { class: "at-small", "text-anchor": "middle" }), share: svg("line", { class: "at-share" }),
      count: svg("rect", { class: "at-count" }), counted: svg("text", { class: "at-small", "text-anchor": "middle" }),
      focus: svg("rect", { class: "at-focus", rx: 3 }), tip: svg("title"),
    };
    part.group = svg("g", { role: "slider", "aria-orientation": "vertical", "aria-valuemin": 1 }, part.tip, part.drop,
      part.column, part.label, part.bar, part.share, part.value, part.count, part.counted, part.grip, part.focus);
    part.group.addEventListener("click", () => pick(state.words[index]));
    part.group.addEventListener("keydown", (event) => {
      const way = arrows(event);
      if (!way) return;
      if (way[1]) recount(index, Math.max(1, state.counts[index] + way[1]), true);
      else {
        const next = order[Math.max(0, Math.min(order.length - 1, order.indexOf(index) + Math.sign(way[0])))];
        pick(state.words[next]);
        parts[next].group.focus();
      }
    });
    drag(part.grip, (event) => {                     // the scale stays as it was when the drag began
      pull = { scale: size.most / size.countHeight, y: event.clientY, from: state.counts[index], moved: false };
      pick(state.words[index]);
      part.group.focus({ preventScroll: true });
    }, (event, done) => {
      const up = pull.y - event.clientY;
      pull.moved ||= Math.abs(up) > 2;
      if (pull.moved) recount(index, Math.max(1, Math.round(pull.from + up * pull.scale)), done);
      if (done) pull = null;
    });
    return part;
  }

  function measure() {
    const em = emOf(node.parentNode), V = state.words.length, room = node.parentNode.clientWidth || 40 * em;
    const longest = Math.min(12, Math.max(...state.words.map((word) => word.length)));
    const small = V > 32 ? 0.8 : 1, gap = Math.max((room - 0.5 * em) / V, (V > 32 ? 0.86 : 1.25) * em);
    const upright = longest * 0.6 * em + 0.3 * em > gap, labels = (upright ? longest * 0.62 * small + 0.6 : 1.7) * em;
    const level = Math.max(Math.min(3.6 * em, 26 * em / view.spots.deepest), 0.42 * em);
    const top = 1.3 * em, leaf = top + view.spots.deepest * level + 0.6 * em, words = leaf + labels;
    const bars = words + 2.6 * em + 6.5 * em, counts = bars + 2.6 * em + 4.8 * em;
    const most = pull ? pull.scale * 4.8 * em : Math.max(...state.counts) * 1.15;
    return { em, gap, upright, small, level, top, leaf, words, bars, counts, most, barHeight: 6.2 * em,
      countHeight: 4.8 * em, width: gap * V + 0.5 * em, x: (n) => 0.25 * em + (view.spots.x[n] + 0.5) * gap,
      y: (n) => top + view.spots.depth[n] * level };
  }

  function drawLeaf(index) {
    const { em, gap, upright, small, leaf, words, bars, counts, most, barHeight, countHeight, x, y } = size;
    const part = parts[index], word = state.words[index], count = state.counts[index], lit = word === state.word;
    const at = x(index), left = at - gap / 2, wide = Math.min(gap * 0.72, 3.2 * em), p = view.mass[index];
    const short = word.length > 12 ? word.slice(0, 11) + "…" : word, roomy = gap > 2.9 * em;
    const tall = barHeight * p / view.highest, high = countHeight * count / most, share = count / view.total;
    put(part.drop, { x1: at, x2: at, y1: y(index), y2: leaf - 0.1 * em });
    put(part.column, { x: left, y: leaf - 0.4 * em, width: gap, height: counts - leaf + 0.4 * em });
    put(part.label, { text: short, x: upright ? null : at, y: upright ? null : leaf + em, "font-weight": lit ? 700 : 400,
      "text-anchor": upright ? "end" : "middle", "font-size": `${small}em`, style: `font-size: ${small}em`,
      transform: upright ? `translate(${at + 0.3 * small * em} ${leaf + 0.2 * em}) rotate(-90)` : null });
    put(part.bar, { x: at - wide / 2, y: bars - tall, width: wide, height: tall, class: lit ? "at-p at-lit" : "at-p" });
    put(part.share, { x1: left + 0.06 * gap, x2: left + 0.94 * gap, y1: bars - barHeight * share / view.highest,
      y2: bars - barHeight * share / view.highest });
    put(part.value, { text: roomy || lit ? number(p, 3) : "", x: at, y: bars - tall - 0.35 * em,
      "font-weight": lit ? 700 : 400, class: "at-small at-halo" });
    put(part.count, { x: at - wide / 2, y: counts - high, width: wide, height: high, class: lit ? "at-count at-lit" : "at-count" });
    put(part.counted, { text: roomy || lit ? String(count) : "", x: at, y: counts - high - 0.35 * em,
      "font-weight": lit ? 700 : 400, class: "at-small at-halo" });
    put(part.grip, { x: left, y: bars + 0.4 * em, width: gap, height: counts - bars - 0.4 * em });
    put(part.focus, { x: left, y: leaf - 0.4 * em, width: gap, height: counts - leaf + 0.8 * em });
    put(part.tip, { text: `${word}: count ${count}, P = ${number(p, 4)}` });
    put(part.group, { tabindex: lit ? 0 : -1, "data-word": word, "data-count": count, "data-p": p,
      "aria-label": `count of ${word}`, "aria-valuenow": count, "aria-valuemax": Math.round(most),
      "aria-valuetext": `${word}: count ${count}, probability ${number(p, 3)}` });
    if (lit) leaves.append(part.group === document.activeElement ? "" : "");
  }

  function drawTree() {
    const { em, x, y } = size, V = state.words.length, lines = [], marks = [], taken = [];
    const walked = new Set(view.steps.map((step) => V + step.node)).add(state.words.indexOf(state.word));
    const free = (cx, cy, r) => {
      if (taken.some(([a, b, s]) => Math.hypot(a - cx, b - cy) < r + s)) return false;
      taken.push([cx, cy, r]);
      return true;
    };
    const shown = view.children.map((pair, i) => i).filter((i) => i >= V - 1 - view.built);
    const first = [...shown].sort((a, b) => walked.has(V + b) - walked.has(V + a) || a - b);
    const named = new Set(first.filter((i) => free(x(V + i), y(V + i), 0.95 * em)));
    for (const i of shown) {
      view.children[i].forEach((child, side) => {
        const lit = walked.has(V + i) && walked.has(child), heavy = (lit ? 2.5 : 1) + 0.6 * em * view.mass[child];
        const ends = { x1: x(V + i), y1: y(V + i), x2: x(child), y2: y(child) };
        lines.push(svg("line", { ...ends, "stroke-width": heavy, class: lit ? "at-edge at-lit" : "at-edge" }));
        const middle = [(ends.x1 + ends.x2) / 2, (ends.y1 + ends.y2) / 2];
        if (lit && free(...middle, 0.7 * em)) marks.push(svg("text", { class: "at-halo", "text-anchor": "middle",
          x: middle[0], y: middle[1] + 0.32 * em }, side ? "−1" : "+1"));
      });
    }
    const dots = shown.map((i) => {
      const [cx, cy] = [x(V + i), y(V + i)], lit = walked.has(V + i), fresh = view.built < V - 1 && i === V - 1 - view.built;
      const circle = svg("circle", { cx, cy, r: (named.has(i) ? 0.92 : 0.26) * em,
        class: `at-node${lit ? " at-lit" : ""}${fresh ? " at-fresh" : ""}` });
      const weight = view.built < V - 1 && named.has(i) ? svg("text", { class: "at-small at-halo", "text-anchor": "middle",
        x: cx, y: cy - 1.15 * em, "font-weight": 700 }, String(view.weights[i])) : "";
      return svg("g", { "data-node": i + 1 }, circle, weight, named.has(i) ? svg("text", { class: "at-small", x: cx,
        y: cy + 0.3 * em, "text-anchor": "middle" }, nodeName(i)) : "");
    });
    lines.sort((a, b) => a.classList.contains("at-lit") - b.classList.contains("at-lit"));
    edges.replaceChildren(...lines);
    inner.replaceChildren(...dots);
    signs.replaceChildren(...marks);
  }

  function draw(newState, newView) {
    [state, view] = [newState, newView];
    if (parts.length !== state.words.length) {
      parts = state.words.map((_, index) => leafOf(index));
      leaves.replaceChildren(...parts.map((part) => part.group));
    }
    size = measure();
    order = state.words.map((_, i) => i).sort((a, b) => view.spots.x[a] - view.spots.x[b]);
    put(node, { width: size.width, height: size.counts + 0.6 * size.em });
    const done = view.built === state.words.length - 1;
    put(heads[0], { x: 0.25 * size.em, y: size.words + 1.1 * size.em, "data-value": view.sum, class: "at-small at-sum",
      text: `P(w | wc)${done ? "" : " on the finished tree"}: the leaves sum to ${view.sum.toFixed(12)} (15.2.9)` });
    put(heads[1], { x: 0.25 * size.em, y: size.bars + 1.3 * size.em,
      text: "counts: drag a bar, or use the up and down keys; the line in a bar above is the word’s share p(w)" });
    state.words.forEach((_, index) => drawLeaf(index));
    drawTree();
  }

  return { node, draw };
}
