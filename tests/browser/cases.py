"""The cells that the browser tests run: each makes one figure (or two), and is opened by its name."""

CASES = {
    "tree": "from utils.widgets import TreeExplorer\nexplorer = TreeExplorer()\nexplorer",
    "tree of 64": ("from utils.costs import zipf_counts\nfrom utils.widgets import TreeExplorer\n"
                   "words = ['river', 'bank', 'a', 'constitutionally'] + [f'word{i}' for i in range(60)]\n"
                   "TreeExplorer(words, zipf_counts(64), tree='Huffman')"),
}
