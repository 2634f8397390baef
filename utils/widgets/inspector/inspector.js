// The gradient inspector: one state, what follows from it for each objective, and the parts that
// show it.
import { el, emOf, live, number, rich } from "../common/base.js";
import { inspect, inspectorProblem, METHODS } from "./math.js";
import { fitted, rowPlane } from "./plane.js";
import { counterPanel, errorPanel, lossPanel, pairPanel, stepPanel, stepsTaken } from "./panels.js";

const SIGNS = { full: "■", ns: "●", hs: "▲" };

/**
 * One objective: {node, draw}. Which of its errors is worked out is the reader's glance, not part
 * of the state.
 */
function card(figure, method) {
  let picked = null;
  let pair = "";
  const pick = (index) => {
    picked = index;
    figure.redraw();
  };
  const counters = counterPanel(method);
  const plane = rowPlane(method, pick);
  const loss = lossPanel(method);
  const errors = errorPanel(method, pick, () => picked);
  const node = el(
    "div",
    {
      class: `at-card at-${method}`,
      role: "group",
      "data-method": method,
      "aria-label": METHODS[method],
    },
    el(
      "div",
      { class: "at-part" },
      el(
        "p",
        { class: "at-head" },
        el("span", { class: "at-sign", "aria-hidden": "true" }, SIGNS[method]),
        ` ${METHODS[method]}`,
      ),
      counters.node,
      plane.node,
      loss.node,
    ),
    el("div", { class: "at-part" }, errors.node),
  );

  function draw(state, view, box, size) {
    if (node.hidden) return;
    const m = view.methods[method];
    const now = [state.centre, state.context, m.asked.length].join(" ");
    if (now !== pair || picked === null || picked >= m.asked.length)
      picked = method === "full" ? view.o : 0;
    pair = now;
    counters.draw(state, m, view);
    plane.draw(state, m, view, box, picked, size);
    loss.draw(state, m, size);
    errors.draw(state, m, view, picked);
  }

  return {
    node,
    draw,
    show: (view) => {
      node.hidden = !(method in view.methods);
    },
    room: () => node.firstChild.clientWidth,
  };
}

function build(figure) {
  const pairs = pairPanel(figure);
  const steps = stepPanel(figure);
  const cards = Object.keys(METHODS).map((method) => card(figure, method));
  const refrain = el(
    "p",
    {},
    ...rich(
      "Every row’s gradient is an error times a vector: a row u moves by −rate × " +
        "error × v_c, the centre word’s v_c by −rate × the sum of error × row. The arrows are one step at this rate.",
    ),
  );
  const beware = el(
    "p",
    { class: "at-quiet" },
    "In nats the full softmax and hierarchical softmax can be compared, " +
      "negative sampling with neither: it asks another question.",
  );
  figure.frame.append(
    pairs.node,
    steps.node,
    refrain,
    el("div", { class: "at-cards" }, ...cards.map((one) => one.node)),
    beware,
  );

  return (state) => {
    const view = inspect(state);
    const box = fitted(view);
    pairs.draw(state, view);
    steps.draw(state, view);
    for (const one of cards) one.show(view);
    const em = emOf(figure.frame);
    // all measured before any is drawn
    const sizes = cards.map((one) => ({ em, room: one.room() || 20 * em }));
    cards.forEach((one, i) => one.draw(state, view, box, sizes[i]));
    beware.hidden = !(state.methods.includes("ns") && state.methods.length > 1);
    figure.say(
      `${state.centre} and ${state.context}, ${stepsTaken(state.taken)}. ` +
        state.methods
          .map(
            (name) =>
              `${METHODS[name]}: ${view.methods[name].asked.length} dot products, loss ${number(view.methods[name].loss)}`,
          )
          .join("; "),
    );
  };
}

export default {
  render: (context) =>
    live(context, {
      label: "Gradient inspector",
      check: inspectorProblem,
      build,
      traits: [
        "words",
        "counts",
        "tree",
        "centre",
        "context",
        "negatives",
        "rate",
        "methods",
        "centre_rows",
        "output_rows",
        "node_rows",
        "taken",
      ],
    }),
};
