"""Small byte-level language models, trained over a grid of sizes and data budgets."""
