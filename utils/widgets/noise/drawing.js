// The words side by side: q(w) with the powers 0 and 1 for reference, what is drawn now, and the
// tally of all draws.
import { arrows, emOf, many, number, onlyWhen, put, resize, svg } from "../common/base.js";
import { brief } from "./loss.js";

const Q_EM = 9;
const TALLY_EM = 7; // heights of the two rows of bars

/**
 * A scale from 0 (linear) or `least` (logarithmic) to `most`: at(value) between 0 and 1, and values
 * for its ticks.
 */
export function scaleOf(kind, least, most) {
  if (kind === "log") {
    const long = Math.log(most / least);
    const decades = [];
    for (let power = Math.ceil(Math.log10(least) - 1e-9); 10 ** power <= most; power++)
      decades.push(10 ** power);
    const ticks =
      decades.length > 2 ? decades : decades.flatMap((d) => [d / 5, d / 2, d, 2 * d, 5 * d]);
    return {
      at: (x) => (x > least ? Math.min(1, Math.log(x / least) / long) : 0),
      ticks: [...new Set(ticks)].filter((tick) => tick >= least && tick <= most),
    };
  }
  const rough = most / 3;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [5, 2, 1].find((s) => s * ten <= rough) * ten;
  return {
    at: (x) => Math.min(1, x / most),
    ticks: [0, 1, 2, 3, 4, 5, 6].map((i) => i * step).filter((tick) => tick <= most),
  };
}

const short = (x) =>
  x && (x < 0.001 || x >= 1e5)
    ? x.toExponential(0).replace("e+", "e").replace("-", "−")
    : String(Number(x.toPrecision(2)));

