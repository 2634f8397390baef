// The tree explorer: one state, what follows from it, and the parts that show it.
import { el, live, number } from "../common/base.js";
import { compute, problemOf, REACH } from "./math.js";
import { treeDrawing } from "./drawing.js";
import { buildingPanel, depthPanel, fieldsPanel, vectorPanel, walkPanel } from "./panels.js";
import { vocabularyField } from "../common/vocabulary.js";

function build(figure) {
  const { frame, change } = figure;
  const recount = (index, count, done, place) => {
    const at = index ?? figure.state.words.indexOf(figure.state.word);
    change({ counts: figure.state.counts.map((old, i) => (i === at ? count : old)) }, done, place);
  };
  const fields = fieldsPanel(figure, recount);
  const building = buildingPanel(figure);
  const walk = walkPanel();
  const drawing = treeDrawing(figure, { pick: (word) => change({ word }), recount });
  const depths = depthPanel();
  const vector = vectorPanel(figure, REACH);
  const vocabulary = vocabularyField(figure, (words) => ({
    merges: null,
    tree: figure.state.tree === "D2L" && words.length !== 8 ? "balanced" : figure.state.tree,
  }));
  const legend = el(
    "p",
    { class: "at-quiet" },
    "An edge is as wide as the probability of coming along it. The line " +
      "across a bar of P is the word’s share of the counts, p(w).",
  );

  frame.append(
    fields.node,
    building.node,
    el("div", { class: "at-scroll" }, drawing.node),
    legend,
    el(
      "div",
      { class: "at-columns" },
      el("div", { class: "at-grow" }, walk.node, depths.node),
      vector.node,
    ),
    vocabulary.node,
  );

  return (state) => {
    const view = compute(state);
    for (const part of [fields, building, drawing, walk, depths, vector]) part.draw(state, view);
    figure.say(
      view.built < view.V - 1
        ? building.told()
        : `${state.word}: ${view.steps.length} decisions, P ${number(view.steps.at(-1).product)}; the leaves sum to ` +
            `${number(view.sum, 6)}; expected depth ${number(view.depth, 2)}`,
    );
  };
}

export default {
  render: (context) =>
    live(context, {
      label: "Tree explorer",
      check: problemOf,
      build,
      traits: ["words", "counts", "tree", "word", "hidden", "merges", "vectors"],
    }),
};
