"""tools/slides.py: slides say what the lesson says, are not too full, and need no network."""

import pytest
from lesson_files import LESSONS, alt_texts, alt_texts_of_page, fetched, read
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import slides
from tools.slides import Slide, make_slides, shown_part

MOST_SLIDES = 30
LONG = 60 * "word "


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return read(request.param)


def blocks_of(notebook):
    """Each heading, paragraph, formula and list item of the cells that the slides do not skip."""
    blocks = []
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if cell.cell_type == "markdown" and kind != "skip":
            blocks += slides.CUT.split(cell.source)
    return blocks


def sources_of(slide):
    return [slide.heading.source, *[cell.source for cell in slide.shown]]


# The lessons --------------------------------------------------------------------------------------


def test_slides_are_few_none_is_empty_and_none_is_full(lesson):
    made = make_slides(lesson)
    assert len(made) <= MOST_SLIDES
    for slide in made:
        heading = slide.heading.source
        assert heading.startswith("#")
        assert slide.shown, f"a heading alone: {heading}"
        first = slide.shown[0].source[:60]
        assert slide.height <= slides.PAGE_HEIGHT, f"{heading}: {first}"
        assert slide.words <= slides.WORDS_PER_SLIDE, f"{heading}: {first}"


def test_slides_and_their_notes_say_all_that_the_lesson_says(lesson):
    said = []
    for slide in make_slides(lesson):
        said += [*sources_of(slide), slide.notes]
    said = "\n".join(said)
    for block in blocks_of(lesson):
        is_line_of_links = block.startswith("[")
        assert block in said or is_line_of_links, block


def test_code_and_figures_of_the_lesson_are_on_the_slides(lesson):
    def code(cells):
        return [cell.source for cell in cells if cell.cell_type == "code"]

    kept = [c for c in lesson.cells if c.metadata.get("slideshow", {}).get("slide_type") != "skip"]
    shown = [cell for slide in make_slides(lesson) for cell in slide.shown]
    assert code(shown) == code(kept)


def test_each_formula_of_a_derivation_is_a_step_and_stays_by_its_text(lesson):
    made = make_slides(lesson)
    steps = [source for slide in made for source in sources_of(slide) if "$$" in source]
    assert steps == [block for block in blocks_of(lesson) if block.startswith("$$")]
    assert all(step.count("$$") == 2 for step in steps)
    for slide in made:
        first = slide.shown[0].source
        assert not (slide.continued and first.startswith("$$")), first


def test_a_page_loads_nothing_from_another_host_and_describes_its_pictures(lesson):
    html = slides.page(lesson, "lesson")
    assert fetched(html) == []
    assert "theme/white.css" in html
    assert "<math" in html
    assert "$$" not in html
    found = set(alt_texts_of_page(html))
    assert found <= set(alt_texts(lesson))
    assert bool(found) == bool(alt_texts(lesson))


# What is shown of a paragraph ---------------------------------------------------------------------


@pytest.mark.parametrize("text", ["$$x$$", "| a | b |", "- item", "![picture](p.png)"])
def test_formulas_tables_items_and_pictures_are_shown(text):
    assert shown_part(text, "", "") == text


@pytest.mark.parametrize(
    "text, before, after, shown",
    [
        ("Short.", "## Heading", "", "Short."),
        ("Short.", "", "", ""),
        ("With **bold**. And more.", "", "", "With **bold**. And more."),
        ("It follows:", "", "", "It follows:"),
        ("Short.", "", "$$x$$", "Short."),
        (f"{LONG}end. With **bold**. Why? End.", "", "", "With **bold**. Why?"),
        (f"**All bold.** Its sequel. {LONG}end.", "", "", "**All bold.** Its sequel."),
        (f"First. {LONG}end.", "## Heading", "", "First."),
        (f"First. {LONG}end:", "", "", "First."),
        (f"{LONG}end.", "", "", ""),
        (f"{LONG}end.", "", "$$x$$", f"{LONG}end."),
        ("Short. (An aside.) End.", "# Heading", "", "Short. End."),
        ("Mikolov et al. wrote it. End.", "## H", "", "Mikolov et al. wrote it. End."),
    ],
)
def test_of_a_paragraph_the_main_sentences_are_shown(text, before, after, shown):
    assert shown_part(text, before, after) == shown


def test_a_paragraph_can_be_shown_whole():
    assert shown_part(f"{LONG}end. (An aside.)", "", "", whole=True) == f"{LONG}end. (An aside.)"


