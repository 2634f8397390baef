"""The gradient inspector: one pair's gradients under each objective, step by step."""
