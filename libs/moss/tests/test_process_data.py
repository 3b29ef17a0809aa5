"""Ordinary analysis in a confined worker, with what it has by default: numpy, pandas and plots of matplotlib."""

import io
import struct
import zlib

import pytest

from ghostos_container import Container
from ghostos_moss import Permissions, PyContext, load_source

pytestmark = pytest.mark.slow

TIMEOUT_S = 100.0

FRAMES = """
import numpy as np
import pandas as pd

def run(moss):
    rng = np.random.default_rng(1)
    count = 1_000_000
    sales = pd.DataFrame({
        "shop": rng.integers(0, 1000, count), "price": rng.random(count), "kind": rng.choice(["tea", "ink"], count),
    })
    by_shop = sales.groupby("shop")["price"].agg(["sum", "count"])
    shops = pd.DataFrame({"shop": np.arange(1000), "weight": np.arange(1000) / 10})
    merged = sales.merge(shops, on="shop").sort_values("price")
    table = merged.pivot_table(index="shop", columns="kind", values="price")
    print(merged.describe().to_string())
    return [
        len(merged), int(by_shop["count"].sum()), bool(np.isclose(by_shop["sum"].sum(), sales["price"].sum())),
        bool(np.isclose((merged["weight"] * 10 - merged["shop"]).abs().max(), 0)), list(table.shape),
    ]
"""
ALGEBRA = """
import numpy as np

def run(moss):
    a = np.random.default_rng(1).random((800, 800))
    x = np.linalg.solve(a, np.ones(800))
    u, s, v = np.linalg.svd(a[:300, :300])
    wave = np.sin(2 * np.pi * 50 * np.arange(2**20) / 2**20)
    spectrum = np.abs(np.fft.rfft(wave))
    back = np.fft.irfft(np.fft.rfft(wave), n=2**20)
    return [
        bool(np.allclose(a @ x, 1)), bool(np.allclose(u @ np.diag(s) @ v, a[:300, :300])),
        len(np.linalg.eigvals(a[:200, :200])), int(spectrum.argmax()), bool(np.allclose(back, wave)),
    ]
"""
PLOT = """
import matplotlib.pyplot as plt

def run(moss):
    figure, axes = plt.subplots(figsize=(4, 3), dpi=100)
    axes.plot([1, 2, 3], [1, 4, 9], label="squares")
    axes.set_title("Tea ☃ $x^2$")
    axes.legend()
    figure.savefig("plot.png")
    figure.savefig("plot.svg")
    return plt.get_backend()
"""


@pytest.fixture
def analyse(process_executor, write_module):
    source = load_source(write_module("from ghostos_moss import Moss\n"))

    def run(code, **arguments):
        session = process_executor.open(
            source, pycontext=PyContext(), container=Container(), injections={}, **arguments
        )
        try:
            return session.run(code, timeout_s=TIMEOUT_S)
        finally:
            session.close()

    return run


def test_a_million_rows_are_grouped_merged_and_sorted(analyse):
    result = analyse(FRAMES)
    assert result.error is None
    assert result.returns == [1_000_000, 1_000_000, True, True, [1000, 2]]
    assert "1000000.000000" in result.std_output


def test_equations_are_solved_and_waves_taken_apart(analyse):
    result = analyse(ALGEBRA)
    assert result.error is None
    assert result.returns == [True, True, 200, 50, True]


def test_a_plot_is_drawn_and_what_matplotlib_keeps_lies_in_the_folder_of_the_task(analyse, tmp_path):
    folder = tmp_path / "task"
    for _ in range(2):  # the second time it finds its list of fonts
        result = analyse(PLOT, scratch=folder)
        assert (result.error, str(result.returns).lower()) == (None, "agg")
        width, height, colours = read_png((folder / "plot.png").read_bytes())
        assert (width, height) == (400, 300)
        assert colours > 20  # lines and letters, smooth at their edges
        (folder / "plot.png").unlink()
    assert "<svg" in (folder / "plot.svg").read_text()
    assert [*(folder / ".cache").rglob("fontlist*")]


def read_png(data: bytes) -> tuple[int, int, int]:
    """Width and height of a picture, and how many different pixels it has, about."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    file = io.BytesIO(data[8:])
    chunks: dict[bytes, bytes] = {}
    while head := file.read(8):
        size, kind = struct.unpack(">I4s", head)
        body = file.read(size)
        assert zlib.crc32(kind + body) == struct.unpack(">I", file.read(4))[0]
        chunks[kind] = chunks.get(kind, b"") + body
    assert [*chunks][-1] == b"IEND"
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    pixels = zlib.decompress(chunks[b"IDAT"])
    assert len(pixels) == height * (1 + 4 * width)
    return width, height, len({pixels[at : at + 4] for at in range(0, len(pixels), 4)})


def test_a_table_is_read_once_it_is_granted(analyse, tmp_path):
    table = tmp_path / "sales.csv"
    table.write_text("kind,price\ntea,1.5\nink,2.25\ntea,2.5\n")
    code = f"import pandas as pd\ndef run(moss):\n    sales = pd.read_csv({str(table)!r})\n"
    code += "    return sales.groupby('kind')['price'].sum().to_dict()\n"
    refused = analyse(code)
    assert refused.status == "error"
    assert f"allow it with --allow-read={table}" in refused.error
    assert analyse(code, permissions=Permissions(read=[str(table)])).returns == {"ink": 2.25, "tea": 4.0}


def test_frames_go_to_files_of_every_kind_in_the_folder_of_the_task(analyse):
    code = """
import sqlite3
import pandas as pd

def run(moss):
    frame = pd.DataFrame({"a": [1, 2]})
    frame.to_csv("a.csv", index=False)
    frame.to_json("a.json")
    frame.to_pickle("a.pickle")
    with sqlite3.connect("a.db") as db:
        frame.to_sql("t", db, index=False)
        read = [pd.read_sql("select * from t", db)]
    read += [pd.read_csv("a.csv"), pd.read_json("a.json"), pd.read_pickle("a.pickle")]
    return [int(each["a"].sum()) for each in read]
"""
    result = analyse(code)
    assert (result.error, result.returns) == (None, [3, 3, 3, 3])
