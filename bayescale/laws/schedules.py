"""Loss along a run under any learning-rate schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter, exponent, floor, fraction, level, named, positive

#: Classes of age into which the drops of a schedule are sorted, evenly in the logarithm.
SEGMENTS = 64

#: For a decay of 0.999, which was not fitted.
_FINEWEB = {"E": 3.057, "A": 0.490, "alpha": 0.497, "C": 0.299}
_SIZES = (5e7, 1e8, 2e8, 4e8)


@dataclass(frozen=True)
class LRAnnealing(Law):
    r"""Loss along a run: progress with the sum of learning rates, and a gain from annealing.

    .. math:: L(s) = E + A S_1^{-\alpha} - C S_2, \quad S_1 = \sum_{i \le s} \eta_i, \quad
        S_2 = \sum_{i \le s} \sum_{k \le i} (\eta_{k-1} - \eta_k) \lambda^{i-k}

    With `sizes`, for runs that differ in the model,
    :math:`L(s) = E + A S_1^{-\alpha} + F N^{-\gamma} - C S_2 (N/N_r)^g`.

    Parameters
    ----------
    decay : float, optional
        :math:`\lambda`; None fits it as the parameter `lam`.
    peak : float
        Typical peak learning rate: scales the prior of `C`, for annealing that gains some 0.05.
    sizes : bool
        Add the input `N`, parameters of the model, with what a size costs and how annealing gains
        with it.
    N_r : float
        Size at which `C` is given, where there are several.

    Notes
    -----
    The inputs are the step s and the learning rate :math:`\eta` at that step, not normalised; the
    response is a loss in nats per token, `E` and `A` in its unit and `C` in nats per learning
    rate.  The rows of one run (``sequence=``) are its schedule, which is taken as linear between
    them and as constant before the first: replace the warm-up by as many steps at the peak as sum
    to the same learning rate, half of them where it is linear, or long runs come out too high, and
    forecast a run by giving its schedule from the start, in the group ``"sequence"`` where there
    are several.  Losses along a run are correlated: add ``Checkpoints()``.  A constant schedule
    leaves `C` and, with ``decay=None``, `lam` at their priors, and those two trade off.  Bands of a
    schedule of another shape than those fitted leave out how far the form itself is wrong there:
    fit several shapes.  Do not optimise schedules without bounds: the form always favours larger
    rates and more steps at zero.

    References
    ----------
    Tissue, Wang and Wang (2024), arXiv:2408.11029; preset of the same group's 2505.07796 (106e6
    parameters, peak 2e-4, batches of 4e6 tokens), whose sizes are taken to be in 1e6.

    Examples
    --------
    >>> law = LRAnnealing()
    >>> step = np.array([1e3, 8e3, 1e4])
    >>> constant = law(step, np.full(3, 2e-4), **law.presets["fineweb_2025"])
    >>> annealed = law(step, np.array([2e-4, 2e-4, 2e-5]), **law.presets["fineweb_2025"])
    >>> round(float(constant[-1] - annealed[-1]), 2)
    0.01
    """

    decay: float | None = 0.999
    peak: float = 3e-4
    sizes: bool = False
    N_r: float = 1e8

    name = "lr_annealing"
    variants = (
        {"decay": None},
        {"sizes": True},
        {"sizes": True, "decay": None, "N_r": 2e8},
    )
    conditions = ("lr",)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Step and learning rate of every row and, if wanted, the size of the model."""
        return ("step", "lr", "N") if self.sizes else ("step", "lr")

    @property
    def example(self) -> Example:
        """Three schedules, of models of several sizes where these are wanted."""
        return Example(
            {**self._fineweb(), "lam": 0.999},
            {"step": (1e3, 2e4), "lr": (2e-5, 3e-4), "N": _SIZES},
            table=schedules_of_sizes if self.sizes else schedules,
            noise=0.002,
        )

    def __post_init__(self) -> None:
        """Check the decay."""
        if self.decay is not None and not 0 < self.decay < 1:
            raise ValueError(f"decay must lie between 0 and 1, not {self.decay!r}; None fits it")
        if not self.N_r > 0:
            raise ValueError(f"N_r must be positive, not {self.N_r!r}: it is a model size")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Floor, level and exponent of progress, gain and, unless it is given, its memory."""
        fitted = () if self.decay is not None else (fraction("lam", 0.999, 0.7, 0.3),)
        gain = 0.05 * (1 - (self.decay or 0.999)) / self.peak
        # Along one run most of the loss is out of reach, as it holds what the model size costs.
        lowest = floor("E") if self.sizes else named(floor("E"), centre=2.0)
        progress = (level("A"), exponent("alpha", median=0.5, of="A"))
        size = (level("F"), exponent("gamma", of="F"), exponent("g", median=0.2))
        return (
            lowest,
            *progress,
            positive("C", median=gain, spread=1.5),
            *(size if self.sizes else ()),
            *fitted,
        )

    def _fineweb(self) -> dict[str, float]:
        """Return the published constants, for sizes in parameters and at the reference."""
        if not self.sizes:
            return _FINEWEB
        run = {"E": 1.829, "A": 0.504, "alpha": 0.537, "C": 0.090 * (self.N_r / 1e6) ** 0.235}
        return {**run, "F": 3.072 * 1e6**0.195, "gamma": 0.195, "g": 0.235}

    @property
    def presets(self) -> dict[str, dict[str, float]]:
        """Constants for the decay that they were fitted with."""
        if self.decay is None:
            return {"fineweb_2025": {**self._fineweb(), "lam": 0.999}}
        return {"fineweb_2025": self._fineweb()} if self.decay == 0.999 else {}

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Where sizes cost and gain nothing, and memory is that of the default, the default."""
        one = lambda v: {k: v[k] for k in ("E", "A", "alpha", "C")}  # noqa: E731
        at = {"F": 0.0, "g": 0.0} if self.sizes else {}
        if self.decay is None:
            at["lam"] = 0.999
        same = Limit("lr_annealing", at, one, lambda *x: x[:2], 1e-9 if self.decay else 1e-3)
        return (same,) if at and self.decay in (None, 0.999) else ()

    def features(
        self, x: dict[str, np.ndarray], sequence: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """Sum the schedule of every run: `S1`, and `S2` or, where the decay is fitted, its parts.

        Parameters
        ----------
        x : dict
            ``step`` and ``lr``, shape (rows,), and ``N``.
        sequence : array of int, shape (rows,), optional
            Run of every row; one run when absent.

        Returns
        -------
        dict
            ``S1`` and ``S2``, shape (rows,); or ``S1``, and ``drop`` and ``age``, shape (rows, k):
            drops of the learning rate, sorted by the steps that have passed since; and ``N``.
        """
        step, lr = np.asarray(x["step"], float), np.asarray(x["lr"], float)
        run = np.zeros(step.shape, int) if sequence is None else sequence
        made = {"S1": np.empty(step.shape)}
        if self.decay is None:
            made |= {k: np.zeros((*step.shape, SEGMENTS)) for k in ("drop", "age")}
        else:
            made["S2"] = np.empty(step.shape)
        for one in np.unique(run):
            rows = np.flatnonzero(run == one)
            rows = rows[np.argsort(step[rows], kind="stable")]
            s, eta = step[rows], lr[rows]
            gaps = np.diff(s, prepend=0.0)
            mean_lr = (eta + np.r_[eta[0], eta[:-1]]) / 2
            made["S1"][rows] = np.cumsum(gaps * mean_lr)
            if self.decay is None:
                made["drop"][rows], made["age"][rows] = _by_age(s, eta)
            else:
                made["S2"][rows] = _annealed(gaps, -np.diff(eta, prepend=eta[0]), self.decay)
        return {**made, "N": np.asarray(x["N"], float)} if self.sizes else made

    def _gain(self, xp: Any, p: Parameters, *parts: Any) -> Any:
        """Return what annealing takes off, from `S_2` or from drops and ages."""
        if self.decay is not None:
            gain = p.C * parts[0]
        else:
            drop, age = parts[:2]
            log_lam = p.log_lam
            faded = xp.expm1(age * log_lam[..., None]) / xp.expm1(log_lam[..., None])
            gain = p.C * (drop * faded).sum(axis=-1)
        if self.sizes:
            gain = gain * xp.exp(p.g * (xp.log(parts[-1]) - np.log(self.N_r)))
        return gain

    def mean(self, xp: Any, p: Parameters, S1: Any, *parts: Any) -> Any:
        """See :meth:`Law.mean`."""
        before = p.E + xp.exp(p.log_A - p.alpha * xp.log(S1))
        if self.sizes:
            before = before + xp.exp(p.log_F - p.gamma * xp.log(parts[-1]))
        return xp.maximum(before - self._gain(xp, p, *parts), 1e-3 * before)

    def log_mean(self, xp: Any, p: Parameters, S1: Any, *parts: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return xp.log(self.mean(xp, p, S1, *parts))

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Add the gain at the anchor back before progress is inverted."""
        gained = xp.maximum(self._gain(xp, p, *x[1:]), 0.0)
        before = xp.log(xp.exp(log_response) + gained)
        if not self.sizes:
            return {"A": before + p.alpha * xp.log(x[0])}
        return {
            "A": before + log_shares["A"] + p.alpha * xp.log(x[0]),
            "F": before + log_shares["F"] + p.gamma * xp.log(x[-1]),
        }

    def identifiability(self, x: Any) -> list[str]:
        """Say where nothing anneals, or sizes are too few."""
        said = []
        if max(x["lr"]) < 1.2 * min(x["lr"]):
            said.append("the learning rate hardly changes: C (and lam) stay at their priors")
        if self.sizes and len(set(x["N"].tolist())) < 3:
            said.append("fewer than three sizes: E and F trade off; use sizes=False")
        return said


def _annealed(gaps: np.ndarray, drops: np.ndarray, decay: float) -> np.ndarray:
    """`S_2` at every row of one run, for drops that are spread evenly between rows."""
    total, faded, result = 0.0, 0.0, np.empty(len(gaps))
    for i, (gap, drop) in enumerate(zip(np.maximum(gaps, 1.0), drops, strict=True)):
        left = decay**gap
        faded = left * faded + drop * decay * (1 - left) / (gap * (1 - decay))
        total += drop
        result[i] = (total - faded) / (1 - decay)
    return result


def _by_age(step: np.ndarray, lr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum the drops before every row in classes of age, with their mean age; shape (rows, k).

    Rates are linear between rows.  The sum of drops until a time is then linear in that time, and
    the sum of drops, each times when it came, in its square.
    """
    edges = np.r_[0.5, np.geomspace(1.0, step[-1] + 1.0, SEGMENTS)]
    size = np.abs(np.diff(lr, prepend=lr[0]))
    ends = step + 0.5
    middle = (ends + np.r_[ends[0], ends[:-1]]) / 2
    when = np.maximum(step[:, None] + 1.0 - edges, 0.0)
    drop = np.diff(np.interp(when, ends, lr))
    weight = -np.diff(np.interp(when, ends, np.cumsum(size)))
    weighted = -np.diff(np.interp(when**2, ends**2, np.cumsum(size * middle)))
    mean = np.divide(weighted, weight, out=np.zeros_like(weight), where=weight > 0)
    return drop, np.clip(step[:, None] + 1.0 - mean, edges[:-1], edges[1:])


def schedules(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Make a table of schedules to simulate on: cosine, constant then linear, constant.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws lengths and peaks.
    rows : int
        Measurements, shared out among three runs.

    Returns
    -------
    dict
        ``step``, ``lr`` and ``sequence``.
    """
    runs = []
    for number, kind in enumerate(("cosine", "decay", "constant")):
        count = rows // 3 + (number < rows % 3)
        step = np.linspace(1000.0, rng.uniform(1.5e4, 3e4), count)
        done = step / step[-1]
        shape = {
            "cosine": 0.55 + 0.45 * np.cos(np.pi * done),
            "decay": np.clip(1 - 0.9 * (done - 0.7) / 0.3, 0.1, 1.0),
            "constant": np.ones(count),
        }[kind]
        peak = rng.uniform(2e-4, 3e-4)
        runs.append({"step": step, "lr": peak * shape, "sequence": np.full(count, number)})
    return {k: np.concatenate([run[k] for run in runs]) for k in runs[0]}


def schedules_of_sizes(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Make a table of schedules for models of several sizes; arguments as of `schedules`.

    Returns
    -------
    dict
        ``step``, ``lr``, ``N`` and ``sequence``.
    """
    tables = []
    for number, N in enumerate(_SIZES):
        made = schedules(rng, rows // len(_SIZES) + (number < rows % len(_SIZES)))
        sequence = made["sequence"] + 3 * number
        tables.append({**made, "N": np.full(len(sequence), N), "sequence": sequence})
    return {k: np.concatenate([table[k] for table in tables]) for k in tables[0]}
