"""Find Chromium and its driver; on Debian and its like, install them where they are missing and
that is possible.

python tests/browser/chromium.py      installs or says what to install
"""

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "chromium-driver")


def find() -> tuple[str | None, str | None]:
    """Paths of the browser and of the driver.

    CHROMIUM and CHROMEDRIVER in the environment come first.
    """
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return browser, os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")


def main() -> int:
    if not all(find()) and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], check=False, env=quiet)
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES],
            check=False,
            env=quiet,
        )
    browser, driver = find()
    if browser and driver:
        print(f"browser {browser}, driver {driver}")
        return 0
    missing = " and ".join(
        name for name, path in (("Chromium", browser), ("chromedriver", driver)) if not path
    )
    print(
        f"the browser tests need {missing}. On Debian or Ubuntu: "
        f"sudo apt-get install {' '.join(PACKAGES)}. "
        "Elsewhere install Chromium or Chrome and the chromedriver of the same version, and set "
        "CHROMIUM and "
        "CHROMEDRIVER to their paths."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