/** {node, draw(state, view)}; `pick(word)` hears which word shall be the positive. */
export function wordColumns(figure, pick) {
  const small = (attributes = {}) => svg("text", { class: "at-small", ...attributes });
  const columns = svg("g", {
    role: "radiogroup",
    "aria-label": "the positive word: left and right choose one",
  });
  const axis = svg("g", { class: "at-small", "text-anchor": "end" });
  const level = svg("line", { class: "at-level" });
  const [upper, lower, zero] = [
    small({ "font-weight": 700 }),
    small({ "font-weight": 700 }),
    small(),
  ];
  const node = svg(
    "svg",
    { role: "group", "aria-label": "noise distribution and tally" },
    axis,
    level,
    columns,
    upper,
    lower,
    zero,
  );
  const remake = onlyWhen();
  let state;
  let view;
  let size;
  let parts = [];
  let seen = "";

  function columnOf(index) {
    const text = () => svg("text", { class: "at-small at-halo", "text-anchor": "middle" });
    const part = {
      tip: svg("title"),
      column: svg("rect", { class: "at-hit at-click" }),
      bar: svg("rect"),
      share: svg("line", { class: "at-one" }),
      q: text(),
      label: svg("text", { class: "at-click" }),
      mark: svg("path"),
      times: svg("text", { class: "at-small", "text-anchor": "middle", "font-weight": 700 }),
      count: svg("rect"),
      whisker: svg("line", { class: "at-whisker" }),
      expected: svg("line", { class: "at-one" }),
      counted: text(),
      focus: svg("rect", { class: "at-focus", rx: 3 }),
    };
    const group = svg("g", { role: "radio" }, ...Object.values(part));
    group.addEventListener("pointerenter", () =>
      put(part.tip, {
        text:
          `${state.words[index]}: count ` +
          `${state.counts[index]}, q = ${number(view.q[index], 5)}; drawn ${view.tally[index]} times, expected ` +
          number(view.expected[index], 1),
      }),
    );
    group.addEventListener("click", () => {
      pick(state.words[index]);
      group.focus({ preventScroll: true });
    });
    group.addEventListener("keydown", (event) => {
      const way = arrows(event);
      if (!way) return;
      const at = view.order.indexOf(index) + (way[0] || -way[1]);
      const next = view.order[Math.max(0, Math.min(view.V - 1, at))];
      pick(state.words[next]);
      parts[next].group.focus();
    });
    return { ...part, group };
  }

  /** Two standard deviations, which say something only of many draws. */
  const stray = (index) => (view.N < 100 ? 0 : 2 * view.spread[index]);

  function measure() {
    const em = emOf(node.parentNode);
    const { V } = view;
    const room = node.parentNode.clientWidth || 40 * em;
    const left = 3.4 * em;
    const type = V > 32 ? 0.8 : 1;
    const gap = Math.max((room - left - 0.3 * em) / V, (V > 32 ? 0.86 : 1.25) * em);
    const longest = Math.min(12, Math.max(...state.words.map((word) => word.length)));
    const upright = longest * 0.62 * em + 0.3 * em > gap;
    const foot = (2.6 + Q_EM) * em;
    const marks = foot + 0.95 * em;
    const words = marks + em;
    const tally = words + (upright ? longest * 0.62 * type + 0.4 : 1.5) * em + (3 + TALLY_EM) * em;
    const most = Math.max(...view.share) * 1.04;
    const bottom = Math.min(...view.share) / 1.6;
    const log = state.scale === "log";
    const drawn = Math.max(1, ...view.tally, ...view.expected.map((x, w) => x + stray(w)));
    const at = [];
    view.order.forEach((w, i) => {
      at[w] = left + (i + 0.5) * gap;
    });
    return {
      em,
      left,
      type,
      gap,
      upright,
      foot,
      marks,
      words,
      tally,
      at,
      bar: Math.min(gap * 0.72, 3.2 * em),
      width: left + gap * V + 0.3 * em,
      q: scaleOf(state.scale, bottom, most),
      n: scaleOf(state.scale, log ? 0.6 : 0, drawn * (log ? 1.6 : 1.06)),
    };
  }

  /**
   * What is drawn now: a disc for noise words, a diamond for hits; how often, where more than once.
   */
  function drawMark(part, index, times, hits, y) {
    const r = 0.62 * Math.min(size.em, size.gap / 1.25);
    const x = size.at[index];
    const shown = hits || times;
    put(part.mark, {
      class: hits ? "at-mark at-hits" : "at-mark",
      d: !shown
        ? "M0 0"
        : hits
          ? `M${x} ${y - 1.25 * r}L${x + 1.25 * r} ${y}L${x} ${y + 1.25 * r}L${x - 1.25 * r} ${y}Z`
          : `M${x - r} ${y}A${r} ${r} 0 1 1 ${x + r} ${y}A${r} ${r} 0 1 1 ${x - r} ${y}Z`,
    });
    put(part.times, {
      text: shown > 1 ? String(shown) : "",
      x,
      y: y + 0.3 * size.em * size.type,
      style: `font-size: ${0.86 * size.type}em`,
    });
  }

  function drawColumn(index, now) {
    const { em, type, gap, upright, foot, marks, words, tally, bar, q, n } = size;
    const part = parts[index];
    const word = state.words[index];
    const lit = index === view.o;
    const x = size.at[index];
    const kind = lit ? " at-lit" : "";
    const told = gap > 2.9 * em;
    const weight = lit ? 700 : 400;
    const p = view.q[index];
    const times = view.tally[index];
    const high = Q_EM * em * q.at(p);
    const one = foot - Q_EM * em * q.at(view.share[index]);
    const top = foot - high;
    const clear = one < top + 0.2 * em && one > top - 1.5 * em ? one : top;
    const y = (value) => tally - TALLY_EM * em * n.at(value);
    const inside = Math.min(size.width - 1.4 * em, x);
    const mean = view.expected[index];
    const span = [Math.max(0, mean - stray(index)), mean + stray(index)];
    put(part.column, {
      x: x - gap / 2,
      y: foot - Q_EM * em,
      width: gap,
      height: tally - foot + Q_EM * em,
    });
    put(part.bar, { x: x - bar / 2, y: top, width: bar, height: high, class: `at-q${kind}` });
    put(part.share, { x1: x - gap * 0.42, x2: x + gap * 0.42, y1: one, y2: one });
    put(part.q, {
      text: told ? number(p, 3) : "",
      x: inside,
      y: clear - 0.35 * em,
      "font-weight": weight,
    });
    put(part.label, {
      text: brief(word),
      "font-weight": weight,
      style: `font-size: ${type}em`,
      "text-anchor": upright ? "end" : "middle",
      transform: upright
        ? `translate(${x + 0.3 * type * em} ${words}) rotate(-90)`
        : `translate(${x} ${words + 0.9 * em})`,
    });
    drawMark(part, index, now.words.get(index) ?? 0, lit ? now.hits : 0, marks);
    put(part.count, {
      x: x - bar / 2,
      y: y(times),
      width: bar,
      height: tally - y(times),
      class: `at-tally${kind}`,
    });
    put(part.whisker, { x1: x, x2: x, y1: y(span[0]), y2: y(span[1]) });
    put(part.expected, { x1: x - gap * 0.42, x2: x + gap * 0.42, y1: y(mean), y2: y(mean) });
    put(part.counted, {
      text: told ? String(times) : "",
      x: inside,
      "font-weight": weight,
      y: Math.min(y(times), y(span[1])) - 0.35 * em,
    });
    put(part.focus, {
      x: x - gap / 2,
      y: foot - Q_EM * em - 1.2 * em,
      width: gap,
      height: tally - foot + Q_EM * em + 1.5 * em,
    });
    put(part.group, {
      tabindex: lit ? 0 : -1,
      "aria-checked": lit ? "true" : "false",
      "data-word": word,
      "data-q": p,
      "data-tally": times,
      "data-expected": mean,
      "aria-label": lit ? `${word}, count ${state.counts[index]}, q ${number(p, 3)}` : word,
    });
  }

  function drawAxis() {
    const { em, left, foot, tally, width, q, n } = size;
    const row = (y0, tall, { at, ticks }) =>
      ticks.flatMap((tick) => {
        const y = y0 - tall * em * at(tick);
        return [
          svg("line", { class: "at-grid", x1: left, x2: width, y1: y, y2: y }),
          svg("text", { x: left - 0.4 * em, y: y + 0.3 * em }, short(tick)),
        ];
      });
    axis.replaceChildren(...row(foot, Q_EM, q), ...row(tally, TALLY_EM, n));
  }

  /** Where the drawing is wider than its frame: scroll sideways to this place. */
  function reveal(x) {
    const frame = node.parentNode;
    const [from, to] = [frame.scrollLeft, frame.scrollLeft + frame.clientWidth];
    if (x < from + 3 * size.em || x > to - 3 * size.em)
      frame.scrollLeft = x - frame.clientWidth / 2;
  }

  function draw(newState, newView) {
    [state, view] = [newState, newView];
    if (parts.length !== view.V) {
      parts = state.words.map((_, index) => columnOf(index));
      columns.replaceChildren(...parts.map((part) => part.group));
    }
    size = measure();
    const { em, left, foot, tally, width, q } = size;
    const one = foot - Q_EM * em * q.at(view.level);
    const now = new Map();
    for (const { word } of view.draws) now.set(word, (now.get(word) ?? 0) + 1);
    resize(node, width, tally + 0.6 * em);
    remake(
      [em, width, tally, ...[q, size.n].map(({ ticks, at }) => [ticks, ticks.map(at)])],
      drawAxis,
    );
    put(level, { x1: left, x2: width, y1: one, y2: one });
    put(zero, {
      text: "power 0",
      x: width - 0.2 * em,
      y: one - 0.35 * em,
      "text-anchor": "end",
      class: "at-small at-halo",
    });
    put(upper, {
      text: `q(w) at power ${number(state.power, 2)}: ${state.word} ${number(view.q[view.o])}`,
      x: left,
      y: em,
    });
    put(lower, {
      text: `${many(view.N)} drawn so far: ${state.word} ${many(view.tally[view.o])}`,
      x: left,
      y: tally - (TALLY_EM + 1.2) * em,
    });
    state.words.forEach((_, index) =>
      drawColumn(index, { words: now, hits: view.draws.filter((d) => d.hit).length }),
    );
    if (state.word !== seen) reveal(size.at[view.o]);
    seen = state.word;
  }

  return { node, draw };
}
