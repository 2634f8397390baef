"""Every check is proved: stubs are not attempted, solutions pass, wrong answers are refused for the
right reason.

Solutions come from the solutions notebooks themselves. Right answers in other styles must pass as
well.
"""

import ast
import importlib
import re
import signal
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch

from utils.exercises import assert_right, check, engine, hint, progress, running, state
from utils.exercises import lessons as lessons_package
from utils.exercises.cases import telling
from utils.exercises.registry import WORDS, found_in, joined, registry
from utils.exercises.values import agree, array, as_tensor

pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")
FOLDER = Path(__file__).parents[2] / "notebooks"
NUMBERS = list(registry())
ANSWERS = [
    importlib.import_module(path.stem)
    for path in sorted(Path(__file__).parent.glob("answers_*.py"))
]
WRONG = [entry for module in ANSWERS for entry in module.WRONG]
RIGHT = [entry for module in ANSWERS for entry in module.RIGHT]

exercise = pytest.fixture(params=NUMBERS)(lambda request: registry()[request.param])


@pytest.fixture(autouse=True)
def fresh_state(tmp_path, monkeypatch):
    monkeypatch.setenv("APPROXIMATE_TRAINING_STATE", str(tmp_path))
    monkeypatch.setattr(state, "_hints", {})
    monkeypatch.setattr(running, "SECONDS", 60.0)  # a busy machine is no wrong answer


def notebook(exercise, solutions=False):
    folder = FOLDER / "solutions" if solutions else FOLDER
    (path,) = folder.glob(f"{exercise.lesson}_*.ipynb")
    return path, nbformat.read(path, as_version=4).cells


def cell_of(cells, number):
    (cell,) = [c for c in cells if c.cell_type == "code" and f"check('{number}'" in c.source]
    return cell


def said(capsys, number, answer):
    check(number, answer)
    return capsys.readouterr().out


# The stub and the solution ------------------------------------------------------------------------


def test_stub_is_not_attempted_and_its_box_agrees(exercise, capsys):
    path, cells = notebook(exercise)
    stub = cell_of(cells, exercise.number)
    assert (
        stub.source.split("\n")[-1].startswith(f"check('{exercise.number}', ")
        and '"""' in stub.source
    )
    (function,) = [
        node for node in ast.parse(stub.source).body if isinstance(node, ast.FunctionDef)
    ]
    assert tuple(argument.arg for argument in function.args.args) == exercise.arguments
    exec(stub.source, {"check": check})
    assert capsys.readouterr().out == f"Exercise {exercise.number}: not attempted yet\n"
    box = cells[cells.index(stub) - 1].source
    assert f"### Exercise {exercise.number}: {exercise.title}\n" in box
    assert f"Difficulty {exercise.difficulty} of 3 · {exercise.minutes} minutes · practises " in box
    assert f"[solution](solutions/{path.name}#Exercise-" in box


def test_solution_passes(exercise, capsys):
    path, cells = notebook(exercise, solutions=True)
    names = {}
    out = ""
    for cell in cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
            out = capsys.readouterr().out
            if f"check('{exercise.number}'" in cell.source:
                break
    assert out == f"Exercise {exercise.number}: right. {exercise.right}\n"
    assert exercise.number in state.done()
    assert any(f"### Exercise {exercise.number}: {exercise.title}\n" in c.source for c in cells)
    assert f"](../{path.name})" in cells[0].source


def test_lessons_and_registry_have_the_same_exercises():
    in_lessons = [
        number
        for path in sorted(FOLDER.glob("[0-9]*.ipynb"))
        for cell in nbformat.read(path, 4).cells
        if cell.cell_type == "code"
        for number in re.findall(r"^check\('([\d.]+)'", cell.source, re.M)
    ]
    assert in_lessons == NUMBERS


# Wrong answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, k", [(n, k) for n in NUMBERS for k in range(len(registry()[n].mistakes))]
)
def test_known_mistakes_get_their_own_message(number, k, capsys):
    wrong, message = registry()[number].mistakes[k]
    for _ in range(3):  # whatever numbers are drawn
        out = said(capsys, number, wrong)
        assert out.startswith(f"Exercise {number}: not right yet.") and message in out, out
    assert not state.done()


