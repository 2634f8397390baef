// A plane with arrows, one of which can be moved by pointer and by keys.
import { arrows, drag, emOf, number, onlyWhen, put, resize, svg } from "./base.js";

/**
 * A square from -reach to reach: {node, draw({hidden, vectors})}. `vectors` is [{vector, name,
 * lit}], drawn from the
 * origin; the lit ones are named. `now()` is the vector as it stands, `move([x, y], done)` hears
 * where the reader
 * wants it.
 */
export function vectorPad({ label, reach, step = 0.1, now, move }) {
  const ground = svg("rect", { class: "at-pad-ground at-drag" });
  const axes = svg("path", { class: "at-axes" });
  const ticks = svg("g", { class: "at-small" });
  const others = svg("g");
  const names = svg("g", { class: "at-small" });
  const shaft = svg("line", { class: "at-shaft" });
  const tip = svg("circle", { class: "at-tip" });
  const hit = svg("circle", { class: "at-hit" });
  const ring = svg("circle", { class: "at-focus" });
  const name = svg("text", { class: "at-halo", "font-weight": "700" });
  name.append("v", svg("tspan", { dy: "0.3em", class: "at-small" }, "c"));
  const handle = svg(
    "g",
    {
      class: "at-drag at-handle",
      tabindex: "0",
      role: "slider",
      "aria-label": label,
      "aria-valuemin": -reach,
      "aria-valuemax": reach,
    },
    hit,
    tip,
    ring,
    name,
  );
  const node = svg(
    "svg",
    { role: "group", "aria-label": label },
    ground,
    axes,
    ticks,
    others,
    shaft,
    names,
    handle,
  );
  const remake = onlyWhen();
  let side = 1;
  let em = 14;
  const px = ([x, y]) => [(side / 2) * (1 + x / reach), (side / 2) * (1 - y / reach)];
  const hold = (vector) =>
    vector.map((c) => Math.max(-reach, Math.min(reach, Math.round(c * 100) / 100)));

  const follow = (event, done) => {
    const box = node.getBoundingClientRect();
    const [right, down] = [
      (event.clientX - box.left) / box.width,
      (event.clientY - box.top) / box.height,
    ];
    move(hold([(2 * right - 1) * reach, (1 - 2 * down) * reach]), done);
  };
  drag(
    handle,
    () => {
      handle.focus({ preventScroll: true });
    },
    follow,
  );
  drag(
    ground,
    (event) => {
      follow(event, false);
      handle.focus({ preventScroll: true });
    },
    follow,
  );
  handle.addEventListener("keydown", (event) => {
    const way = arrows(event);
    if (way) move(hold(now().map((c, i) => c + step * way[i])), true);
  });

  /** An arrow from the origin. */
  function arrow({ vector, lit }) {
    const [x, y] = px(vector);
    const [dx, dy] = [x - side / 2, y - side / 2];
    const long = Math.hypot(dx, dy) || 1;
    const h = Math.min(0.55 * em, long / 2);
    const [ux, uy] = [(dx / long) * h, (dy / long) * h];
    return svg("path", {
      class: lit ? "at-arrow at-lit" : "at-arrow",
      d:
        `M${side / 2} ${side / 2}L${x} ${y}` +
        `M${x - ux - uy / 2} ${y - uy + ux / 2}L${x} ${y}L${x - ux + uy / 2} ${y - uy - ux / 2}`,
    });
  }

  /** The name of an arrow, beyond its tip. */
  function nameOf({ vector, name: text }) {
    const [x, y] = px(vector);
    const long = Math.hypot(...vector) || 1;
    return svg(
      "text",
      {
        class: "at-halo",
        "text-anchor": "middle",
        x: x + (vector[0] / long) * 0.9 * em,
        y: y - (vector[1] / long) * 0.9 * em + 0.3 * em,
      },
      text,
    );
  }

  function draw({ hidden, vectors }) {
    em = emOf(node.parentNode);
    side = Math.min(17 * em, node.parentNode.clientWidth || 17 * em);
    resize(node, side, side);
    put(ground, { width: side, height: side });
    put(axes, { d: `M0 ${side / 2}H${side}M${side / 2} 0V${side}` });
    remake([side, em, vectors], () => {
      ticks.replaceChildren(
        ...[-1, 1].flatMap((t) => [
          svg(
            "text",
            { x: px([t, 0])[0], y: side / 2 + 1.1 * em, "text-anchor": "middle" },
            number(t, 0),
          ),
          svg(
            "text",
            { x: side / 2 - 0.3 * em, y: px([0, t])[1] + 0.35 * em, "text-anchor": "end" },
            number(t, 0),
          ),
        ]),
      );
      others.replaceChildren(...vectors.map(arrow));
      names.replaceChildren(...vectors.filter(({ lit }) => lit).map(nameOf));
    });
    const [x, y] = px(hidden);
    put(shaft, { x1: side / 2, y1: side / 2, x2: x, y2: y });
    put(hit, { cx: x, cy: y, r: 1.4 * em });
    put(tip, { cx: x, cy: y, r: 0.45 * em });
    put(ring, { cx: x, cy: y, r: 0.85 * em });
    put(name, {
      x: Math.min(x + 0.6 * em, side - 1.5 * em),
      y: y < 1.6 * em ? y + 1.7 * em : y - 0.6 * em,
    });
    put(handle, {
      "aria-valuenow": hidden[0].toFixed(2),
      "aria-valuetext": hidden.map((c) => c.toFixed(2)).join(" and "),
    });
  }

  return { node, draw };
}
