"""The noise explorer: the noise distribution, its draws, and the loss term by term."""