@pytest.mark.parametrize("number, answer, words", WRONG)
def test_wrong_answers_fail_and_name_the_trouble(number, answer, words, capsys):
    for _ in range(3):
        out = said(capsys, number, answer)
        assert "not right yet" in out and any(part in out for part in words.split("|")), out
        assert f"hint('{number}')" in out


def test_each_exercise_has_wrong_and_right_answers_of_a_learner():
    """Known mistakes are not repeated among them, except once in a learner's own style."""
    for number in NUMBERS:
        assert len(registry()[number].mistakes) >= 4, number
        assert any(n == number for n, *_ in WRONG), number
        assert any(n == number for n, _ in RIGHT), number


# Right answers in another style -------------------------------------------------------------------


@pytest.mark.parametrize("number, answer", RIGHT)
def test_right_answers_in_another_style_pass(number, answer, capsys):
    for _ in range(3):
        assert said(capsys, number, answer).startswith(f"Exercise {number}: right.")


# Cases and words ----------------------------------------------------------------------------------

TEXT = dict.fromkeys(WORDS, "words") | {
    "difficulty": 1,
    "minutes": 5,
    "hints": ["one", "two", "three"],
}
COMPUTED = (
    lambda generator: iter([(1,), lambda: (2,)]),
    lambda x: 2 * x,
    ((lambda x: x, "Twice."),),
)


def test_a_telling_case_is_drawn_until_all_answers_differ():
    draws = iter(
        [(0,), (1,), (2,), (3,)]
    )  # at 0 both agree with the right answer, at 1 with each other
    mistakes = ((lambda x: x, "Twice."), (lambda x: x**2, "Not squared."))
    assert telling(lambda: next(draws), lambda x: 3 * x, mistakes) == (2,)


@pytest.mark.parametrize(
    "mistakes, named",
    [
        (
            ((lambda x: x + x, "Twice."), (lambda x: x, "Once.")),
            "'the right answer' agrees with 'Twice.'",
        ),
        (((lambda x: x, "Once."), (lambda x: 1 * x, "Same.")), "'Once.' agrees with 'Same.'"),
    ],
)
def test_two_answers_that_never_differ_are_named(mistakes, named):
    with pytest.raises(ValueError, match=f"none of 1000 cases .* in 1000 of them {named}"):
        telling(lambda: (torch.rand(2),), lambda x: 2 * x, mistakes)


def test_an_exercise_joins_what_is_computed_with_its_words():
    (exercise,) = joined({"9.1": COMPUTED}, {"9.1": TEXT}, "lesson_09.toml")
    assert (
        exercise.title == "words"
        and exercise.hints == ("one", "two", "three")
        and exercise.arguments == ("x",)
    )
    assert list(exercise.cases(torch.Generator())) == [(1,), (2,)]


@pytest.mark.parametrize(
    "texts, trouble",
    [
        ({}, "lesson_09.toml, exercises: missing 9.1; superfluous nothing"),
        ({"9.1": TEXT, "9.2": TEXT}, "lesson_09.toml, exercises: missing nothing; superfluous 9.2"),
        (
            {"9.1": {k: v for k, v in TEXT.items() if k != "idea"}},
            "exercise 9.1: missing idea; superfluous nothing",
        ),
        ({"9.1": TEXT | {"hint": "one"}}, "exercise 9.1: missing nothing; superfluous hint"),
        ({"9.1": TEXT | {"hints": ["one", "two"]}}, "exercise 9.1: there must be 3 hints, not 2"),
    ],
)
def test_missing_and_superfluous_words_are_named(texts, trouble):
    with pytest.raises(ValueError, match=trouble):
        joined({"9.1": COMPUTED}, texts, "lesson_09.toml")


def test_each_lesson_has_its_words():
    folder = Path(lessons_package.__file__).parent
    lessons = {path.stem for path in folder.glob("lesson_*.py")}
    assert lessons and {path.stem for path in folder.glob("lesson_*.toml")} == lessons


