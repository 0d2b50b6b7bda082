"""What a scaling law is: a formula, its inputs, and parameters with roles.

A law is written once, against ``xp``, and runs on numbers, on xarray objects and on PyTensor
graphs.  The role of a parameter decides its default prior, how it is anchored to the data and
whether it is pooled; a law therefore says nothing about sampling.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import LOG_ZERO, log_sigmoid
from bayescale.laws.validation import refuse_mistakes

_REGISTRY: dict[str, type["Law"]] = {}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a law or of a noise model.

    Attributes
    ----------
    name : str
        Symbol in the formula.
    role : str
        What the parameter does; see the functions of this module.
    link : {"log", "real", "unit"}
        Scale on which groups vary: the coordinate is ``log(p)``, ``p`` or ``logit(p)``.
    centre, spread : float
        Median and standard deviation of the prior of the population, on the link scale.
    between : float
        Twice the prior median of the standard deviation between groups.
    between_dof : float
        Degrees of freedom of the prior of that deviation: how firmly it is held there.
    of : str or None
        The input that a location belongs to, or the level whose term an exponent bends.
    after : str or None
        The location that this one must exceed.
    end : {"low", "high"} or None
        End of the data whose slope an exponent gives, where others rule elsewhere.
    groups : tuple of str
        Names of groups, such as a number format, over which no parameter varies by default but
        those that name it here.
    pooling : {"shared", "partial", "independent"} or None
        Default pooling, where it is not that of the role.
    """

    name: str
    role: str
    link: str = "log"
    centre: float = 0.0
    spread: float = 1.0
    between: float = 0.3
    between_dof: float = 3.0
    of: str | None = None
    after: str | None = None
    end: str | None = None
    groups: tuple[str, ...] = ()
    pooling: str | None = None

    @property
    def is_positive(self) -> bool:
        """Whether the logarithm of the parameter exists."""
        return self.link != "real"


def exponent(
    name: str,
    median: float = 0.3,
    spread: float = 0.5,
    between: float = 0.3,
    of: str | None = None,
    end: str | None = None,
) -> Parameter:
    """Positive exponent: log-normal around `median`, shared by groups up to `between`.

    With `of` naming the level of its term, it is sampled as the slope that data determine: that of
    the response amid the data, or at the `end` ("low" or "high") where the exponent rules.
    """
    return Parameter(name, "exponent", "log", math.log(median), spread, between, of=of, end=end)


def floor(name: str) -> Parameter:
    """Irreducible part of the response, a share of its level."""
    return Parameter(name, "floor", "log", 0.0, 1.5, 0.7)


def level(name: str, between: float = 1.0) -> Parameter:
    """Amplitude: anchored as the response at the geometric mean of the inputs."""
    return Parameter(name, "level", "log", 0.0, 1.5, between)


def intercept(name: str, spread: float = 2.0) -> Parameter:
    """Additive constant: anchored as the response at the geometric mean of the inputs."""
    return Parameter(name, "intercept", "real", 0.0, spread, 1.0)


def location(name: str, of: str, after: str | None = None) -> Parameter:
    """Value of an input where the law bends, inside the data widened by one decade."""
    return Parameter(
        name, "location", "log", math.log(0.4) if after else 0.0, 0.6, 0.3, of=of, after=after
    )


def width(name: str, median: float = 0.3, spread: float = 0.7) -> Parameter:
    """Width of a bend in units of ``ln x``."""
    return Parameter(name, "width", "log", math.log(median), spread, 0.3)


def slope(
    name: str, mean: float = 0.0, spread: float = 0.5, between: float = 0.3, of: str | None = None
) -> Parameter:
    """Signed exponent or slope; `of` names the level of a term that has no other slope."""
    return Parameter(name, "slope", "real", mean, spread, between, of=of)


def bend(name: str, spread: float = 0.4) -> Parameter:
    """Change of an exponent at a location, of either sign."""
    return Parameter(name, "bend", "real", 0.0, spread, 0.3)


