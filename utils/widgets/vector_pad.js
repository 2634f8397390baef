// A plane with arrows, one of which can be moved by pointer and by keys.
import { arrows, drag, emOf, number, put, svg } from "./base.js";

/**
 * A square from -reach to reach: {node, draw({hidden, vectors})}. `vectors` is [{vector, name, lit}], drawn from the
 * origin; the lit ones are named. `move([x, y], done)` hears where the reader wants the hidden vector.
 */
export function vectorPad({ label, reach, step = 0.1, move }) {
  const others = svg("g"), shaft = svg("line", { class: "at-arrow-hidden" }), tip = svg("circle", { class: "at-tip" });
  const ring = svg("circle", { class: "at-focus" }), name = svg("text", { class: "at-halo" }, "v");
  name.append(svg("tspan", { dy: "0.3em", class: "at-small" }, "c"));
  put(name, { "font-weight": "700" });
  const handle = svg("g", { class: "at-drag", tabindex: "0", role: "slider", "aria-label": label,
    "aria-valuemin": -reach, "aria-valuemax": reach }, svg("circle", { class: "at-hit" }), tip, ring, name);
  const frame = svg("rect", { class: "at-pad-frame" }), axes = svg("path", { class: "at-axes" });
  const ticks = svg("g", { class: "at-small" });
  const node = svg("svg", { role: "group", "aria-label": label }, frame, axes, ticks, others, shaft, handle);
  let side = 1, at = [0, 0];
  const px = ([x, y]) => [side / 2 * (1 + x / reach), side / 2 * (1 - y / reach)];
  const hold = ([x, y]) => [x, y].map((c) => Math.max(-reach, Math.min(reach, Math.round(c * 100) / 100)));

  const place = (event, done) => {
    const box = node.getBoundingClientRect();
    move(hold([(event.clientX - box.left) / box.width * 2 - 1, 1 - (event.clientY - box.top) / box.height * 2]
      .map((c) => c * reach)), done);
  };
  drag(handle, () => true, place);
  drag(frame, (event) => { place(event, false); }, place);
  put(frame, { class: "at-pad-frame at-drag" });
  handle.addEventListener("keydown", (event) => {
    const way = arrows(event);
    if (way) move(hold([at[0] + step * way[0], at[1] + step * way[1]]), true);
  });

  function draw({ hidden, vectors }) {
    const em = emOf(node.parentNode);
    side = Math.min(17 * em, node.parentNode.clientWidth || 17 * em);
    at = hidden;
    put(node, { width: side, height: side, viewBox: `0 0 ${side} ${side}` });
    put(frame, { width: side, height: side });
    put(axes, { d: `M0 ${side / 2}H${side}M${side / 2} 0V${side}` });
    ticks.replaceChildren(...[-2, 2].filter((t) => Math.abs(t) < reach).flatMap((t) => [
      svg("text", { x: px([t, 0])[0], y: side / 2 + 1.1 * em, "text-anchor": "middle" }, number(t, 0)),
      svg("text", { x: side / 2 - 0.3 * em, y: px([0, t])[1] + 0.35 * em, "text-anchor": "end" }, number(t, 0))]));
    others.replaceChildren(...vectors.map(({ vector, lit }) => arrow([0, 0], vector, lit, em)),
      ...vectors.filter(({ lit }) => lit).map(({ vector, name: text }) => {
        const [x, y] = px(vector), long = Math.hypot(...vector) || 1;
        return svg("text", { class: "at-halo at-small", x: x + vector[0] / long * 0.9 * em, "text-anchor": "middle",
          y: y - vector[1] / long * 0.9 * em + 0.3 * em }, text);
      }));
    const [x, y] = px(hidden), out = y < 1.6 * em ? 1.5 : -0.8;
    put(shaft, { x1: side / 2, y1: side / 2, x2: x, y2: y });
    for (const [circle, r] of [[tip, 0.45], [handle.firstChild, 1.4], [ring, 0.8]]) put(circle, { cx: x, cy: y, r: r * em });
    put(name, { x: Math.min(x + 0.5 * em, side - 1.6 * em), y: y + out * em });
    put(handle, { "aria-valuenow": number(hidden[0], 2), "aria-valuetext": hidden.map((c) => number(c, 2)).join(", ") });
  }

  function arrow(from, to, lit, em) {
    const [x1, y1] = px(from), [x2, y2] = px(to), long = Math.hypot(x2 - x1, y2 - y1) || 1;
    const h = Math.min(0.5 * em, long), [ux, uy] = [(x2 - x1) / long * h, (y2 - y1) / long * h];
    return svg("path", { class: lit ? "at-arrow at-lit" : "at-arrow",
      d: `M${x1} ${y1}L${x2} ${y2}M${x2 - ux - uy / 2} ${y2 - uy + ux / 2}L${x2} ${y2}L${x2 - ux + uy / 2} ${y2 - uy - ux / 2}` });
  }

  return { node, draw };
}