def test_exercises_belong_to_lessons_by_their_whole_number(tmp_path, monkeypatch):
    """10.1 is of lesson 10, not of lesson 1, and comes after 9.1."""
    package = tmp_path / "made_up"
    package.mkdir()
    (package / "__init__.py").write_text("")
    words = "title='t'\ndifficulty=1\nminutes=5\npractises='p'\nidea='i'\nright='r'\n"
    for number in ("9.1", "10.1", "1.1"):
        name = f"lesson_{int(number.split('.')[0]):02d}"
        (package / f"{name}.py").write_text(
            f"EXERCISES = {{'{number}': (lambda g: iter([(1,)]), lambda x: x, ())}}"
        )
        text = f"['{number}']\n{words}hints=['one', 'two', 'three']\n"
        (package / f"{name}.toml").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    made_up = importlib.import_module("made_up")
    found = found_in(made_up)
    assert list(found) == ["1.1", "9.1", "10.1"]
    assert [exercise.lesson for exercise in found.values()] == ["01", "09", "10"]
    (package / "lesson_02.py").write_text((package / "lesson_10.py").read_text())
    (package / "lesson_02.toml").write_text((package / "lesson_10.toml").read_text())
    with pytest.raises(ValueError, match="10.1 does not belong in lesson_02"):
        found_in(made_up)


@pytest.mark.parametrize(
    "value", [torch.tensor([1.0, 2.0]), [1, 2], (1.0, torch.tensor(2.0))], ids=str
)
def test_numbers_of_any_kind_are_comparable(value):
    assert agree(as_tensor(value), as_tensor(array(value)))
    assert not agree(as_tensor(value), as_tensor([[1.0, 2.0]])) and not agree(
        as_tensor(value), as_tensor([1, 2.01])
    )


# The engine ---------------------------------------------------------------------------------------


def test_an_exception_shows_the_learners_own_line(capsys):
    def broken(U, v_c):
        scores = U @ v_c
        return scores / scores.no_such_method()

    out = said(capsys, "1.1", broken)
    assert "return scores / scores.no_such_method()" in out and "AttributeError" in out
    assert (
        "Traceback" not in out and len(out.splitlines()) <= 9
    )  # short, whatever numbers were drawn


def test_the_idea_is_told_only_where_the_numbers_are_wrong(capsys):
    idea = registry()["4.2"].idea
    assert idea in said(capsys, "4.2", lambda U, v_c, path, signs: torch.full((len(path),), 17.0))
    for other in (
        lambda U, v_c, path, signs: undefined_name,  # noqa: F821
        lambda U, v_c, path, signs: "text",
        lambda U, v_c, path, signs: registry()["4.2"].reference(U, v_c, path, signs)[:, None],
    ):
        assert idea not in said(capsys, "4.2", other)


def test_whole_numbers_are_shown_as_whole_numbers(capsys):
    out = said(capsys, "4.2", lambda U, v_c, path, signs: 17.0)
    path, signs = (
        re.search(rf"    {name} = (\[.*\]), shape", out)[1] for name in ("path", "signs")
    )
    assert (
        "." not in path
        and "." not in signs
        and "." in re.search(r"    v_c = (\[.*\]), shape", out)[1]
    )


def test_mistakes_that_agree_on_a_few_cases_are_told_apart(capsys, monkeypatch):
    def draws(generator):
        yield from [(100, 2)] * 8
        while True:
            yield 100, 3

    mistakes = (
        (lambda first, rank: 2 * first, "Twice."),
        (lambda first, rank: rank * first, "Times."),
    )
    monkeypatch.setattr(
        engine,
        "exercise_of",
        lambda number: replace(registry()["0.1"], draws=draws, mistakes=mistakes),
    )
    assert "\nTimes.\n" in said(capsys, "0.1", lambda first, rank: rank * first)
    assert "\nTwice.\n" in said(capsys, "0.1", lambda first, rank: 2 * first)


def test_a_probability_that_vanishes_is_among_the_first_cases():
    """Else a logarithm of 0 would be found in most checks only."""
    for seed in range(50):
        cases = registry()["1.5"].cases(torch.Generator().manual_seed(seed))
        assert any(torch.softmax(scores, 0)[o] == 0 for scores, o in (next(cases), next(cases)))


