"""Every law of the catalogue keeps the promises that its class makes."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from known_runs import natural_of, runs_by

import bayescale as bs
from bayescale.fitting.storage import fit_of, tree_of
from bayescale.laws import (
    infinite_compute,
    kinetics,
    logit_growth,
    moe,
    passuntil,
)
from bayescale.laws.numerics import log_sum
from bayescale.laws.parameters import Parameters
from bayescale.model.response import anchor
from bayescale.posterior.unseen import natural_at_cells
from bayescale.testing import simulate, testing
from bayescale.testing.recovery import check_recovery

NAMES = [
    name
    for name in bs.laws.available()
    if type(bs.laws.get(name)).__module__.startswith("bayescale.")
]


DOCS = Path(__file__).parents[1] / "docs"


SPEC = importlib.util.spec_from_file_location("generate_catalogue", DOCS / "generate_catalogue.py")


generate = importlib.util.module_from_spec(SPEC)


SPEC.loader.exec_module(generate)


VARIANTS = [
    law(**options)
    for law in (type(bs.laws.get(name)) for name in NAMES)
    for options in law.variants
]


@pytest.mark.parametrize("name", NAMES)
def test_a_law_passes_the_checks(name):
    testing.check_law(bs.laws.get(name))


@pytest.mark.parametrize("law", VARIANTS, ids=lambda law: law.title)
def test_options_pass_the_checks(law):
    testing.check_law(law)


@pytest.mark.parametrize("name", NAMES)
def test_a_law_explains_itself(name):
    doc = inspect.cleandoc(type(bs.laws.get(name)).__doc__)
    assert "math:" in doc
    for section in ("Notes", "References", "Examples"):
        assert f"\n{section}\n---" in doc


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(bs.laws.__path__)])
def test_examples_of_the_catalogue_run(module):
    assert doctest.testmod(importlib.import_module(f"bayescale.laws.{module}")).failed == 0


@pytest.mark.filterwarnings("ignore::bayescale.RunsWarning")
@pytest.mark.parametrize(
    "law", [*map(bs.laws.get, NAMES), *VARIANTS], ids=lambda law: f"{law.name}-{law.title}"
)
def test_worked_cases_and_published_constants_can_be_known_fits(law):
    names = {q.name for q in law.parameters}
    cases = {"example": testing.example_of(law).parameters, **law.presets}
    for case, constants in cases.items():
        if set(constants) != names:
            continue
        x = {"x": np.geomspace(50.0, 900.0, 60)} if case == "addition_2022" else None
        fit = bs.known_fit(law, runs_by(law, constants, x), constants)
        found = natural_of(fit)
        assert {k: found[k].item() for k in names} == pytest.approx(constants, rel=1e-8), case


@pytest.mark.filterwarnings("ignore::bayescale.RunsWarning")
@pytest.mark.parametrize(
    "law", [*map(bs.laws.get, NAMES), *VARIANTS], ids=lambda law: f"{law.name}-{law.title}"
)
def test_a_fit_of_every_law_and_option_can_be_stored(law):
    constants = testing.example_of(law).parameters
    fit = bs.known_fit(law, runs_by(law, constants), constants)
    stored = fit_of(tree_of(fit))
    assert stored.structure == fit.structure
    assert hash(stored.structure) == hash(fit.structure)
    assert stored.runs == fit.runs


@pytest.mark.parametrize("name", [n for n in NAMES if bs.laws.get(n).response == "unit"])
def test_a_proportion_stays_between_0_and_1_wherever_it_is_asked(name):
    law = bs.laws.get(name)
    far = {s: np.geomspace(1e-6, 1e9, 31) for s in law.inputs}
    if "outcome" in far:
        far["outcome"] = np.full(31, 3.0)
    value = law(*far.values(), **testing.example_of(law).parameters)
    assert np.all((value >= 0) & (value <= 1))


@pytest.mark.filterwarnings("ignore::bayescale.RunsWarning")
@pytest.mark.parametrize("name", ["kaplan_nd", "batch_trajectory", "qat_error", "m4"])
def test_draws_of_every_label_can_be_a_known_fit(name):
    law = bs.laws.get(name)
    constants = testing.example_of(law).parameters
    rng = np.random.default_rng(1)
    draws = {k: v * np.exp(0.1 * rng.standard_normal((5, 2))) for k, v in constants.items()}
    fit = bs.known_fit(law, runs_by(law, constants, labels=["a", "b"]), draws)
    found = natural_of(fit)
    for k, wanted in draws.items():
        np.testing.assert_allclose(found[k], wanted, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::bayescale.RunsWarning")
@pytest.mark.parametrize("name", ["qat_error", "qat_loss", "mcq_composition", "adversarial_power"])
def test_levels_and_floors_of_a_new_label_make_up_what_those_of_fitted_ones_do(name):
    law = bs.laws.get(name)
    constants = testing.example_of(law).parameters
    runs = runs_by(law, constants, labels=["a", "b", "c"])
    fit = bs.known_fit(law, runs, {k: np.full(20, v) for k, v in constants.items()})
    draws = {k: v[0] for k, v in fit.draws.items()}
    found = natural_at_cells(
        fit.structure, draws, fit.arrays, [(0,), (3,)], np.random.default_rng(0)
    )
    p = Parameters.of(np, {q.name: found[q.name] for q in law.parameters})
    x = anchor(np, {k: v.mean(axis=0) for k, v in fit.arrays.items() if k.startswith("anchor_")})
    floors = [p.log(q.name) for q in law.with_role("floor")]
    known, new = log_sum(np, law.log_reducible(np, p, *x), *floors).T
    np.testing.assert_allclose(new, known)


WITHOUT_FEATURES = [n for n in NAMES if bs.laws.get(n).features.__func__ is bs.laws.Law.features]


@pytest.mark.parametrize("name", WITHOUT_FEATURES)
def test_named_dimensions_go_in_and_come_out(name):
    law = bs.laws.get(name)
    constants = testing.example_of(law).parameters
    columns, _ = testing.design(law, 4, np.random.default_rng(0))
    x = [xr.DataArray(columns[s], dims="point") for s in law.inputs]
    draws = {k: xr.DataArray(np.full(3, v), dims="draw") for k, v in constants.items()}
    response = law(*x, **draws)
    assert set(response.dims) == {"point", "draw"}
    plain = law(*(columns[s] for s in law.inputs), **constants)
    np.testing.assert_allclose(response.isel(draw=0), plain)


@pytest.mark.parametrize(
    ("name", "columns", "said"),
    [
        ("lr_annealing", {"step": [1e3, 2e3], "lr": [1e-4, 1e-4]}, "C (and lam) stay"),
        ("critical_batch", {"L": [3.0, 2.5], "B": [1e5, 1e6]}, "2 batch sizes"),
        ("batch_trajectory", {"N": [1e8], "S": [1e4], "B": [1e5]}, "1 batch sizes"),
        ("data_constrained", {"N": [1e8] * 2, "D": [1e9] * 2, "U": [1e9] * 2}, "epochs"),
        ("qat_error", {"N": [1e8], "D": [1e9], "G": [64.0]}, "no unquantised run"),
        ("capybara_fp", {"Eb": [4.0], "Mb": [3.0]}, "1 formats"),
        ("parscale", {"N": [1e9, 1e9], "P": [1.0, 2.0]}, "one stream"),
        ("step_law", {"lr": [1e-3], "B": [1e5]}, "no bowl"),
        ("kaplan_ns", {"S": [1e3, 1e4]}, "decade and a half"),
        ("shifted_power_law", {"x": [1.0, 50.0]}, "two decades"),
        ("stretched_exponential", {"x": [1.0, 5.0]}, "one decade"),
        ("knowledge_capacity", {"H": [1e6], "N": [1e8]}, "lower bound"),
        ("nmt_bivariate", {"Ne": [1e8, 2e8], "Nd": [1e8, 2e8]}, "pe and pd trade off"),
        ("max_lr_batch", {"B": [64.0, 128.0]}, "decade of batches"),
        ("data_filtering", {"n": [1e6, 2e6], "U": [1e6, 1e6]}, "2.0 epochs"),
        ("pruning_frontier", {"f": [1.0, 0.5]}, "2 fractions"),
        ("infinite_compute", {"D": [1e8], "N": [1e8], "K": [4.0]}, "1 sizes"),
        ("infinite_compute", {"D": [1e8], "N": [1e8], "K": [4.0]}, "data=False"),
        ("projektor", {"N": [1e3, 1e4]}, "2 sizes"),
        (
            "qat_loss",
            {"bits": [4.0, 4.0], "D_fp": [1e9, 1e10], "D_qat": [1e9, 1e10]},
            "three fractions",
        ),
        ("effective_parameters", {"P": [16.0, 16.0]}, "8 bits"),
        ("moe_efficiency_leverage", {"A": [0.1, 0.2]}, "no dense run"),
        ("rag_inference", {"i_doc": [0.3, 0.3]}, "three tasks"),
        ("genrm_vs_sc", {"J": [1.0, 1.0]}, "with and without verification"),
        ("mcq_composition", {"choice": [1.0, 1.0]}, "one kind of answer"),
    ],
)
def test_a_law_says_what_a_table_cannot_tell(name, columns, said):
    hints = bs.laws.get(name).identifiability({s: np.array(v) for s, v in columns.items()})
    assert any(said in hint for hint in hints)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("m4", {"e0": -1.0}, "e0"),
        ("critical_batch", {"floor": 4.0}, "floor"),
        ("lr_annealing", {"decay": 1.5}, "decay"),
        ("lr_annealing", {"sizes": True, "N_r": 0.0}, "N_r"),
        ("bivariate_power", {"over": "N"}, "over"),
        ("additive_power", {"over": ("N", "N")}, "over"),
        ("bnsl", {"breaks": 0}, "breaks"),
        ("four_regimes", {"regime": "both"}, "regime"),
        ("knowledge_capacity", {"sharpness": 0.0}, "sharpness"),
        ("u_shape_quadratic", {"at": -1.0}, "at must"),
        ("max_lr_batch", {"power": -0.5}, "power"),
        ("logit_growth", {"at": 0.0}, "at must"),
        ("pruning_frontier", {"at": 0.0}, "at must"),
        ("projektor", {"OT_r": 0.0}, "OT_r"),
        ("activation_sparsity", {"activation": "gelu"}, "activation"),
        ("moe_efficiency_leverage", {"at": 0.0}, "at must"),
        ("kinetics_cost", {"intensity": 0.0}, "intensity"),
    ],
)
def test_options_that_make_no_sense_are_refused(name, options, said):
    with pytest.raises(ValueError, match=said):
        bs.laws.get(name, **options)


def test_the_catalogue_page_is_up_to_date():
    page = (DOCS / "catalogue.md").read_text()
    laws = [bs.laws.get(name) for name in NAMES]
    assert page == generate.page(laws), "run python docs/generate_catalogue.py"


# Compiling is most of a fit: benchmarks/laws.py fits every law, several times.
@pytest.mark.parametrize("name", ["m2", "overtraining"])
def test_fits_of_one_law_of_one_input_and_of_two_recover_its_constants(name):
    found = check_recovery(
        bs.laws.get(name), replicates=2, rows=80, families=1, draws=200, tune=300, chains=1
    )
    assert found.coverage >= 0.6
    assert found.table["divergences"].sum() < 20


def test_proportions_are_simulated_as_counts():
    runs, truth = simulate(bs.laws.GenRMvsSC(), rows=60, families=2, trials=50)
    assert runs.is_counts
    assert set(runs.trials) == {50}
    assert np.all((runs.y >= 0) & (runs.y <= 50))
    assert truth["F"].shape == (2,)


@pytest.mark.parametrize(
    ("answer", "shared", "by_family"),
    [
        (lambda v: logit_growth.size_at(1e3, v), {"A": 60.0, "b": 0.6}, {"c": [0.05, -0.2]}),
        (lambda v: passuntil.size_for(0.9, v, 1e8), {"c": 2e4, "a": 0.45}, {"q": [0.05, -0.2]}),
        (
            lambda v: infinite_compute.data_multiple(v, 2.0, 1e8),
            {"q": 20, "r": 0.2},
            {"E0": [1, 3]},
        ),
        (
            lambda v: infinite_compute.members_for(v, 3.2, N=4.0),
            {"c": 0.2, "h": 0.5, "b": 0.4, "s": 0.5, "g": 1.0},
            {"E0": [3.0, 3.3]},
        ),
        (lambda v: kinetics.cost_for(0.8, v), {"a": 4e4, "b": 0.35}, {"F_max": [0.9, 0.7]}),
        (moe.best_granularity, {"beta": -0.12}, {"gamma": [0.02, -0.02]}),
    ],
)
def test_answers_keep_the_labels_of_a_posterior(answer, shared, by_family):
    (name, values), *_ = by_family.items()
    families = xr.DataArray(np.array(values, float), {"family": ["usual", "never"]}, "family")
    draws = {k: xr.DataArray([v, v], dims="draw") for k, v in shared.items()}
    found = answer({**draws, name: families})
    assert found.transpose("draw", "family").shape == (2, 2)
    for family, value in zip(families["family"], values, strict=True):
        wanted = answer({**shared, name: value})
        np.testing.assert_allclose(found.sel(family=family), wanted)
    assert np.isfinite(found.sel(family="usual")).all()