# Slide types --------------------------------------------------------------------------------------


def notebook_of(*cells):
    """A notebook of (slide type, source); sources that begin with "code" are code."""
    made = []
    for kind, source in cells:
        new_cell = new_code_cell if source.startswith("code") else new_markdown_cell
        made.append(new_cell(source, metadata={"slideshow": {"slide_type": kind}} if kind else {}))
    return new_notebook(cells=made)


def slides_of(*cells):
    """(sources, notes) of each slide."""
    made = make_slides(notebook_of(("", "# Lesson"), *cells))
    return [(sources_of(slide), slide.notes) for slide in made]


def test_what_is_skipped_is_neither_shown_nor_in_the_notes():
    assert slides_of(("", "- item"), ("skip", "Lost."), ("skip", "code")) == [
        (["# Lesson", "- item"], "")
    ]


def test_notes_are_for_the_speaker_alone():
    assert slides_of(("", "- item"), ("notes", "Aside.")) == [
        (["# Lesson", "- item"], "Aside.\n\n")
    ]


def test_what_is_shortened_stands_whole_in_the_notes():
    text = f"{LONG}end. With **bold**."
    assert slides_of(("", text)) == [(["# Lesson", "With **bold**."], f"{text}\n\n")]


def test_a_dash_shows_a_paragraph_whole():
    text = f"{LONG}end. With **bold**."
    assert slides_of(("-", text)) == [(["# Lesson", text], "")]


def test_a_subslide_begins_with_the_same_heading_in_small_print():
    made = slides_of(("", "- one"), ("subslide", "- two\n- three"), ("", "code"))
    assert made == [
        (["# Lesson", "- one"], ""),
        (["###### Lesson", "- two", "- three", "code"], ""),
    ]


@pytest.mark.parametrize("text", ["It follows:", "The sum is"])
def test_a_full_slide_goes_on_and_a_formula_stays_by_its_text(text):
    code = "code\n" * 17  # leaves room for the text, but not for the formula
    made = slides_of(("", code), ("", f"{text}\n$$x$$"))
    assert made == [(["# Lesson", code], ""), (["###### Lesson", text, "$$x$$"], "")]


def test_what_has_room_stays_on_the_slide():
    code = "code\n" * 15
    assert slides_of(("", code), ("", "- item")) == [(["# Lesson", code, "- item"], "")]
    words = 100 * "word "
    made = slides_of(("-", words), ("-", words))
    assert made == [(["# Lesson", words], ""), (["###### Lesson", words], "")]


def test_a_third_slide_has_the_heading_once():
    slide = Slide(new_markdown_cell("## Heading"))
    assert slide.next().next().heading.source == "###### Heading"
    assert slide.next().continued
    assert not slide.continued


def test_the_code_of_a_figure_takes_no_room_and_is_not_shown():
    notebook = notebook_of(
        ("", "# Lesson"), ("", "code = plots.draw_it()"), ("", "code = 3     # three")
    )
    assert slides.height(notebook.cells[1]) == 0
    html = slides.page(notebook, "lesson")
    assert "draw_it" not in html
    assert "# three" in html


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def reveal(tmp_path, monkeypatch):
    """A folder with files where reveal.js has them; slides go to another one."""
    folder = tmp_path / "revealjs"
    for part in slides.REVEAL_PARTS:
        path = folder / part / "font.woff" if "fonts" in part else folder / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(part, encoding="utf-8")
    monkeypatch.setattr(slides, "FOLDER", tmp_path / "slides")
    return folder


def test_the_command_writes_a_page_for_each_lesson(reveal, arguments, monkeypatch, capsys):
    monkeypatch.setattr(slides, "reveal_folder", lambda: reveal)
    monkeypatch.setattr(slides, "page", lambda notebook, name: f"slides of {name}")
    arguments()
    assert slides.main() == 0
    for path in LESSONS:
        page = slides.FOLDER / f"{path.stem}.html"
        assert page.read_text(encoding="utf-8") == f"slides of {path.stem}"
    for part in slides.REVEAL_PARTS:
        assert (slides.FOLDER / "reveal.js" / part).exists()


def test_without_reveal_the_command_says_how_to_get_it(reveal, arguments, monkeypatch, capsys):
    monkeypatch.setattr(slides, "reveal_folder", lambda: None)
    arguments()
    assert slides.main() == 1
    assert "pip install --no-deps sphinx-revealjs==" in capsys.readouterr().out
    assert not slides.FOLDER.exists()
