"""What the tests share: the built program, and the folder of real data."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import pytest

SEED = int(os.environ.get("GRIDATLAS_TEST_SEED", "20260101"))


def pytest_report_header():
    return f"program: {os.environ.get('GRIDATLAS_BIN')}, seed: {SEED}"


class Program:
    """The built `gridatlas`, each command as a person would give it."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments, stdin=None, code=0):
        """Runs a command; its standard output, once it ended with `code`."""
        done = subprocess.run(
            [self.path, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=600, check=False
        )
        said = f"gridatlas {' '.join(map(str, arguments))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        assert done.returncode == code, f"it ended with {done.returncode}: {said}"
        return done.stdout

    def report(self, *arguments, code=0):
        """The report of an import."""
        return json.loads(self(*arguments, "--json", code=code))

    def locate(self, store, positions, *arguments):
        """One row for each (lon, lat), as `gridatlas locate` writes it."""
        lines = "lon,lat\n" + "".join(f"{lon!r},{lat!r}\n" for lon, lat in positions)
        return list(csv.DictReader(io.StringIO(self("locate", "--store", store, *arguments, stdin=lines))))


@pytest.fixture(scope="session")
def gridatlas():
    path = os.environ.get("GRIDATLAS_BIN")
    if not path:
        pytest.fail("GRIDATLAS_BIN does not name the program: run `make test-python`")
    return Program(path)


@pytest.fixture(scope="session")
def real_data():
    """A file of the real data by its name; the test is skipped where there is none."""
    folder = os.environ.get("GRIDATLAS_TEST_DATA")

    def find(name):
        if not folder:
            pytest.skip("GRIDATLAS_TEST_DATA is not set: no real data here")
        return Path(folder) / name

    return find