def positive_bend(name: str, median: float = 0.3, spread: float = 0.7) -> Parameter:
    """Change of an exponent at a location, of known sign.

    Groups bend alike.  No change at all is infinitely far on a logarithmic scale, so that a group
    that does not seem to bend would either be an exception without end or none.
    """
    return Parameter(name, "bend", "log", math.log(median), spread, 0.3, between_dof=30.0)


def positive(name: str, median: float, spread: float = 1.0, between: float = 0.5) -> Parameter:
    """Any other positive parameter, log-normal around `median`."""
    return Parameter(name, "positive", "log", math.log(median), spread, between)


def fraction(
    name: str, median: float = 0.5, spread: float = 1.5, between: float = 0.5
) -> Parameter:
    """Parameter between 0 and 1."""
    return Parameter(name, "fraction", "unit", math.log(median / (1 - median)), spread, between)


def ceiling(name: str) -> Parameter:
    """Upper bound of a response in (0, 1), above what its group surely reaches on average.

    Of the room up to 1 it takes a share that is about Beta(4, 1.5).
    """
    return Parameter(name, "ceiling", "unit", 1.2, 1.1, 0.5)


#: Every parameter as its logarithm or its value, as it comes from a coordinate.
Found = Mapping[str, tuple[str, Any]]


