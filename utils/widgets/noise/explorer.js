// The noise explorer: one state, what follows from it, and the parts that show it.
import { el, live, many, number, put } from "../common/base.js";
import { compute, problemOf } from "./math.js";
import { wordColumns } from "./drawing.js";
import { hitsPanel, lossPanel, percent } from "./loss.js";
import { choicesPanel, hiddenPanel, linePanel } from "./panels.js";
import { vocabularyField } from "../common/vocabulary.js";

function build(figure) {
  const { frame } = figure;
  const choices = choicesPanel(figure);
  const line = linePanel(figure);
  const loss = lossPanel();
  const hits = hitsPanel();
  const columns = wordColumns(figure, (word) => figure.change({ word }));
  const hidden = hiddenPanel(figure);
  const legend = el(
    "p",
    { class: "at-quiet" },
    "Upper bars: the line across is power 1, the word’s share of the " +
      "counts; the dashed line is power 0, 1/V. ● drawn now, ◆ a hit on the positive word. Lower bars: the line " +
      "across is the expectation; of 100 draws and more about 95 in 100 bars end within the upright stroke.",
  );
  const rare = el("p", { class: "at-rare" });
  frame.classList.add("at-noises");
  frame.append(
    choices.node,
    el("div", { class: "at-scroll" }, columns.node),
    rare,
    legend,
    line.node,
    el(
      "div",
      { class: "at-columns" },
      el("div", { class: "at-grow" }, loss.node, hits.node),
      hidden.node,
    ),
    vocabularyField(figure).node,
  );

  return (state) => {
    const view = compute(state);
    const some = view.draws.filter(({ hit }) => hit).length;
    for (const part of [choices, columns, line, loss, hits, hidden]) part.draw(state, view);
    const { words, now, zero, one } = view.rare;
    put(rare, {
      "data-value": now,
      text:
        `The ${words} rarest of ${view.V} words get ${percent(now)} of the draws; ` +
        `it is ${percent(zero)} at power 0 and ${percent(one)} at power 1.`,
    });
    figure.say(
      `power ${number(state.power, 2)}, q of ${state.word} ${number(view.q[view.o])}; drawn ` +
        `${view.draws.map(({ word }) => state.words[word]).join(", ")}; ${some} ${some === 1 ? "hit" : "hits"}; ` +
        `loss ${number(view.loss)}, on average ${number(view.expectedLoss)}; ${many(view.N)} draws so far`,
    );
  };
}

export default {
  render: (context) =>
    live(context, {
      label: "Noise explorer",
      check: problemOf,
      build,
      traits: [
        "words",
        "counts",
        "word",
        "power",
        "K",
        "on_hit",
        "before",
        "seed",
        "hidden",
        "vectors",
        "scale",
      ],
    }),
};
