"""The most memory that a process has held."""

import re
import sys
from pathlib import Path


def peak_bytes() -> int:
    """The most memory that this process has held, in bytes. Each system tells it elsewhere.

    On Linux not by getrusage, which counts what the process was forked from, too.
    """
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
