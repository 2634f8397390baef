"""The figures in a real browser, in three places: JupyterLab with a kernel, a served page and a page opened as a file.

A test asks for `open_figure`, calls it with a name of cases.py and gets a fresh `Figure`; it runs once in each place.
The browser reaches no host but this machine. Screenshots go to build/browser. After each test its console must be
free of errors.
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
from driving import assert_quiet, on_page, open_notebook, run_cell, to_tab, wait
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SHOTS = ROOT / "build" / "browser"
sys.path.append(str(ROOT / "notebooks"))
import run  # noqa: E402


@pytest.fixture(scope="session")
def browser():
    binary, driver = chromium.find()
    assert binary and driver, "python tests/browser/chromium.py says what is missing"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking",
                     "disable-component-update", "disable-sync", "disable-dev-shm-usage", "window-size=1200,1400",
                     "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(service=Service(driver), options=options)
    started.set_script_timeout(120)
    yield started
    started.quit()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A copy of the notebooks, and among them figures.ipynb with one cell for each case, executed and stored."""
    copy = tmp_path_factory.mktemp("course") / "notebooks"
    shutil.copytree(ROOT / "notebooks", copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CASES.values()])
    nbformat.write(notebook, copy / "figures.ipynb")
    run.execute(copy / "figures.ipynb")
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
    """The pages of the copy, served without anything else: (address, folder)."""
    pages = folder.parent / "html"
    run.export(folder / "figures.ipynb", pages / "figures.html")
    run.export(folder / "figures.ipynb", pages / "figures_dark.html", theme="dark")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(pages)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()


@pytest.fixture(scope="session")
def lab(folder, tmp_path_factory):
    """A JupyterLab of this environment on the copy, with settings of its own: its address with the token."""
    home = tmp_path_factory.mktemp("jupyter")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}', encoding="utf-8")
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = os.environ | {f"JUPYTER_{name}": str(home / name.lower()) for name in names} | {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    log = home / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
             "--expose-app-in-browser", "--IdentityProvider.token=figures", f"--ServerApp.root_dir={folder}"],
            env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        started = re.compile(r"http://127\.0\.0\.1:\d+/lab")
        yield wait(lambda: started.search(log.read_text(encoding="utf-8")), 120, "JupyterLab to start")[0]
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(params=["lab", "page", "file"])
def open_figure(request, browser):
    """open_figure(name) -> Figure, fresh, in this place."""
    number = list(CASES).index

    def opened(name):
        if request.param == "lab":
            to_tab(browser, "lab")
            open_notebook(browser, request.getfixturevalue("lab"), "figures.ipynb")
            return run_cell(browser, number(name))
        to_tab(browser, "page")
        address, pages = request.getfixturevalue("site")
        browser.get(f"{address}/figures.html" if request.param == "page" else (pages / "figures.html").as_uri())
        return on_page(browser, number(name), request.param)

    yield opened
    assert_quiet(browser)


@pytest.fixture(scope="session", autouse=True)
def shots():
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
