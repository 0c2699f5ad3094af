"""Debian's programs that a trial needs: installed where the user is root, else asked for in a sentence."""

import os
import shutil
import subprocess

BESIDE_PATH = os.defpath + ":/usr/sbin:/usr/local/sbin"
"""Debian keeps daemons off an ordinary user's PATH."""


def find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=BESIDE_PATH)


def missing(wanted: dict[str, str]) -> list[str]:
    """Install what is not there, if we may; give what is missing still. `wanted` is program to package."""
    packages = [package for program, package in wanted.items() if not find(program)]
    if packages and os.geteuid() == 0 and find("apt-get"):
        print(f"installing {', '.join(packages)}", flush=True)
        if not _apt("install", *packages):
            _apt("update")
            _apt("install", *packages)
    return [program for program in wanted if not find(program)]


def _apt(verb: str, *packages: str) -> bool:
    # RUNLEVEL=1: the packages' own services stay down.
    environ = {**os.environ, "RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-y", "--no-install-recommends"] if packages else []
    command = [find("apt-get") or "", verb, "-q", *options, *packages]
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode == 0
