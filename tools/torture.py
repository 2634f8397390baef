"""Try to break what must hold: kill runs, damage files, feed strange texts; count the ends.

    python -m tools.torture                  all of it, about a quarter of an hour
    python -m tools.torture kills --trials 5

Every trial must end in the right result or in one clear line: never in a crash of the interpreter,
a traceback, a hang, or a silent wrong result. Texts and files are made up here, in a temporary
folder. The seed is printed, so that a failure can be repeated.
"""

import argparse
import contextlib
import io
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np

from utils.corpus import load_corpus
from utils.embeddings import Embeddings
from utils.fast import checkpoints
from utils.fast.__main__ import main as fast_command

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120  # seconds after which a process counts as hung
RIGHT = "right result"
REFUSED = "one clear line"
OPTIONS = ["--dim", "8", "--min-count", "1", "--threads", "1", "--every", "0.05"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


# What all trials share --------------------------------------------------------------------------


def made_up_text(path: Path, words: int, seed: int = 0) -> None:
    """A text of so many words, frequent ones and rare ones, ten to a line."""
    random_words = np.random.default_rng(seed).zipf(1.3, words) % 2000
    names = ["".join(LETTERS[int(digit)] for digit in str(word)) for word in random_words]
    lines = [" ".join(names[start : start + 10]) for start in range(0, words, 10)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def one_clear_line(text: str) -> bool:
    return text.count("\n") == 1 and len(text) > 10 and "Traceback" not in text


def judged(code: int, errors: str, output: Path, reference: bytes) -> str:
    """How a run of the command ended: RIGHT, REFUSED, or what is wrong with it."""
    if code == 0:
        if not output.exists():
            return "code 0, but no vectors"
        return RIGHT if output.read_bytes() == reference else "silent wrong result"
    if not one_clear_line(errors):
        return f"code {code} without one clear line: {errors.strip()[-200:]!r}"
    return REFUSED


# Kills ------------------------------------------------------------------------------------------


def command(corpus: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "utils.fast", str(corpus), "--out", str(output), *OPTIONS, *more]


def run_command(words: list[str], kill_after: float | None = None, kind=signal.SIGKILL):
    """(code, errors) of a process, killed after so many seconds if it still runs then."""
    process = subprocess.Popen(
        words, cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if kill_after is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(kill_after)
        if process.poll() is None:
            process.send_signal(kind)
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, "hung"
    return process.returncode, errors


def killed_run(corpus, output, reference, seconds, chance) -> tuple[str, int]:
    """(verdict, kills) of a run that is killed one to four times, resumed, then left alone."""
    checkpoint = output.with_name(output.name + ".checkpoint")
    kills = 0
    for _ in range(chance.randint(1, 4)):
        resume = ["--resume"] if checkpoint.exists() else []
        kind = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        start = [*command(corpus, output, *resume)]
        code, errors = run_command(start, chance.uniform(0.2, 1.1) * seconds, kind)
        if code is None:
            return "hung", kills
        if code == 0:
            break
        kills += 1
        if "Traceback" in errors:
            return f"a traceback: {errors.strip()[-300:]!r}", kills
        if code not in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, 130, 143):
            return f"killed, but ended with code {code}: {errors.strip()[-200:]!r}", kills
    if checkpoint.exists() or not output.exists():  # killed after writing, too: it has to tidy up
        resume = ["--resume"] if checkpoint.exists() else []
        code, errors = run_command(command(corpus, output, *resume))
        verdict = judged(code, errors, output, reference)
        if verdict == REFUSED:
            verdict = f"refused to go on: {errors.strip()!r}"
    else:
        verdict = RIGHT if output.read_bytes() == reference else "silent wrong result"
    stray = {path.name for path in output.parent.iterdir()} - {corpus.name, output.name}
    if verdict == RIGHT and stray:
        verdict = f"left behind: {sorted(stray)}"
    return verdict, kills


def kills(trials: int, seed: int, folder: Path) -> Counter:
    """Runs killed at random points (KILL, TERM, INT) while reading, training and saving."""
    corpus = folder / "corpus.txt"
    made_up_text(corpus, 400_000)
    whole = folder / "whole.txt"
    start = time.monotonic()
    code, errors = run_command(command(corpus, whole))
    seconds = time.monotonic() - start
    if code != 0:
        raise SystemExit(f"the run that is left alone fails: {errors}")
    reference = whole.read_bytes()
    whole.unlink()
    chance = random.Random(seed)
    results = Counter()
    points = 0
    while points < trials:
        output = folder / "vectors.txt"
        verdict, count = killed_run(corpus, output, reference, seconds, chance)
        points += count
        results[verdict] += 1
        clean(folder, keep=corpus)
    results["kill points"] = points
    return results


def clean(folder: Path, keep: Path) -> None:
    for path in folder.iterdir():
        if path != keep:
            path.unlink()


# Damage -----------------------------------------------------------------------------------------


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with bits turned, its end cut off, or a piece lost, doubled or overwritten."""
    content = bytearray(content)
    start = chance.randrange(len(content))
    stop = min(len(content), start + chance.choice([1, 4, 64, 1024, len(content)]))
    kind = chance.choice(["flip", "flip", "cut", "lose", "double", "zero", "noise"])
    if kind == "flip":
        for _ in range(chance.choice([1, 1, 1, 8])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del content[start:]
    elif kind == "lose":
        del content[start:stop]
    elif kind == "double":
        content[start:start] = content[start:stop]
    elif kind == "zero":
        content[start:stop] = bytes(stop - start)
    else:
        content[start:stop] = chance.randbytes(stop - start)
    return bytes(content)


def in_a_process(job, *arguments):
    """job(*arguments) in a process of its own: a crash of the interpreter is seen and survived.

    `job` is a generator of verdicts. What it had yielded before a crash is kept.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send_all, args=(sender, job, arguments))
    process.start()
    sender.close()
    results = Counter()
    with contextlib.suppress(EOFError):
        while True:
            if not receiver.poll(PATIENCE):
                process.kill()
                results["hung"] += 1
                break
            results[receiver.recv()] += 1
    process.join()
    if process.exitcode:
        results[f"the interpreter ended with code {process.exitcode}"] += 1
    return results


def send_all(sender, job, arguments):
    for verdict in job(*arguments):
        sender.send(verdict)


def quiet_command(*words: str) -> tuple[int, str]:
    """(code, errors) of the command, run in this process."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = fast_command([*words, *OPTIONS])
        except SystemExit as error:
            code = error.code
        except Exception:
            return -1, traceback.format_exc()
    return code, errors.getvalue()


def stopped_run(corpus: Path, output: Path) -> bytes:
    """The checkpoint of a run that was stopped in the middle of its training."""
    checkpoint = output.with_name(output.name + ".checkpoint")
    process = subprocess.Popen(
        command(corpus, output),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    first = checkpoint.read_bytes()
    while process.poll() is None and checkpoint.read_bytes() == first:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    return checkpoint.read_bytes()


def tampered(content: bytes, chance: random.Random) -> bytes:
    """A checkpoint with a true checksum and wrong content: tensors swapped, counters wild."""
    state = checkpoints.unpack(content)
    kind = chance.choice(["swap", "cut", "dtype", "nan", "missing", "counter", "history"])
    tensors = sorted(name for name, value in state.items() if hasattr(value, "dtype"))
    name = chance.choice(tensors)
    if kind == "swap":
        other = chance.choice([one for one in tensors if one != name])
        state[name], state[other] = state[other], state[name]
    elif kind == "cut":
        state[name] = state[name][: len(state[name]) // 2]
    elif kind == "dtype":
        state[name] = state[name].double()
    elif kind == "nan":
        state[name] = state[name].clone()
        state[name].view(-1)[chance.randrange(state[name].numel())] = math.nan
    elif kind == "missing":
        del state[chance.choice(sorted(state))]
    elif kind == "counter":
        counters = sorted(name for name, value in state.items() if isinstance(value, int))
        state[chance.choice(counters)] = chance.choice([-1, 10**9, 2**70, math.nan, "3", None])
    else:
        state["history"] = chance.choice([None, {}, {"loss": [1.0]}, {"loss": "abc"}])
    return checkpoints.pack(state)


def damaged_checkpoints(trials: int, seed: int, folder: Path, content: bytes, reference: bytes):
    """A verdict for each damaged checkpoint that a run is asked to go on from."""
    chance = random.Random(seed)
    corpus = folder / "corpus.txt"
    output = folder / "vectors.txt"
    checkpoint = folder / "vectors.txt.checkpoint"
    for trial in range(trials):
        spoil = tampered if trial % 3 == 0 else damaged
        broken = spoil(content, chance)
        checkpoint.write_bytes(broken)
        code, errors = quiet_command(str(corpus), "--out", str(output), "--resume")
        verdict = judged(code, errors, output, reference)
        if verdict == REFUSED and checkpoint.read_bytes() != broken:
            verdict = "refused, but the checkpoint was changed"
        yield verdict
        clean(folder, keep=corpus)


def checkpoint_damage(trials: int, seed: int, folder: Path) -> Counter:
    """Checkpoints with bits turned, pieces lost, tensors swapped: resumed rightly or refused."""
    corpus = folder / "corpus.txt"
    output = folder / "vectors.txt"
    made_up_text(corpus, 300_000)
    content = stopped_run(corpus, output)
    code, errors = run_command(command(corpus, output, "--resume"))
    if code != 0:
        raise SystemExit(f"the checkpoint that is not damaged cannot be resumed: {errors}")
    reference = output.read_bytes()
    clean(folder, keep=corpus)
    return in_a_process(damaged_checkpoints, trials, seed, folder, content, reference)


def rows_of(content: bytes) -> list[tuple[str, list[float]]]:
    """What a text file of vectors says, read without any care."""
    lines = content.decode("utf-8").split("\n")[1:]
    fields = [line.rstrip(" ").split(" ") for line in lines if line]
    return [
        (first, [float(np.float32(number)) for number in numbers]) for first, *numbers in fields
    ]


def damaged_vectors(trials: int, seed: int, folder: Path):
    """A verdict for each damaged file of vectors that is loaded."""
    chance = random.Random(seed)
    words = ["river", "été", "हिन्दी", "x" * 300] + [f"word{i}" for i in range(60)]
    vectors = np.random.default_rng(seed).normal(size=(len(words), 7)).astype(np.float32)
    for trial in range(trials):
        binary = trial % 2 == 1
        path = folder / ("vectors.bin" if binary else "vectors.txt")
        Embeddings(words, vectors).save_word2vec(path, binary=binary)
        whole = path.read_bytes()
        broken = damaged(whole, chance)
        path.write_bytes(broken)
        yield verdict_on_vectors(path, binary, broken)


def verdict_on_vectors(path: Path, binary: bool, content: bytes) -> str:
    try:
        loaded = Embeddings.load_word2vec(path, binary=binary)
    except ValueError as error:
        return REFUSED if one_clear_line(f"{error}\n") else f"more than one line: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if len(set(loaded.words)) != len(loaded.words) or not np.isfinite(loaded.vectors.numpy()).all():
        return "silent wrong result"
    if binary:
        again = path.with_name("again.bin")
        loaded.save_word2vec(again, binary=True)
        said = content.replace(b"\n", b"")
        return RIGHT if again.read_bytes().replace(b"\n", b"") == said else "silent wrong result"
    rows = list(zip(loaded.words, loaded.vectors.tolist(), strict=True))
    return RIGHT if rows == rows_of(content) else "silent wrong result"


def vector_damage(trials: int, seed: int, folder: Path) -> Counter:
    """Damaged files of vectors, text and binary: loaded as they stand or refused."""
    return in_a_process(damaged_vectors, trials, seed, folder)


# Texts ------------------------------------------------------------------------------------------


def slow_words(line: str) -> list[str]:
    """The words of a line, letter by letter, as the rule is written: an independent reference."""
    line = unicodedata.normalize("NFC", unicodedata.normalize("NFC", line).lower())
    words = [""]
    for place, character in enumerate(line):
        kind = unicodedata.category(character)[0]
        after = line[place + 1 :].lstrip("\u200c\u200d")[:1]
        joins = character in "\u200c\u200d" and after and unicodedata.category(after)[0] in "LM"
        inside = kind == "L" or (words[-1] and (kind == "M" or joins))
        if inside:
            words[-1] += character
        elif words[-1]:
            words.append("")
    return [word for word in words if word]


def strange_text(chance: random.Random) -> str:
    """Characters of every kind, with line ends of every kind, now and then a very long line."""
    alphabets = [
        "abcdefghij ",
        "éèü ßÆ ",
        "\u0301\u0308\u093f\u094d हिन्दीमें ",
        "\u200c\u200d\ufeff\u00ad",
        "𝒜𐍈一二ภาษาไทย ",
        "0123²½Ⅷ_'’—",
    ]
    ends = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\t", "\n\n"]
    length = chance.choice([0, 1, 5, 50, 500])
    pieces = []
    for _ in range(length):
        kind = chance.random()
        if kind < 0.1:
            pieces.append(chance.choice(ends))
        elif kind < 0.3:
            pieces.append(any_character(chance))
        else:
            pieces.append(chance.choice(chance.choice(alphabets)))
    return "".join(pieces)


def any_character(chance: random.Random) -> str:
    while True:
        character = chr(chance.randrange(sys.maxunicode + 1))
        if unicodedata.category(character) != "Cs":  # a lone surrogate cannot be written as UTF-8
            return character


def read_texts(trials: int, seed: int, folder: Path):
    """A verdict for each strange text: the reader's words are those of the slow rule."""
    chance = random.Random(seed)
    path = folder / "text.txt"
    for _ in range(trials):
        text = strange_text(chance)
        path.write_bytes(text.encode("utf-8"))
        lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        expected = [words for line in lines if (words := slow_words(line))]
        try:
            found = load_corpus(path)
        except ValueError as error:
            refused = not expected and one_clear_line(f"{error}\n")
            yield REFUSED if refused else f"refused: {error}"
            continue
        yield RIGHT if found == expected else f"seed {seed}: wrong words for {text!r}"[:200]


def texts(trials: int, seed: int, folder: Path) -> Counter:
    """Texts of all Unicode categories and line ends: the words that the rule names."""
    return in_a_process(read_texts, trials, seed, folder)


CAMPAIGNS = {
    "kills": (kills, 60),
    "checkpoints": (checkpoint_damage, 400),
    "vectors": (vector_damage, 600),
    "texts": (texts, 2000),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaign", nargs="*", choices=[*CAMPAIGNS, []], help="all by default")
    parser.add_argument("--trials", type=int, help="of each campaign")
    parser.add_argument("--seed", type=int, default=None, help="by default the time")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 2**31
    os.environ.setdefault("TQDM_DISABLE", "1")
    print(f"seed {seed}", flush=True)
    bad = 0
    for name in given.campaign or CAMPAIGNS:
        campaign, trials = CAMPAIGNS[name]
        with tempfile.TemporaryDirectory() as folder:
            results = campaign(given.trials or trials, seed, Path(folder))
        print(f"{name}: {campaign.__doc__.splitlines()[0]}")
        for verdict, count in sorted(results.items()):
            print(f"    {count:6d}  {verdict}", flush=True)
            bad += count * (verdict not in (RIGHT, REFUSED, "kill points"))
    print("all held" if not bad else f"{bad} did not hold")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
