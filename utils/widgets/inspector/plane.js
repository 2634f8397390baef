// The plane of one objective: each output row a mark, an arrow from where it is to where one step
// takes it.
import { el, number, onlyWhen, put, richSvg, svg } from "../common/base.js";
import { rowName } from "./math.js";

/** The mark of an objective, as in all figures of the course: square, circle, triangle. */
export function markPath(method, x, y, r) {
  if (method === "full") return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (method === "ns")
    return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  return `M${x} ${y - 1.2 * r}L${x + 1.15 * r} ${y + 0.8 * r}H${x - 1.15 * r}z`;
}

/** An arrow as a path; its head is at most `head` pixels and never longer than the arrow. */
function arrowPath([x, y], [toX, toY], head) {
  const [dx, dy] = [toX - x, toY - y];
  const long = Math.hypot(dx, dy) || 1;
  const h = Math.min(head, 0.6 * long);
  const [ux, uy] = [(dx / long) * h, (dy / long) * h];
  return (
    `M${x} ${y}L${toX} ${toY}M${toX - ux - 0.6 * uy} ${toY - uy + 0.6 * ux}L${toX} ${toY}` +
    `L${toX - ux + 0.6 * uy} ${toY - uy - 0.6 * ux}`
  );
}

const ASPECT = 0.72;
const SHORTEST = 3; // height to width; pixels that an arrow needs to be seen

/**
 * One piece of the plane for all objectives, so that lengths compare: {x0, y0, wide, step} in round
 * numbers.
 */
export function fitted({ methods }) {
  const points = [[0, 0]];
  for (const { now, next, out, v, nextV } of Object.values(methods)) {
    points.push(v, ...now.rows, ...(out ? [] : [nextV, ...next.rows]));
  }
  const ends = [0, 1].map((k) => [
    Math.min(...points.map((p) => p[k])),
    Math.max(...points.map((p) => p[k])),
  ]);
  const span = Math.max(ends[0][1] - ends[0][0], (ends[1][1] - ends[1][0]) / ASPECT, 1);
  const step = [0.5, 1, 2, 5, 10, 20].find((s) => span / s < 6.5);
  const pad = 0.06 * span;
  const [[left, right], [low, high]] = ends.map(([a, b]) => [
    (Math.floor(((a - pad) / step) * 2) * step) / 2,
    (Math.ceil(((b + pad) / step) * 2) * step) / 2,
  ]);
  const wide = Math.max(right - left, (high - low) / ASPECT);
  return { x0: (left + right - wide) / 2, y0: (low + high - ASPECT * wide) / 2, wide, step };
}

/**
 * {node, draw(state, m, view, box, picked)}; `pick(index)` hears which question's row was clicked.
 */
