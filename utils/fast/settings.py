"""The settings of a run, in one place.

What they mean, their defaults, and which values they take.
"""

from dataclasses import asdict, dataclass, field, fields

from utils.checks import Real, Whole, one_of, real_number, whole_number

MODELS = ("skip-gram", "cbow")
OBJECTIVES = ("ns", "hs", "hs-exact", "softmax", "ns-blocks", "hs-blocks")
CBOW_OBJECTIVES = ("ns", "hs")


def setting(default, help: str, kind: type):
    return field(default=default, metadata={"help": help, "kind": kind})


@dataclass(frozen=True)
class Settings:
    """What decides, with the text and the vocabulary, which vectors a run learns.

    Raises ValueError, which names the value and the remedy, for one outside its range. NumPy's
    numbers become Python's.
    """

    model: str = setting(
        "skip-gram",
        "skip-gram: the centre word predicts its window; cbow: the window's mean predicts it",
        str,
    )
    objective: str = setting(
        "ns",
        "negative sampling, hierarchical softmax or full softmax; -exact: pair by pair; "
        "-blocks: in plain PyTorch",
        str,
    )
    dim: Whole = setting(100, "coordinates of a vector", int)
    window: Whole = setting(5, "words to each side, at most", int)
    negatives: Whole = setting(5, "noise words per pair (K), for ns", int)
    power: Real = setting(0.75, "power of the counts that noise words are drawn by, for ns", float)
    subsample: Real = setting(1e-3, "threshold t for frequent words, 0 for off", float)
    epochs: Whole = setting(5, "passes over the text", int)
    lr: Real | None = setting(
        None, "learning rate at the start, such as .025; by default each row has its own", float
    )
    seed: Whole = setting(0, "of all random draws", int)

    def __post_init__(self):
        checked = {
            "model": one_of("model", self.model, MODELS),
            "objective": one_of("objective", self.objective, OBJECTIVES),
            "dim": whole_number("dim", self.dim, most=100_000),
            "window": whole_number("window", self.window, most=1_000),
            "negatives": whole_number("negatives", self.negatives, most=10_000),
            "power": real_number("power", self.power, least=-100, most=100),
            "subsample": real_number("subsample", self.subsample, least=0, hint=", 0 for off"),
            "epochs": whole_number("epochs", self.epochs, most=1_000_000),
            "seed": whole_number("seed", self.seed, least=0),
        }
        if self.model == "cbow" and self.objective not in CBOW_OBJECTIVES:
            raise ValueError(
                f"the objective {self.objective!r} is for skip-gram only; with model='cbow' choose "
                f"from {', '.join(CBOW_OBJECTIVES)}"
            )
        if self.lr is not None:
            checked["lr"] = real_number("lr", self.lr, above=0, hint=", or none for own rates")
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the class is frozen for everybody else

    def as_dict(self) -> dict:
        return asdict(self)


def options() -> list[tuple[str, type, object, str]]:
    """(name, kind, default, help) of each setting, for a command's parser."""
    return [
        (one.name, one.metadata["kind"], one.default, one.metadata["help"])
        for one in fields(Settings)
    ]
