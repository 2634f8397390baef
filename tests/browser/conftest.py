"""The figures in a real browser: in JupyterLab with a kernel, and on a page without one.

A test asks for `open_figure`, calls it with a name of cases.py and gets a fresh `Figure`
(driving.py); it runs once in each place. `in_lab` and `on_page` are the same for one place only.
The browser reaches no host but this machine. Screenshots go to build/browser. After each test the
browser's console must be free of errors.
"""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import chromium
import nbformat
import pytest
from cases import CASES
from driving import SHOTS, alive, assert_quiet, open_notebook, run_cell, to_tab, visit, wait
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.append(str(ROOT))
from tools import execute  # noqa: E402
from tools.site import build  # noqa: E402


@pytest.fixture(scope="session")
def browser():
    binary, driver = chromium.find()
    assert binary and driver, "python tests/browser/chromium.py says what is missing"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-dev-shm-usage",
        "window-size=1200,1400",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(service=Service(driver), options=options)
    started.set_script_timeout(100)
    yield started
    started.quit()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A copy of the notebooks, and among them figures.ipynb with one cell for each case, executed
    and stored.
    """
    copy = tmp_path_factory.mktemp("course") / "notebooks"
    shutil.copytree(ROOT / "notebooks", copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CASES.values()]
    )
    # last, so that a case's number is its cell's; the site gives each page a title
    notebook.cells.append(nbformat.v4.new_markdown_cell("# Figures"))
    nbformat.write(notebook, copy / "figures.ipynb")
    execute.execute(copy / "figures.ipynb")
    return copy


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A folder and nothing else; no log, and no complaint about the icon that browsers ask for."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture(scope="session")
def site(folder):
    """The site of the copy, made by Sphinx without a warning, and served: (address, folder)."""
    pages = folder.parent / "site"
    assert build(folder.parent / "site-source", pages, folder, folder / "no slides") == 0
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(pages))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()


@pytest.fixture(scope="session")
def lab(folder, tmp_path_factory):
    """A JupyterLab of this environment on the copy, with settings of its own.

    Its address with the token.
    """
    home = tmp_path_factory.mktemp("jupyter")
    quiet = {
        "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false, '
        '"doNotDisturbMode": true}',
        "docmanager-extension/plugin": '{"autosave": false}',
    }  # a live view in a stored notebook finds no model
    for name, content in quiet.items():
        settings = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text(content, encoding="utf-8")
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = (
        os.environ
        | {f"JUPYTER_{name}": str(home / name.lower()) for name in names}
        | {
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "OMP_NUM_THREADS": "1",
            "TQDM_DISABLE": "1",
        }
    )
    log = home / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                "--port=0",
                "--expose-app-in-browser",
                "--IdentityProvider.token=figures",
                f"--ServerApp.root_dir={folder}",
            ],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        started = re.compile(r"http://127\.0\.0\.1:\d+/lab")
        yield wait(
            lambda: started.search(log.read_text(encoding="utf-8")), 120, "JupyterLab to start"
        )[0]
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def in_lab(browser, lab):
    """in_lab(name) -> Figure: its cell is run anew in JupyterLab."""

    def opened(name):
        to_tab(browser, "lab")
        open_notebook(browser, lab, "figures.ipynb")
        return run_cell(browser, list(CASES).index(name))

    yield opened
    assert_quiet(browser)


@pytest.fixture
def on_page(browser, site):
    """on_page(name, mode="light") -> Figure: the page is loaded anew, light or dark."""

    def opened(name, mode="light", base=site[0]):
        to_tab(browser, "page")
        visit(browser, f"{base}/figures.html", mode)
        return alive(browser, list(CASES).index(name))

    yield opened
    assert_quiet(browser)


@pytest.fixture(params=["in_lab", "on_page"])
def open_figure(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session", autouse=True)
def _folder_for_screenshots():
    SHOTS.mkdir(parents=True, exist_ok=True)