export function rowPlane(method, pick) {
  const ground = svg("rect", { class: "at-pad-ground" });
  const grid = svg("path", { class: "at-axes" });
  const zero = svg("path", { class: "at-zero" });
  const ticks = svg("g", { class: "at-small at-tick" });
  const marks = svg("g");
  const arrowLayer = svg("g");
  const names = svg("g", { class: "at-small" });
  const shaft = svg("path", { class: "at-shaft at-hidden-vector" });
  const turn = svg("path", { class: "at-turn" });
  const turnHead = svg("path", { class: "at-turn at-solid" });
  const ring = svg("circle", { class: "at-ring" });
  const home = svg("text", { class: "at-halo", "font-weight": "700" });
  const inner = svg(
    "svg",
    { class: "at-clip" },
    grid,
    zero,
    marks,
    ring,
    arrowLayer,
    shaft,
    turn,
    turnHead,
  );
  const plane = svg("svg", { role: "img" }, ground, inner, ticks, names, home);
  const note = el("p", { class: "at-quiet at-note" });
  const node = el("div", {}, plane, note);
  const remake = onlyWhen();
  let rows = [];
  let spots = [];

  plane.addEventListener("click", (event) => {
    const box = plane.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const far = ({ from, to }) =>
      Math.min(Math.hypot(from[0] - x, from[1] - y), Math.hypot(to[0] - x, to[1] - y));
    const best = spots.reduce((a, b) => (far(b) < far(a) ? b : a));
    if (far(best) < 40) pick(best.index);
  });

  function build(count) {
    rows = Array.from({ length: count }, () => ({
      mark: svg("path"),
      arrow: svg("path"),
      name: svg("text", { class: "at-halo" }),
    }));
    marks.replaceChildren(...rows.map((row) => row.mark));
    arrowLayer.replaceChildren(...rows.map((row) => row.arrow));
    names.replaceChildren(...rows.map((row) => row.name));
  }

  function lines(box, px, width, height, em) {
    const { x0, y0, wide, step } = box;
    const high = ASPECT * wide;
    const at = (from, size) =>
      Array.from(
        { length: Math.floor((from + size) / step + 1e-9) - Math.ceil(from / step - 1e-9) + 1 },
        (_, i) => (Math.ceil(from / step - 1e-9) + i) * step,
      );
    const across = at(x0, wide);
    const up = at(y0, high);
    const digits = step < 1 ? 1 : 0;
    const told =
      // no room: every second number
      (step / wide) * width < 2.9 * em ? (t) => Math.round(t / step) % 2 === 0 : () => true;
    put(grid, {
      d:
        across.map((x) => `M${px([x, 0])[0]} 0V${height}`).join("") +
        up.map((y) => `M0 ${px([0, y])[1]}H${width}`).join(""),
    });
    put(zero, { d: `M${px([0, 0])[0]} 0V${height}M0 ${px([0, 0])[1]}H${width}` });
    ticks.replaceChildren(
      ...across
        .filter(told)
        .map((x) =>
          svg(
            "text",
            { x: px([x, 0])[0], y: height + em, "text-anchor": "middle" },
            number(x, digits),
          ),
        ),
      ...up.map((y) =>
        svg(
          "text",
          { x: -0.3 * em, y: px([0, y])[1] + 0.35 * em, "text-anchor": "end" },
          number(y, digits),
        ),
      ),
    );
  }

  function draw(state, m, { o, h }, box, picked, { em, room }) {
    const margin = 2.1 * em;
    const width = Math.min(room, 27 * em) - margin - 0.6 * em;
    const height = ASPECT * width;
    const unit = width / box.wide;
    const px = ([x, y]) => [(x - box.x0) * unit, height - (y - box.y0) * unit];
    put(plane, {
      style: `width: ${width}px; height: ${height}px; margin: 0.4em 0.6em 1.3em ${margin}px`,
    });
    for (const part of [ground, inner]) put(part, { width, height });
    remake([box, width, em], () => lines(box, px, width, height, em));
    if (rows.length !== m.now.rows.length) build(m.now.rows.length);

    const moving = new Map(m.inRows.map((pull) => [pull.row, pull]));
    const chosen = m.asked[picked].row;
    const index = new Map(m.asked.map(({ row }, i) => [row, i]).reverse());
    const taken = [];
    const block = ([x, y], r) => taken.push([x - r, y - r, x + r, y + r]);
    spots = [];
    let short = 0;
    let longest = 0;
    let unseen = 0;
    rows.forEach(({ mark, arrow }, row) => {
      const from = px(m.now.rows[row]);
      const to = px(m.next.rows[row]);
      const moves = moving.has(row);
      const small = rows.length > 16;
      put(mark, {
        d: markPath(method, ...from, (small ? 0.26 : 0.33) * em),
        class: moves ? "at-mark at-moves" : "at-mark",
      });
      block(from, 0.3 * em);
      const long = Math.hypot(to[0] - from[0], to[1] - from[1]);
      const main = method !== "hs" && row === o;
      put(arrow, {
        d: moves && long >= SHORTEST ? arrowPath(from, to, 0.6 * em) : null,
        class: main ? "at-move at-main" : "at-move",
      });
      if (!moves) return;
      spots.push({ index: index.get(row), from, to });
      longest = Math.max(longest, long / unit);
      if (long < SHORTEST) [short, unseen] = [short + 1, Math.max(unseen, long / unit)];
      const pieces = Math.min(8, Math.ceil(long / em));
      for (let i = 1; i <= pieces; i++)
        block(
          [0, 1].map((k) => from[k] + ((to[k] - from[k]) * i) / pieces),
          0.2 * em,
        );
    });
    const centre = px([0, 0]);
    const tip = px(m.v);
    const nextTip = px(m.nextV);
    put(ring, { cx: px(m.now.rows[chosen])[0], cy: px(m.now.rows[chosen])[1], r: 0.75 * em });
    put(shaft, { d: arrowPath(centre, tip, 0.8 * em) });
    const way = [0, 1].map((k) => nextTip[k] - tip[k]);
    const turns = Math.hypot(...way) >= SHORTEST;
    const [start, head] = turns
      ? arrowPath(tip, nextTip, 0.6 * em).split(/(?<=\d)(?=M)/)
      : [null, null];
    put(turn, { d: start });
    put(turnHead, { d: head });
    const back = (0.4 * em) / (Math.hypot(tip[0] - centre[0], tip[1] - centre[1]) || 1);
    block(
      [0, 1].map((k) => tip[k] + (centre[k] - tip[k]) * back),
      0.45 * em,
    ); // the arrow's head
    for (let i = 1; turns && i < 6; i++)
      block(
        [0, 1].map((k) => tip[k] + (way[k] * i) / 5),
        0.25 * em,
      );
    for (let i = 1; i < 6; i++)
      block(
        [0, 1].map((k) => centre[k] + ((tip[k] - centre[k]) * i) / 6),
        0.25 * em,
      );

    /**
     * Where a name has room beside a place: a corner of it that covers nothing yet, or the first if
     * it must.
     */
    function roomFor([x, y], length, must) {
      const w = length * 0.52 * em;
      const t = 0.9 * em;
      const around = (r) => [
        [x + r, y + 0.35 * em],
        [x - r - w, y + 0.35 * em],
        [x - w / 2, y - r - 0.1 * em],
        [x - w / 2, y + r + 0.75 * em],
        [x + 0.6 * r, y - 0.7 * r],
        [x - 0.6 * r - w, y - 0.7 * r],
        [x + 0.6 * r, y + r + 0.6 * em],
        [x - 0.6 * r - w, y + r + 0.6 * em],
      ];
      const corners = (must ? [0.5, 0.9, 1.4] : [0.5])
        .flatMap((far) => around(far * em))
        .map(([a, b]) => [
          Math.max(0, Math.min(width - w, a)),
          Math.max(t, Math.min(height - 2, b)),
        ]);
      const covers = ([a, b]) =>
        taken.filter(([l, u, r1, d]) => a < r1 && a + w > l && b - t < d && b > u).length;
      const counts = corners.map(covers);
      const least = Math.min(...counts);
      if (least > 0 && !must) return null;
      const [a, b] = corners[counts.indexOf(least)];
      taken.push([a, b - t, a + w, b]);
      return [a, b];
    }

    const [hx, hy] = roomFor(tip, 1.8, true);
    richSvg(home, "v_c");
    put(home, { x: hx, y: hy });
    const first = (row) =>
      row === chosen
        ? 4
        : method !== "hs" && row === o
          ? 3
          : method === "ns" && h.includes(row)
            ? 2
            : Math.abs(moving.get(row)?.error ?? -1);
    const wanted = rows.map((_, row) => row).sort((a, b) => first(b) - first(a) || a - b);
    const many = rows.length > 16;
    wanted.forEach((row, place) => {
      const { name } = rows[row];
      const moves = moving.has(row);
      const text = rowName(method, row, state.words);
      const spot =
        !many || (moves && place < 11)
          ? roomFor(px(m.now.rows[row]), text.length, place < 2)
          : null;
      put(name, {
        display: spot ? null : "none",
        x: spot?.[0] ?? 0,
        y: spot?.[1] ?? 0,
        text: spot ? text : "",
        class: moves ? "at-halo" : "at-halo at-still",
        "font-weight": row === chosen ? 700 : 400,
      });
    });
    put(plane, {
      "aria-label":
        `plane: ${m.moved} of ${rows.length} rows move by their errors times v c; ` +
        `v c from ${m.v.map((x) => number(x, 2)).join(", ")} to ${m.nextV.map((x) => number(x, 2)).join(", ")}`,
    });
    put(note, {
      "data-value": longest,
      "data-unseen": short,
      text:
        `The longest move of a row: ${number(longest)}` +
        (short ? `; ${short} too short to see, at most ${number(unseen)}` : ""),
    });
  }

  return { node, draw };
}