class Parameters(Mapping[str, Any]):
    """Values of the parameters of a law: ``p.alpha``, ``p["alpha"]`` and ``p.log_alpha``.

    Logarithms of positive parameters are kept as they come, because the sampler works on them and
    ``exp`` of an amplitude may overflow where its logarithm is harmless.
    """

    def __init__(
        self,
        xp: Any,
        values: Mapping[str, Any] | None = None,
        logs: Mapping[str, Any] | None = None,
        unit_of_row: Mapping[str, Any] | None = None,
    ):
        self._xp = xp
        self._values = dict(values or {})
        self._logs = dict(logs or {})
        self._unit_of_row = dict(unit_of_row or {})
        self._at_rows: dict[tuple[str, str], Any] = {}

    @classmethod
    def of(
        cls, xp: Any, found: "Found", unit_of_row: Mapping[str, Any] | None = None
    ) -> "Parameters":
        """Collect ("logs" | "values", array) pairs, spread over rows where units have an index."""
        values = {name: value for name, (kind, value) in found.items() if kind == "values"}
        logs = {name: value for name, (kind, value) in found.items() if kind == "logs"}
        return cls(xp, values, logs, unit_of_row)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._xp.exp(self._logs[name])
        return self._at_row("value", name, self._values[name])

    def log(self, name: str) -> Any:
        """Logarithm of a positive parameter; of a number 0, that of a term that is off."""
        if name not in self._logs:
            value = self._values[name]
            if isinstance(value, int | float):
                if value < 0:
                    raise ValueError(f"the parameter {name!r} must be positive, not {value!r}")
                self._logs[name] = np.log(value) if value > 0 else LOG_ZERO
            else:
                self._logs[name] = self._xp.log(value)
        return self._at_row("log", name, self._logs[name])

    def _at_row(self, kind: str, name: str, at_units: Any) -> Any:
        """Spread over rows what was worked out for units, of which there are fewer."""
        if name not in self._unit_of_row:
            return at_units
        if (kind, name) not in self._at_rows:
            self._at_rows[kind, name] = at_units[..., self._unit_of_row[name]]
        return self._at_rows[kind, name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self:
            return self[name]
        if name.startswith("log_") and name[4:] in self:
            return self.log(name[4:])
        raise AttributeError(f"no parameter {name!r}; there are {', '.join(self)}")

    def __contains__(self, name: object) -> bool:
        return name in self._values or name in self._logs

    def __iter__(self) -> Iterator[str]:
        return iter({**self._values, **self._logs})

    def __len__(self) -> int:
        return len({**self._values, **self._logs})

    def with_values(self, **values: float) -> "Parameters":
        """Return these parameters with some of them replaced by numbers."""
        logs = {k: v for k, v in self._logs.items() if k not in values}
        units = {k: v for k, v in self._unit_of_row.items() if k not in values}
        return Parameters(self._xp, {**self._values, **values}, logs, units)


@dataclass(frozen=True)
class Law:
    """Base class of all laws: write the formula once, get everything else.

    A subclass names its `inputs`, its `parameters` and gives one of :meth:`log_mean` (positive
    responses) or :meth:`mean` (responses that may be negative).

    Parameters
    ----------
    of : str, optional
        For a law of one input: the symbol of the input in the table, when it has several.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescale.laws.base import Law, exponent, floor, level
    >>> class OffsetPower(Law):
    ...     "y = E + A x^-alpha"
    ...     name = "my_offset_power"
    ...     inputs = ("x",)
    ...     parameters = (floor("E"), level("A"), exponent("alpha"))
    ...     def log_mean(self, xp, p, x):
    ...         return xp.log(p.E + p.A * x**-p.alpha)
    >>> float(OffsetPower()(100.0, E=1.0, A=10.0, alpha=0.5))
    2.0
    """

    of: str | None = None

    name: ClassVar[str] = ""
    if TYPE_CHECKING:  # attributes of a class, or properties where they depend on options

        @property
        def inputs(self) -> tuple[str, ...]: ...
        @property
        def conditions(self) -> tuple[str, ...]: ...
        @property
        def response(self) -> str: ...
        @property
        def better(self) -> str | None: ...
        @property
        def parameters(self) -> tuple[Parameter, ...]: ...
        @property
        def example(self) -> Example | None: ...
        @property
        def presets(self) -> Mapping[str, Mapping[str, float]]: ...
        @property
        def monotone(self) -> Mapping[str, int]: ...
        @property
        def limits(self) -> tuple[Limit, ...]: ...
    else:
        inputs = ("x",)
        conditions = ()
        response = "positive"
        better = None
        parameters = ()
        example = None
        presets = {}
        monotone = {}
        limits = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register the law under its name, or else under that of its module and class.

        Raises
        ------
        ValueError
            If what the law says about itself cannot be meant, or its name is that of another.
        """
        super().__init_subclass__(**kwargs)
        refuse_mistakes(cls)
        name = identifier(cls)
        known = _REGISTRY.get(name, cls)
        same = (known.__module__, known.__qualname__) == (cls.__module__, cls.__qualname__)
        if not same and known.__module__.startswith(f"{__package__}."):
            raise ValueError(
                f"{cls.__name__}: the name {name!r} is taken by {known.__name__}: "
                "give the law another"
            )
        _REGISTRY[name] = cls

    def log_mean(self, xp: Any, p: Parameters, *x: Any) -> Any:
        """Logarithm of the mean response.

        Parameters
        ----------
        xp : module
            ``numpy`` or ``pytensor.tensor``.
        p : Parameters
            Values that broadcast against the inputs.
        *x : array
            The inputs in the order of ``inputs``, in their own units.
        """
        return xp.log(self.mean(xp, p, *x))

    def mean(self, xp: Any, p: Parameters, *x: Any) -> Any:
        """Mean response; arguments as for :meth:`log_mean`."""
        return xp.exp(self.log_mean(xp, p, *x))

    def log_reducible(self, xp: Any, p: Parameters, *x: Any) -> Any:
        """Logarithm of what the levels make up: the response without floors.

        A law in which more comes on top of its levels, such as a rounding error, overrides this:
        it is what :meth:`levels_at` puts where it is wanted.  Arguments as for :meth:`log_mean`.
        """
        floors = {q.name: 0.0 for q in self.with_role("floor")}
        return self.log_mean(xp, p.with_values(**floors), *x)

    def homogeneity(self, p: Parameters) -> Any:
        """Degree with which what the levels make up grows in all of them jointly (1: linear)."""
        return 1.0

    def log_top(self, p: Parameters) -> Any:
        """Logarithm of the largest proportion that the law can reach, whatever its level."""
        return 0.0

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Logarithms of the levels that put the response at the anchor where it is wanted.

        The inverse of :meth:`log_reducible`.  The default is right where the response grows with
        every level as :meth:`homogeneity` says; another law overrides it.

        Parameters
        ----------
        xp : module
            ``numpy`` or ``pytensor.tensor``.
        p : Parameters
            Every other parameter (a floor is already taken off the response).
        log_response : array
            Logarithm of the reducible response at the anchor.
        log_shares : mapping
            Logarithm of the share of every level's term in it; the shares add up to 1.
        *x : array
            The anchor.

        Returns
        -------
        dict
            Level name -> logarithm of the level.
        """
        degree = self.homogeneity(p)
        off = {q.name: 0.0 for q in self.parameters if q.role in ("floor", "level")}
        logs = {}
        for name, log_share in log_shares.items():
            unit = self.log_mean(xp, p.with_values(**{**off, name: 1.0}), *x)
            logs[name] = (log_response - unit) / degree + log_share
        return logs

    def intercept_at(self, xp: Any, p: Parameters, response: Any, *x: Any) -> Any:
        """Intercept that puts the response at the anchor where it is wanted.

        The default is right where the intercept is added to the rest; arguments as for
        :meth:`levels_at`.
        """
        (q,) = self.with_role("intercept")
        return response - self.mean(xp, p.with_values(**{q.name: 0.0}), *x)

    def __call__(self, *x: Any, **parameters: Any) -> Any:
        """Mean response for numbers, arrays or xarray objects.

        Parameters
        ----------
        *x : array_like
            Inputs in the order of ``inputs``.
        **parameters : array_like
            All parameters of the law by name.

        Raises
        ------
        TypeError
            If a parameter is missing or unknown, or the number of inputs is wrong.
        """
        refuse_mistakes(self)
        names = [q.name for q in self.parameters]
        if len(x) != len(self.inputs):
            raise TypeError(f"{self.title} takes the inputs {', '.join(self.inputs)}; got {len(x)}")
        if wrong := sorted(set(parameters) ^ set(names)):
            raise TypeError(
                f"{self.title} takes the parameters {', '.join(names)}: "
                f"missing or unknown {', '.join(wrong)}"
            )
        inputs = [v if hasattr(v, "dims") else np.asarray(v, float) for v in x]
        read = self.features(dict(zip(self.inputs, inputs, strict=True)), None)
        return self.mean(np, Parameters(np, parameters), *read.values())

    def features(
        self, x: dict[str, np.ndarray], sequence: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """Turn the columns of a table into what the formula reads.

        The default hands on the columns.  A law of a whole trajectory (a learning-rate schedule,
        say) overrides it to turn the rows of one run into arrays with a trailing axis.
        """
        return x

    def identifiability(self, x: Mapping[str, np.ndarray]) -> list[str]:
        """Say what a table with these columns cannot tell about the law, in words for its owner."""
        return []

    def parameter(self, name: str) -> Parameter:
        """Look a parameter up by name."""
        for q in self.parameters:
            if q.name == name:
                return q
        raise KeyError(
            f"{self.title} has no parameter {name!r}; it has {[q.name for q in self.parameters]}"
        )

    def with_role(self, *roles: str) -> tuple[Parameter, ...]:
        """Parameters that have one of these roles, in order."""
        return tuple(q for q in self.parameters if q.role in roles)

    @property
    def title(self) -> str:
        """Class name with the options that differ from their defaults."""
        options = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        ]
        return f"{type(self).__name__}({', '.join(options)})"

    def columns(self, available: tuple[str, ...]) -> dict[str, str]:
        """Which input of a table serves which input of the law.

        Parameters
        ----------
        available : tuple of str
            Symbols of the inputs of the table.

        Returns
        -------
        dict
            Input of the law -> symbol in the table.

        Raises
        ------
        ValueError
            If the table lacks an input, or it is not clear which one is meant.
        """
        if len(self.inputs) == 1:
            if self.of is not None:
                if self.of not in available:
                    raise ValueError(
                        f"{self.title}: the table has no input {self.of!r}, "
                        f"only {', '.join(available)}"
                    )
                return {self.inputs[0]: self.of}
            if len(available) == 1:
                return {self.inputs[0]: available[0]}
            if self.inputs[0] in available:
                return {self.inputs[0]: self.inputs[0]}
            raise ValueError(
                f"{self.title} has one input and the table has {', '.join(available)}: "
                f"say which one with {type(self).__name__}(of={available[0]!r})"
            )
        if missing := [s for s in self.inputs if s not in available]:
            raise ValueError(
                f"{self.title} needs the inputs {', '.join(self.inputs)}; "
                f"the table lacks {', '.join(missing)}: name the column, "
                f"e.g. x={{{missing[0]!r}: 'column'}}"
            )
        return {s: s for s in self.inputs}


def named(q: Parameter, **changes: Any) -> Parameter:
    """Return a parameter with some fields changed, e.g. a wider prior for one law."""
    return replace(q, **changes)


def coordinate_to_natural(xp: Any, link: str, z: Any) -> tuple[str, Any]:
    """Turn a coordinate into ("logs" or "values", array) for :class:`Parameters`."""
    if link == "log":
        return "logs", z
    if link == "unit":
        return "logs", log_sigmoid(xp, z)
    return "values", z


def natural_to_coordinate(link: str, values: np.ndarray) -> np.ndarray:
    """Turn natural values into coordinates."""
    if link == "log":
        return np.log(values)
    return np.log(values) - np.log1p(-values) if link == "unit" else values


def identifier(law: type[Law]) -> str:
    """Name that a law gives itself, not one that it inherits, or else its module and class."""
    return law.__dict__.get("name") or f"{law.__module__}.{law.__qualname__}"


def get(name: str, **options: Any) -> Law:
    """Return the law that is registered under `name`.

    Parameters
    ----------
    name : str
        Identifier such as ``"power_law_offset"`` or a class name such as ``"OffsetPowerLaw"``, in
        capitals or not.
    **options
        Options of the law, e.g. ``breaks=2``.

    Raises
    ------
    ValueError
        If there is no such law; the message suggests the nearest names.

    Examples
    --------
    >>> from bayescale import laws
    >>> laws.get("bnsl", breaks=2).title
    'BrokenPowerLaw(breaks=2)'
    """
    # Of classes with one name the first counts, so that no law hides one of this package.
    classes = {cls.__name__: cls for cls in reversed(_REGISTRY.values())} | _REGISTRY
    of_lower = {known.lower(): cls for known, cls in classes.items()}
    found = classes.get(name) or of_lower.get(name.lower())
    if found is None:
        raise ValueError(f"no law is called {name!r}{_hint(name, list(classes))}")
    return found(**options)


def _hint(name: str, known: list[str]) -> str:
    import difflib

    import bayescale

    if name in bayescale.__all__:
        return f": it is asked of fits, see bayescale.{name}"
    if near := difflib.get_close_matches(name, known, n=3):
        return f"; did you mean {' or '.join(near)}?"
    return f"; there are {', '.join(available())}"


def available() -> tuple[str, ...]:
    """Names of all laws that have one, sorted.

    Examples
    --------
    >>> from bayescale import laws
    >>> "chinchilla" in laws.available()
    True
    """
    return tuple(sorted(name for name, cls in _REGISTRY.items() if name == cls.name))
