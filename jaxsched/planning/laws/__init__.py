"""Laws that predict the loss of a run from its rates."""
