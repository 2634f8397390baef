"""The tree explorer: a walk down a tree, and the probabilities at its leaves."""