def test_an_endless_loop_is_cut_off(capsys, monkeypatch):
    monkeypatch.setattr("utils.exercises.running.SECONDS", 0.3)

    def endless(U, v_c):
        while True:
            pass

    assert "cut off" in said(capsys, "1.1", endless)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_an_endless_loop_is_cut_off_where_interrupts_are_ignored(handler, capsys, monkeypatch):
    """As they are in a program that a script starts in the background.

    It ignores them again afterwards.
    """
    before = signal.signal(signal.SIGINT, handler)
    try:
        test_an_endless_loop_is_cut_off(capsys, monkeypatch)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_the_answers_own_time_counts(monkeypatch):
    clock = [0.0]
    limits = []

    def slow_draws(generator):
        while True:
            clock[0] += 100
            yield 100, 4

    def slow_answer(first, rank):
        clock[0] += 7
        return first / rank

    slow = replace(registry()["0.1"], draws=slow_draws)
    monkeypatch.setattr(engine, "exercise_of", lambda number: slow)
    monkeypatch.setattr(
        engine, "time", SimpleNamespace(monotonic=lambda: clock[0], time_ns=lambda: 0)
    )
    monkeypatch.setattr(
        running, "run", lambda answer, case, seconds: limits.append(seconds) or answer(*case)
    )
    assert_right("0.1", slow_answer)
    assert limits[:9] == [60, 53, 46, 39, 32, 25, 18, 11, 4] and limits[9:] == [0.05] * 3


def test_an_answer_that_was_called_already_is_named(capsys):
    assert "without calling it" in said(capsys, "1.1", torch.zeros(3))


def test_assert_right_raises_where_check_prints():
    assert_right("0.1", lambda first, rank: first / rank)
    assert not state.done()
    with pytest.raises(AssertionError, match="Off by one"):
        assert_right("0.1", lambda first, rank: first / (rank + 1))
    with pytest.raises(AssertionError, match="not attempted"):
        assert_right("0.1", lambda first, rank: ...)


def test_an_unknown_number_names_those_there_are(capsys):
    for call in (lambda: check("9.9", print), lambda: hint("9.9")):
        call()
        assert "there is no exercise '9.9'; there are 0.1, 1.1" in capsys.readouterr().out
    with pytest.raises(KeyError, match="there is no exercise '9.9'"):
        assert_right("9.9", print)


def test_hints_come_one_after_the_other(exercise, capsys):
    for k in range(3):
        hint(exercise.number)
        assert exercise.hints[k] in capsys.readouterr().out
    hint(exercise.number)
    assert "no more hints" in capsys.readouterr().out
    path, cells = notebook(exercise)
    place = re.search(r'section "(.+?)"', exercise.hints[2])[1]
    assert any(
        re.search(rf"^## {re.escape(place)}", c.source, re.M)
        for c in cells
        if c.cell_type == "markdown"
    )


def test_progress_lists_done_and_not_yet(capsys):
    progress()
    assert "0 of" in capsys.readouterr().out
    check("0.1", lambda first, rank: first / rank)
    capsys.readouterr()
    progress()
    out = capsys.readouterr().out
    assert (
        re.search(r"^0\.1  done", out, re.M)
        and re.search(r"^1\.1  not yet", out, re.M)
        and "1 of" in out
    )


def test_a_state_that_cannot_be_written_does_not_spoil_the_answer(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("APPROXIMATE_TRAINING_STATE", str(tmp_path / "file" / "folder"))
    out = said(capsys, "0.1", lambda first, rank: first / rank)
    assert "right." in out


def test_state_is_outside_the_repository(monkeypatch):
    monkeypatch.delenv("APPROXIMATE_TRAINING_STATE")
    assert FOLDER.parent not in state.state_file().parents


# Numbers of any real type are right answers, complex ones are not -------------------------------

NUMBERS_OF_A_KIND = [
    lambda value: np.float64(value),
    lambda value: np.float32(value),
    lambda value: np.longdouble(value),
    lambda value: np.array(value),
    lambda value: np.array(value, dtype=object),
    lambda value: torch.tensor(value),
    lambda value: Fraction(value),
]


@pytest.mark.parametrize("kind", NUMBERS_OF_A_KIND)
def test_a_right_number_is_right_in_any_type(kind, capsys):
    out = said(capsys, "0.1", lambda first, rank: kind(float(first) / float(rank)))
    assert "right." in out


def test_lists_of_0d_arrays_are_right(capsys):
    reference = registry()["1.1"].reference

    def in_pieces(*case):
        return [np.array(value) for value in np.asarray(reference(*case))]

    assert "right." in said(capsys, "1.1", in_pieces)


@pytest.mark.parametrize(
    "kind", [complex, lambda v: np.array(v + 0j), lambda v: torch.tensor(v + 0j)]
)
def test_complex_numbers_are_refused_by_name(kind, capsys):
    out = said(capsys, "0.1", lambda first, rank: kind(first / rank))
    assert "complex numbers: only real ones are asked for" in out
