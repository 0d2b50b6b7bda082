"""The command line: what it says, what it writes, and what it refuses."""

import json
import re
import runpy
import shutil
import subprocess
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import bayescale as bs
from bayescale import cli, known_fit, laws
from bayescale.cli import writing
from bayescale.cli.cli import plain
from bayescale.cli.words import bundled, chosen_laws, chosen_target, pairs
from bayescale.runs import Runs

call = CliRunner().invoke


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of two architectures with different exponents, as a CSV file."""
    rng = np.random.default_rng(0)
    c = np.tile(np.geomspace(1e17, 1e20, 6), 2)
    arch = np.repeat(["lstm", "mlp"], 6)
    loss = np.where(arch == "lstm", 40 * c**-0.06, 90 * c**-0.08)
    loss = loss * np.exp(0.01 * rng.standard_normal(12))
    path = tmp_path_factory.mktemp("cli") / "runs.csv"
    table = pd.DataFrame({"arch": arch, "flops": c, "params": c**0.5, "loss": loss})
    table.to_csv(path, index=False)
    return path


# Refusals -----------------------------------------------------------------------------------------

COLUMNS = ["--y", "loss", "--x", "C=flops"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["TABLE"], "a table needs --y COLUMN and --x COLUMN"),
        (["nowhere.csv", *COLUMNS], "there is no file 'nowhere.csv'"),
        (["TABLE", "--y", "los", "--x", "flops"], "did you mean 'loss'"),
        (["TABLE", "--y", "loss", "--x", "C="], "'C=' is not NAME=COLUMN"),
        (["TABLE", *COLUMNS, "--x", "C=params"], "'C' is given twice"),
        (["TABLE", *COLUMNS, "--group", "family=archs"], "did you mean 'arch'?"),
        (["TABLE", *COLUMNS, "--group", "law=arch"], "written have a column 'law'"),
        (["TABLE", *COLUMNS, "--law", "power_low"], "no law is called 'power_low'"),
        (
            ["TABLE", *COLUMNS, "--law", "chinchilla"],
            "the table lacks N, D: name the column, e.g. --x N=COLUMN",
        ),
        (["TABLE", *COLUMNS, "--x", "N=params"], "name a law of C, N with --law"),
        (["TABLE", *COLUMNS, "--to", "1e2x"], "'1e2x' is not a number"),
        (["TABLE", *COLUMNS, "--to", "-1e20"], "a scale must be positive and finite"),
        (["TABLE", *COLUMNS, "--to", "D=1e20"], "there is no input 'D', only C"),
        (["TABLE", *COLUMNS, "--to", "1e21", "--to", "C=1e20"], "the scale of C is given twice"),
        (["TABLE", *COLUMNS, "--y-se", "se"], "se"),
        (["--y", "loss"], "--y describes a table: name one"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_code_2(table, tmp_path, words, message):
    words = [str(table) if w == "TABLE" else w for w in words]
    result = call(cli.app, ["forecast", *words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in error
    assert not (tmp_path / "out").exists(), "nothing is written before the input is understood"


def test_several_inputs_need_a_target_each(table, tmp_path):
    words = ["--y", "loss", "--x", "x1=flops", "--x", "x2=params", "--law", "bivariate_power"]
    result = call(cli.app, ["forecast", str(table), *words, "--to", "1e9"])
    assert result.exit_code == 2
    assert "say for which input, e.g. x1=1e9" in result.stderr


def test_bad_rows_are_told_all_at_once_in_one_line(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("flops,loss\n1e17,3.0\n-1,2.9\n1e19,nan\n")
    result = call(cli.app, ["forecast", str(path), *COLUMNS])
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert "flops" in error
    assert "loss" in error


def test_a_file_in_the_place_of_the_folder_is_refused(table, tmp_path):
    (tmp_path / "taken").write_text("")
    result = call(cli.app, ["forecast", str(table), *COLUMNS, "--out", str(tmp_path / "taken")])
    assert result.exit_code == 2
    assert "taken" in result.stderr


def test_an_unknown_option_exits_with_2():
    assert call(cli.app, ["forecast", "--lwa", "bnsl"]).exit_code == 2


# The words ----------------------------------------------------------------------------------------


def test_a_bare_column_is_its_own_name():
    assert pairs(["C=flops", "arch"]) == {"C": "flops", "arch": "arch"}


def test_three_forms_of_one_input_are_compared_by_default(table):
    runs = Runs(table, y="loss", x={"C": "flops"})
    assert tuple(chosen_laws([], runs)) == (
        "power_law_offset",
        "bnsl",
        "crossover_power_law",
    )


def test_the_default_target_is_ten_times_the_largest_run(table):
    runs = Runs(table, y="loss", x={"C": "flops"})
    assert chosen_target([], runs) == {"C": pytest.approx(1e21)}
    assert chosen_target(["1e24"], runs) == chosen_target(["C=1e24"], runs) == {"C": 1e24}


@pytest.mark.parametrize(("to", "where"), [("1e3", "14 decades below"), ("1e29", "9 decades bey")])
def test_a_target_far_outside_the_data_may_be_in_another_unit(to, where):
    runs = Runs({"C": np.geomspace(1e17, 1e20, 6), "y": np.linspace(3, 2, 6)}, y="y", x={"C": "C"})
    assert chosen_target(["1e12"], runs) == {"C": 1e12}
    said = rf"--to {to}: {where}.* C runs from 1e\+17 to 1e\+20; is it in another unit\?"
    with pytest.warns(bs.RunsWarning, match=said):
        chosen_target([to], runs)


def test_the_bundled_runs_are_chosen_near_the_frontier_and_it_says_so(capsys):
    from rich.console import Console

    from bayescale.datasets import tinylm

    runs = bundled(Console(width=500), {"--y": None})
    said = capsys.readouterr().out
    fitted = tinylm().query("role == 'fit'")
    assert f"{len(runs)} of {len(fitted)} runs" in said
    assert set(runs.groups) == {"family", "dataset"}
    for family in runs.labels("family"):
        for dataset in runs.labels("dataset"):
            mine = runs.where(family=family, dataset=dataset)
            cells = fitted.query("arch == @family and corpus == @dataset")
            assert mine.y.min() == cells["loss"].min(), "the best run is near the frontier"
            assert len(mine) < len(cells)


def test_laws_are_listed_with_their_inputs():
    result = call(cli.app, ["laws"])
    assert result.exit_code == 0
    for name in laws.available():
        assert re.search(rf"^\s*{name}\b", result.stdout, re.MULTILINE)
    assert "parscale (N, P)" in result.stdout
    assert "any inputs" not in result.stdout
    assert ":math:" not in result.stdout
    assert not set("{}\\") & set(result.stdout)


def test_formulas_are_written_as_one_types_them():
    assert plain(r"Power law, :math:`y = E + A_{max} x^{-\alpha} + L_\infty \ln\rho`.") == (
        "Power law, y = E + A_max x^(-alpha) + L_inf ln rho."
    )


def test_the_version_is_said():
    result = call(cli.app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, bs.__version__)


def test_the_package_itself_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bayescale", "--version"])
    with pytest.raises(SystemExit, match=r"^0$"):
        runpy.run_module("bayescale", run_name="__main__")
    assert capsys.readouterr().out.strip() == bs.__version__


def test_a_file_is_no_folder_for_results(table):
    result = call(cli.app, ["forecast", str(table), *COLUMNS, "--out", str(table)])
    assert result.exit_code == 2
    assert f"--out {table} is a file: name a folder" in result.stderr


# One real run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answered(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    words = [*COLUMNS, "--group", "family=arch", "--law", "power_law", "--to", "1e22"]
    options = ["--draws", "300", "--seed", "1", "--html", "--out", str(out)]
    return call(cli.app, ["forecast", str(table), *words, *options]), out


def test_a_forecast_ends_well_and_writes_every_file(answered):
    result, out = answered
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {
        "comparison.csv",
        "comparison.png",
        "exponents.png",
        "forecast.csv",
        "forecast.pdf",
        "forecast.png",
        "parameters.csv",
        "power_law.nc",
        "report.html",
    }


def test_every_exponent_of_a_law_has_its_figure():
    N, D = map(np.ravel, np.meshgrid([1e8, 1e9, 1e10], [1e9, 1e10]))
    runs = Runs({"N": N, "D": D, "loss": 3.0 + 0 * N}, y="loss", x={"N": "N", "D": "D"})
    constants = {"E": 1.8, "A": 480.0, "alpha": 0.348, "B": 2085.0, "beta": 0.366}
    fit = known_fit(laws.Chinchilla(), runs, constants)
    files = {"exponents_alpha.png": "alpha", "exponents_beta.png": "beta"}
    assert writing.exponent_figures(fit) == files


def test_the_screen_shows_verdict_target_and_crossing(answered):
    result, _ = answered
    said = " ".join(result.stdout.split())
    assert "a new run at C = 1e+22" in said
    assert "lstm" in said
    assert "overtakes" in said or "do not cross" in said


def test_tables_hold_every_law_label_and_point(answered):
    _, out = answered
    forecast = pd.read_csv(out / "forecast.csv")
    assert set(forecast["law"]) == {"stacked", "power_law"}
    assert set(forecast["family"]) == {"lstm", "mlp"}
    assert forecast["C"].max() == pytest.approx(1e22)
    assert forecast.loc[forecast["C"] > 1.001e20, "extrapolated"].all()
    assert (forecast["lower_0.95"] < forecast["median"]).all()
    parameters = pd.read_csv(out / "parameters.csv")
    assert {"law", "parameter", "median", "lower_0.9", "upper_0.9"} <= set(parameters)


def test_the_saved_fit_forecasts_what_the_table_says(answered):
    from bayescale import load

    _, out = answered
    table = pd.read_csv(out / "forecast.csv").query("law == 'power_law' and family == 'mlp'")
    again = load(out / "power_law.nc").forecast({"C": table["C"].to_numpy()[-1:]}, kind="mean")
    mlp = again.table.query("family == 'mlp'")["median"].item()
    assert mlp == pytest.approx(table["median"].iloc[-1], rel=0.02)


def test_the_page_opens_offline_and_holds_everything(answered):
    _, out = answered
    text = (out / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], "every element that is opened is closed"
    assert page.addresses
    assert all(a.startswith("data:image/png;base64,iVBOR") for a in page.addresses)
    assert len(page.addresses) == 3
    assert not re.search(r"https?://|url\(|@import|<script|<link", text)
    said = " ".join(" ".join(page.text).split())
    for part in ("A new run at C = 1e+22", "95 % interval", "Convergence", "Runs: 12 rows"):
        assert part in said, part
    assert "lstm" in said


BROWSERS = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "google-chrome")
PROBE = """<script>
addEventListener("load", () => {
  const { scrollWidth, clientWidth } = document.documentElement
  const widths = [...document.images].map(image => image.naturalWidth)
  const zooms = [...document.images].map(image => image.naturalWidth / image.clientWidth)
  const tables = document.querySelectorAll("table").length
  const seen = { widths, zooms, tables, wider: scrollWidth - clientWidth }
  document.title = JSON.stringify(seen)
})
</script>"""


@pytest.fixture
def browse(tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser on the PATH ({', '.join(BROWSERS)})")

    def open_page(page, *options):
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", *options, page.as_uri()]
        # A home of its own, and no network: the page has to do without.
        home = [f"--user-data-dir={tmp_path / 'home'}", "--host-resolver-rules=MAP * ~NOTFOUND"]
        command[1:1] = home
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return open_page


@pytest.mark.parametrize("width", [1200, 400])
def test_a_browser_shows_the_page_with_its_figures_and_nothing_runs_off(
    answered, browse, tmp_path, width
):
    _, out = answered
    text = (out / "report.html").read_text(encoding="utf-8")
    probed = tmp_path / "probed.html"
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy".*?>', re.DOTALL)
    probed.write_text(policy.sub(PROBE, text), encoding="utf-8")
    shown = browse(probed, f"--window-size={width},900", "--dump-dom").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", shown)[1])
    assert len(seen["widths"]) == 3
    assert min(seen["widths"]) > 300
    if width == 1200:
        assert np.ptp(seen["zooms"]) < 0.02, "figures are set in type of different sizes"
    assert seen["tables"] >= 5
    assert seen["wider"] == 0, "the page is wider than its window"


def test_a_screenshot_of_the_page_has_ink_and_the_colours_of_the_figures(
    answered, browse, tmp_path
):
    _, out = answered
    picture = tmp_path / "page.png"
    browse(out / "report.html", "--window-size=1000,1400", f"--screenshot={picture}")
    pixels = plt.imread(picture)[..., :3]
    assert pixels.shape[:2] == (1400, 1000)
    ink = (pixels < 0.7).any(axis=-1)
    assert 0.02 < ink.mean() < 0.5
    coloured = np.ptp(pixels, axis=-1) > 0.4
    assert coloured.mean() > 0.001, "no figure"


class Page(HTMLParser):
    """What a browser would see: open elements, addresses of others, text."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.addresses += [v for k, v in attrs if k in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
