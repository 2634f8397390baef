"""The cells that the browser tests run, opened by name; each makes one figure, or two."""

TREE = "from utils.widgets import TreeExplorer\n"
NOISE = "from utils.widgets import NoiseExplorer\n"
INSPECTOR = "from utils.widgets import GradientInspector\n"

CASES = {
    "tree": TREE + "explorer = TreeExplorer()\nexplorer",
    "tree of 64": TREE
    + (
        "from utils.costs import zipf_counts\n"
        "words = ['river', 'bank', 'constitutionally', *[f'w{i}' for i in range(61)]]\n"
        "TreeExplorer(words, zipf_counts(64), tree='Huffman', word='w9')"
    ),
    "two trees": TREE + "display(TreeExplorer(), TreeExplorer(tree='chain', word='king'))",
    "noise": NOISE + "noise = NoiseExplorer()\nnoise",
    "noise of 64": NOISE
    + (
        "from utils.costs import zipf_counts\n"
        "words = ['the', 'river', 'constitutionally', *[f'w{i}' for i in range(61)]]\n"
        "NoiseExplorer(words, zipf_counts(64), K=20, before=20_000)"
    ),
    "two noises": NOISE
    + "display(NoiseExplorer(), NoiseExplorer(power=1, word='king', on_hit='redraw', seed=7))",
    "inspector": INSPECTOR + "inspector = GradientInspector()\ninspector",
    "inspector of 64": INSPECTOR
    + (
        "from utils.costs import zipf_counts\n"
        "words = ['river', 'bank', 'constitutionally', *[f'w{i}' for i in range(61)]]\n"
        "GradientInspector(words, zipf_counts(64), context='w40')"
    ),
    "inspector of lesson 01": INSPECTOR + "GradientInspector(methods=['full'])",
    "two inspectors": INSPECTOR
    + (
        "display(GradientInspector(), GradientInspector(methods=['full', 'ns'], rate=0.5, "
        "negatives=['king', 'king', 'river']))"
    ),
}
