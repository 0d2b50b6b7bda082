"""Every law of the catalogue keeps the promises that its class makes."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import bayescale as bs
from bayescale.laws import base
from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.isoflop import growth
from bayescale.laws.numerics import implicit_root, log1mexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, location
from bayescale.model.geometry import natural
from bayescale.model.response import anchor
from bayescale.posterior.unseen import natural_at_cells
from bayescale.testing import testing
from bayescale.testing.recovery import check_recovery

TRAINING = [
    "power_law",
    "power_law_offset",
    "log_law",
    "m1",
    "m2",
    "m3",
    "m4",
    "shifted_power_law",
    "bnsl",
    "crossover_power_law",
    "stretched_exponential",
    "exponential_law",
    "u_shape",
    "chinchilla",
    "kaplan_nd",
    "overtraining",
    "hitchhiker",
    "bivariate_power",
    "additive_power",
    "kaplan_ns",
    "critical_batch",
    "batch_trajectory",
    "lr_annealing",
    "step_law",
    "data_constrained",
    "capybara_fp",
    "qat_error",
    "compute_optimal_qat",
    "parscale",
    "isoflop_parabola",
]

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
    bs.laws.get("bnsl", breaks=2),
    bs.laws.get("bnsl", breaks=3),
    bs.laws.get("crossover_power_law", sharpness=-2.0),
    bs.laws.get("log_law", cap=100.0),
    bs.laws.get("bivariate_power", offset=True, over=("N", "D", "K")),
    bs.laws.get("bivariate_power", over=("N", "D")),
    bs.laws.get("additive_power", over=("N", "D", "K")),
    bs.laws.get("data_constrained", degradation=True),
    bs.laws.get("capybara_fp", free=True),
    bs.laws.get("parscale", tokens=True),
    bs.laws.get("u_shape", inverted=True),
    bs.laws.get("critical_batch", at=2.0, floor=1.0),
    bs.laws.get("lr_annealing", decay=None),
    bs.laws.get("lr_annealing", sizes=True),
    bs.laws.get("lr_annealing", sizes=True, decay=None, N_r=2e8),
    bs.laws.get("four_regimes", regime="variance"),
    bs.laws.get("adversarial_power", clean=False),
    bs.laws.get("nmt_bivariate", Ne0=1e7),
    bs.laws.get("max_lr_batch", outcomes=True),
    bs.laws.get("max_lr_batch", outcomes=True, power=0.5),
    bs.laws.get("logit_growth", curved=True),
    bs.laws.get("pruning_frontier", at=1e6),
    bs.laws.get("infinite_compute", data=False),
    bs.laws.get("projektor", N_r=100.0),
    bs.laws.get("qat_loss", per_byte=False),
    bs.laws.get("activation_sparsity", activation="silu"),
    bs.laws.get("moe_efficiency_leverage", ratios=True),
    bs.laws.get("moe_efficiency_leverage", granularity=False),
    bs.laws.get("rag_inference", proportion=True),
    bs.laws.get("kinetics_cost", attended=1000.0),
    bs.laws.get("coverage_exp_power", saturating=True),
    bs.laws.get("passuntil", onset=1e8),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_law_passes_the_checks(name):
    testing.check_law(bs.laws.get(name))


@pytest.mark.parametrize("law", VARIANTS, ids=lambda law: law.title)
def test_options_pass_the_checks(law):
    testing.check_law(law)


@pytest.mark.parametrize("name", ["BNSL", "Chinchilla", "CHINCHILLA", "brokenpowerlaw"])
def test_a_law_is_found_in_capitals_or_not(name):
    assert type(bs.laws.get(name)).__name__ in ("BrokenPowerLaw", "Chinchilla")


def test_a_question_to_fits_is_no_law_and_says_so():
    with pytest.raises(ValueError, match=r"'crossover_scale': .* bayescale\.crossover_scale"):
        bs.laws.get("crossover_scale")
    with pytest.raises(ValueError, match="did you mean chinchilla"):
        bs.laws.get("chinchila")


def test_what_a_law_of_your_own_is_written_with_is_beside_the_laws():
    for name in ("Law", "Parameter", "floor", "level", "exponent", "location", "slope", "ceiling"):
        assert name in dir(bs.laws)
        assert getattr(bs.laws, name) is getattr(base, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_law_explains_itself(name):
    doc = inspect.cleandoc(type(bs.laws.get(name)).__doc__)
    assert "math:" in doc
    for section in ("Notes", "References", "Examples"):
        assert f"\n{section}\n---" in doc


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(bs.laws.__path__)])
def test_examples_of_the_catalogue_run(module):
    assert doctest.testmod(importlib.import_module(f"bayescale.laws.{module}")).failed == 0


def runs_by(law, constants, x=None, labels=None):
    """Sixty measurements that lie on a law."""
    columns, sequence = testing.design(law, 60, np.random.default_rng(0))
    columns = {**columns, **(x or {})}
    y = law.mean(
        np, Parameters(np, constants), *testing.formula_inputs(law, columns, sequence)
    ) * np.ones(60)
    y = np.clip(y, 1e-6, 1 - 1e-6) if law.response == "unit" else y
    table = {**columns, "y": y}
    options = {"x": {s: s for s in law.inputs}}
    if sequence is not None:
        table["run"], options["sequence"] = sequence, "run"
    if labels is not None:
        table["label"], options["groups"] = np.resize(labels, 60), {"family": "label"}
    return bs.Runs(table, y="y", **options)


def natural_of(fit):
    found = natural(np, fit.structure, {k: v[0] for k, v in fit.draws.items()}, fit.arrays)
    return {name: np.exp(v) if kind == "logs" else v for name, (kind, v) in found.items()}


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
def test_levels_of_a_new_label_make_up_what_those_of_fitted_ones_do(name):
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
    known, new = law.log_reducible(np, p, *x).T
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


class Wrong(Law):
    """Falls where it says that it rises, is no power law, and overflows."""

    inputs = ("x",)
    parameters = (floor("E"), level("A"), exponent("alpha"))
    monotone: ClassVar = {"x": 1}
    example = Example({"E": 1.0, "A": 2.0, "alpha": 0.5}, {"x": (1.0, 100.0)})
    limits = (Limit("power_law", {}, lambda v: {"A": v["A"], "alpha": v["alpha"]}),)

    def log_mean(self, xp, p, x):
        off = 1e-6 if xp is np else 0.0
        return xp.log(p.E + off + p.A * xp.exp(-p.alpha * xp.sqrt(x)) * xp.exp(1e-8 * x))


def test_a_wrong_law_is_caught():
    law = Wrong()
    with pytest.raises(AssertionError, match="numbers and graph"):
        testing.check_graph(law)
    with pytest.raises(AssertionError, match="should rise in x"):
        testing.check_monotone(law)
    with pytest.raises(AssertionError, match="limit PowerLaw"):
        testing.check_limits(law)
    with pytest.raises(AssertionError, match="not finite"), np.errstate(all="ignore"):
        testing.check_decades(law, decades=24)


class Ratio(Law):
    """The usual spelling of a power law, y = E + (x0 / x)^alpha, in which x0 is no amplitude."""

    inputs = ("x",)
    parameters = (floor("E"), level("x0"), exponent("alpha"))

    def log_mean(self, xp, p, x):
        return xp.log(p.E + (p.x0 / x) ** p.alpha)


class KnownRatio(Ratio):
    """The same with the degree of its level."""

    def homogeneity(self, p):
        return p.alpha


def test_a_level_that_does_not_enter_linearly_is_refused_unless_the_law_says_how():
    x = np.geomspace(1e17, 1e22, 12)
    runs = bs.Runs({"x": x, "y": 1.7 + 1.4e3 * x**-0.15}, y="y", x="x")
    with pytest.raises(AssertionError, match=r"Ratio\(\): levels_at .*`homogeneity`.*`levels_at`"):
        testing.check_law(Ratio())
    with pytest.raises(ValueError, match=r"Ratio\(\): .* level to the .*`homogeneity`"):
        bs.build_model(Ratio(), runs)
    testing.check_law(KnownRatio())
    bs.build_model(KnownRatio(), runs)
    constants = {"E": 1.7, "x0": 1e20, "alpha": 0.15}
    found = natural_of(bs.known_fit(KnownRatio(), runs, constants))
    assert {k: found[k].item() for k in constants} == pytest.approx(constants)


def test_a_parameter_named_like_one_of_the_noise_is_refused():
    class Named(Law):
        inputs = ("x",)
        parameters = (level("A"), exponent("sigma"))

        def log_mean(self, xp, p, x):
            return p.log_A - p.sigma * xp.log(x)

    runs = bs.Runs({"x": [1.0, 10.0, 100.0], "y": [3.0, 2.0, 1.5]}, y="y", x="x")
    with pytest.raises(ValueError, match=r"Named\(\) .*'sigma'.*LogStudentT.*another name"):
        bs.build_model(Named(), runs)


PLAIN = (floor("E"), level("A"), exponent("alpha", of="A"))


def plain(self, xp, p, x):
    return xp.log(p.E + p.A * x**-p.alpha)


MISTAKES = [
    ({"name": "no_formula", "log_mean": Law.log_mean}, "no formula"),
    ({"name": "chinchilla"}, "'chinchilla' is taken by Chinchilla"),
    ({"parameters": ("E",)}, r"'E' has no role: write level\('E'\)"),
    ({"parameters": level("A")}, "put a comma behind it"),
    ({"inputs": "flops"}, r"inputs = \('flops',\) with a comma"),
    ({"parameters": (level("A"), exponent("alpha", of="Q"))}, "'alpha' is of the level 'Q'"),
    ({"parameters": (level("A"), location("d", of="q"))}, "'d' is of the input 'q'.* are x"),
    ({"parameters": (level("A"), location("d", of="x", after="e"))}, "'d' comes after 'e'"),
    ({"parameters": (level("A"), exponent("A"))}, "two parameters are called 'A'"),
    ({"monotone": {"q": 1}}, "monotone names 'q', and the inputs are x"),
    ({"conditions": ("q",)}, "conditions names 'q', and the inputs are x"),
    ({"response": "reals"}, "response must be one of .*'reals'"),
    ({"better": "up"}, "better must be one of .*'up'"),
]


@pytest.mark.parametrize(("said", "wanted"), MISTAKES)
def test_a_law_that_cannot_be_meant_is_refused_when_its_class_is_made(said, wanted):
    body = {"inputs": ("x",), "parameters": PLAIN, "log_mean": plain, **said}
    with pytest.raises(ValueError, match=f"^Own: .*{wanted}"):
        type("Own", (Law,), body)


def test_what_depends_on_options_is_refused_when_a_law_is_used():
    own = type("Own", (Law,), {"parameters": property(lambda self: ("E",)), "log_mean": plain})
    empty = type("Empty", (Law,), {"parameters": PLAIN})
    runs = bs.Runs({"x": [1.0, 10.0, 100.0], "y": [3.0, 2.0, 1.5]}, y="y", x="x")
    for use in (lambda law: law(1.0), testing.check_law, lambda law: bs.build_model(law, runs)):
        with pytest.raises(ValueError, match=r"Own\(\): the parameter 'E' has no role"):
            use(own())
        with pytest.raises(ValueError, match=r"Empty\(\): there is no formula"):
            use(empty())


def test_a_formula_without_a_return_is_named():
    silent = type("Silent", (Law,), {"parameters": PLAIN, "log_mean": lambda *_: None})
    with pytest.raises(AssertionError, match=r"Silent\(\): log_mean has no return"):
        testing.check_law(silent())


def test_a_class_that_is_made_again_replaces_itself():
    for exponents in (0.3, 0.5):

        class Again(Law):
            name = "made_again"
            parameters = (level("A"), exponent("alpha", median=exponents))
            log_mean = plain

    assert type(bs.laws.get("made_again")) is Again


def test_an_example_with_a_name_that_is_wrong_is_no_example():
    class Misspelt(bs.laws.OffsetPowerLaw):
        name = ""
        example = Example({"E": 1.0, "A": 2.0, "alhpa": 0.5}, {"x": (1.0, 100.0)})

    class Elsewhere(bs.laws.OffsetPowerLaw):
        name = ""
        example = Example({"E": 1.0, "A": 2.0, "alpha": 0.5}, {"C": (1.0, 100.0)})

    with pytest.raises(ValueError, match=r"Misspelt\(\): its example lacks the parameters alpha"):
        testing.check_law(Misspelt())
    with pytest.raises(ValueError, match="its example lacks the inputs x"):
        testing.check_law(Elsewhere())


def test_an_implicit_root_carries_the_gradient_of_the_root():
    import pytensor
    import pytensor.tensor as pt

    a = pt.vector("a")
    root = implicit_root(pt, lambda t: (t**3 + t - a, 3 * t**2 + 1), 0.0 * a, a)
    values = np.array([0.5, 2.0, 10.0])
    found, slope = pytensor.function(
        [a], [root, pytensor.grad(root.sum(), a)], mode="FAST_COMPILE"
    )(values)
    np.testing.assert_allclose(found**3 + found, values, rtol=1e-12)
    np.testing.assert_allclose(slope, 1 / (3 * found**2 + 1), rtol=1e-10)


def test_the_loss_along_a_run_solves_its_equation_far_from_the_data():
    law, rng = bs.laws.get("batch_trajectory"), np.random.default_rng(0)
    p = {k: v * np.exp(rng.normal(size=5000)) for k, v in law.example.parameters.items()}
    wide = [np.log10(ends) + np.array((-1, 1)) for ends in law.example.inputs.values()]
    N, S, B = (10 ** rng.uniform(*ends, 5000) for ends in wide)
    loss = law(N, S, B, **p)
    steps = S / (1 + p["B_r"] * (loss / law.at) ** (-1 / p["aB"]) / B)
    right = (p["Nc"] / N) ** p["aN"] + (p["Sc"] / steps) ** p["aS"]
    assert np.abs(np.log(right / loss)).max() < 1e-6


def test_published_numbers_are_met():
    get = bs.laws.get
    repeated = get("data_constrained")
    constants = repeated.presets["muennighoff_2023"]
    assert float(repeated(8.67e9, 178e9, 25e9, **constants)) == pytest.approx(2.2269634075, 1e-9)
    assert float(repeated(6.34e9, 242e9, 25e9, **constants)) == pytest.approx(2.2256440890, 1e-9)
    float_law = get("capybara_fp")
    critical = [
        float(float_law.critical_data(1e9, e, m, 128, float_law.presets["sun_2025"])) / 1e12
        for e, m in ((8, 7), (4, 3), (2, 1))
    ]
    assert critical == pytest.approx([1730, 27, 0.39], rel=0.02)
    batch = get("critical_batch")
    assert float(batch.critical(3.0, batch.presets["kaplan_2020"])) == pytest.approx(1.1e6, 0.05)
    qat = get("compute_optimal_qat")
    shares = [float(qat(1.0, s, 8.0, **qat.presets["dremov_2025"])) for s in (20, 1e3, 1e4)]
    assert shares == pytest.approx([0.106, 0.377, 0.482], abs=1e-3)


@pytest.mark.parametrize("free", [False, True])
def test_the_loss_of_few_bits_is_least_at_the_critical_data(free):
    law, own = bs.laws.CapybaraFP(free=free), {"gD": 0.3, "gN": 0.1} if free else {}
    constants = {**law.presets["sun_2025"], **own}
    critical = law.critical_data(1e9, 2, 1, 128, constants)
    least, *around = law(1e9, critical * np.array([1.0, 0.9, 1.1]), 2.0, 1.0, 128.0, **constants)
    assert least < min(around)


@pytest.mark.parametrize("at", [2.0, 3.0])
def test_published_constants_hold_at_any_reference(at):
    batch, run = bs.laws.CriticalBatch(at=at), bs.laws.BatchTrajectory(at=at)
    critical = float(batch.critical(3.0, batch.presets["kaplan_2020"]))
    assert critical == pytest.approx(2.1e8 * 3.0 ** (-1 / 0.21))
    steps = float(batch(1.0, 1e18, **batch.presets["kaplan_2020"]))
    assert steps == pytest.approx(2.1e3)
    assert float(run(1e9, 1e5, 1e5, **run.presets["kaplan_2020"])) == pytest.approx(
        float(
            bs.laws.BatchTrajectory()(
                1e9, 1e5, 1e5, **bs.laws.BatchTrajectory().presets["kaplan_2020"]
            )
        )
    )
    qat = bs.laws.QATError(N_r=at * 1e8, D_r=at * 1e10, G_r=16 * at)
    constants = qat.presets["w4a4_2025"]
    error = float(qat(1e9, 1e11, 32, **constants) - qat(1e9, 1e11, 1, **constants))
    assert error == pytest.approx(0.1582 * 1e11**0.0745 * 5**0.7779 / 1e9**0.2186)
    step = bs.laws.StepLaw(N_r=at * 1e8, D_r=at * 1e9)
    lr, best = step.optimum(1e9, 1e11, step.presets["li_2025"])
    assert lr == pytest.approx(1.797 * 1e9**-0.713 * 1e11**0.307)
    assert best == pytest.approx(0.581 * 1e11**0.571)


def test_published_constants_are_none_where_an_option_means_something_else():
    for law in (
        bs.laws.CriticalBatch(floor=1.69),
        bs.laws.RAGInference(proportion=True),
        bs.laws.LRAnnealing(decay=0.99),
    ):
        assert not law.presets, law.title
    assert bs.laws.LRAnnealing(decay=None).presets["fineweb_2025"]["lam"] == 0.999


def test_only_what_was_published_of_the_best_rates_is_a_preset():
    assert set(bs.laws.StepLaw().presets["li_2025"]) == {"lr_r", "p", "q", "B_r", "r"}


@pytest.mark.parametrize("gap", [10.0, 1000.0, 4000.0])
def test_a_fitted_memory_of_a_schedule_is_that_of_the_same_number_given(gap):
    step = np.arange(gap, 40_001.0, gap)
    lr = 2e-4 * np.interp(step, [0, 36_000, 40_000], [1, 1, 0.1])
    constants = {"E": 3.0, "A": 0.49, "alpha": 0.5, "C": 0.3}
    for memory in (0.99, 0.999, 0.9999):
        fitted = bs.laws.LRAnnealing(decay=None)(step, lr, lam=memory, **constants)
        given = bs.laws.LRAnnealing(decay=memory)(step, lr, **constants)
        np.testing.assert_allclose(fitted, given, rtol=1e-4, atol=0)


def test_a_schedule_of_models_of_several_sizes_is_that_of_the_paper():
    law = bs.laws.LRAnnealing(sizes=True, N_r=3e8)
    step, lr = np.array([1e3, 8e3, 1e4]), np.array([2e-4, 2e-4, 2e-5])
    made = law.features({"step": step, "lr": lr, "N": np.full(3, 1.06e8)}, None)
    wanted = 1.829 + 0.504 * made["S1"] ** -0.537 + 3.072 * 106**-0.195
    wanted -= 0.090 * made["S2"] * 106**0.235
    found = law(step, lr, 1.06e8, **law.presets["fineweb_2025"])
    np.testing.assert_allclose(found, wanted)
    alone = bs.laws.LRAnnealing()(step, lr, **bs.laws.LRAnnealing().presets["fineweb_2025"])
    np.testing.assert_allclose(found[1:], alone[1:], atol=0.02)


def test_a_negative_amplitude_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'A' must be positive, not -1\.0"):
        bs.laws.OffsetPowerLaw()(10.0, E=1.0, A=-1.0, alpha=0.5)
    assert float(bs.laws.OffsetPowerLaw()(10.0, E=1.0, A=0.0, alpha=0.5)) == 1.0


def test_a_cap_may_be_zero():
    capped = bs.laws.LogLaw(cap=0.0)([1e2, 1e6], a=-5.0, b=1.0)
    np.testing.assert_allclose(capped, [-3.0, 0.0])


def test_repeated_data_have_a_gradient_where_parameters_are_far_in_excess():
    law = bs.laws.DataConstrained()
    z = testing.coordinates(law, {**law.presets["muennighoff_2023"], "alpha": 1e-3})
    x = [np.full(1, v) for v in (1e9, 1e10, 1e6)]
    found = testing._value_and_gradients(law, {k: np.full(1, v) for k, v in z.items()}, x)
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("z", [-1e-9, -0.1, -0.6931, -0.6932, -5.0, -40.0, -300.0])
def test_the_logarithm_of_a_complement_has_all_digits(z):
    assert np.expm1(log1mexp(np, z)) == pytest.approx(-np.exp(z), rel=1e-14, abs=0.0)


def test_the_schedule_sums_are_those_of_every_step():
    steps = np.arange(1, 6001)
    lr = 3e-4 * np.where(steps < 2000, 1, 0.55 + 0.45 * np.cos(np.pi * (steps - 2000) / 4000))
    momentum, annealed = 0.0, []
    for drop in -np.diff(lr, prepend=lr[0]):
        momentum = 0.999 * momentum + drop
        annealed.append(momentum + (annealed[-1] if annealed else 0.0))
    rows = np.arange(499, 6000, 50)
    x = {"step": steps[rows].astype(float), "lr": lr[rows]}
    fixed = bs.laws.get("lr_annealing").features(x, None)
    np.testing.assert_allclose(fixed["S1"], np.cumsum(lr)[rows], rtol=1e-3)
    np.testing.assert_allclose(fixed["S2"], np.array(annealed)[rows], atol=1e-3 * max(annealed))
    fitted = bs.laws.get("lr_annealing", decay=None)
    constants = {"E": 3.0, "A": 0.5, "alpha": 0.5, "C": 0.3}
    np.testing.assert_allclose(
        fitted(*x.values(), **constants, lam=np.array(0.999)),
        bs.laws.get("lr_annealing")(*x.values(), **constants),
        rtol=1e-5,
    )


def test_a_number_format_has_its_own_error_and_one_common_surface():
    from bayescale.pooling import resolve_pooling

    pooling = resolve_pooling(bs.laws.get("qat_error").parameters, ("format",), None)
    assert pooling["delta"].groups == ("format",)
    assert [name for name, p in pooling.items() if p.groups] == ["delta"]


def test_a_transferable_law_pools_its_shares():
    from bayescale.pooling import Partial, resolve_pooling

    pooling = resolve_pooling(bs.laws.get("hitchhiker").parameters, ("family",), None)
    assert all(isinstance(pooling[name], Partial) for name in ("E", "B", "alpha", "beta"))


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


def test_the_optimum_of_slices_grows_as_it_was_made():
    budgets = np.array([1e18, 1e19, 1e20])
    exponent, log_level = growth(2.0 * budgets[None] ** np.array([[0.4], [0.6]]), budgets)
    np.testing.assert_allclose(exponent, [0.4, 0.6])
    np.testing.assert_allclose(log_level, np.log(2.0))


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
