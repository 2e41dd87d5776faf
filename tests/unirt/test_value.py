"""Values: how they are made, compared, hashed and shown is what attrs itself would have written."""

import copy
import inspect
import math
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest

import unirt
from unirt.value import Value


def fields_of(base: type) -> type[Any]:
    """The same class, on one base or another."""

    @attrs.frozen
    class Reading(base):  # type: ignore[misc]  # the base is what differs
        name: str
        at: float = 0.0
        source: str = attrs.field(default="here", eq=False)
        secret: str | None = attrs.field(default=None, repr=False)
        data: bytes = attrs.field(default=b"", repr=lambda data: f"<{len(data)} bytes>")

    Reading.__qualname__ = "Reading"
    return Reading


OURS, THEIRS = fields_of(Value), fields_of(object)

PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "a"}, {"name": "a"}),
    ({"name": "a"}, {"name": "b"}),
    ({"name": "a", "at": 1.0}, {"name": "a", "at": 1}),
    ({"name": "a", "at": math.nan}, {"name": "a", "at": math.nan}),
    ({"name": "a", "source": "here"}, {"name": "a", "source": "there"}),
    ({"name": "a", "secret": "x"}, {"name": "a", "secret": "y"}),
    ({"name": "a", "data": b"x"}, {"name": "a", "data": b"x"}),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_values_are_equal_and_hash_alike_where_those_of_attrs_are(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    ours, theirs = (OURS(**one), OURS(**other)), (THEIRS(**one), THEIRS(**other))
    assert (ours[0] == ours[1]) is (theirs[0] == theirs[1])
    assert (ours[0] != ours[1]) is (theirs[0] != theirs[1])
    if ours[0] == ours[1]:
        assert hash(ours[0]) == hash(ours[1])


@pytest.mark.parametrize("given", [one for one, _ in PAIRS])
def test_values_show_themselves_as_those_of_attrs_do(given: dict[str, Any]) -> None:
    assert repr(OURS(**given)) == repr(THEIRS(**given))


def test_values_of_two_classes_are_never_equal() -> None:
    assert OURS(name="a") != fields_of(Value)(name="a")
    assert OURS(name="a") != "a"
    assert unirt.StartTurn() != unirt.EndTurn()


def test_a_class_keeps_a_method_of_its_own() -> None:
    @attrs.frozen
    class Key(Value):
        text: str

        def __repr__(self) -> str:
            return "***"

    assert repr(Key("x")) == "***"
    assert Key("x") == Key("x")


@pytest.mark.parametrize("again", [copy.copy, lambda value: pickle.loads(pickle.dumps(value))])
def test_values_are_frozen_slotted_and_can_be_copied(again: Callable[[Any], Any]) -> None:
    usage = unirt.Usage(input=unirt.Tokens(text=3), thinking=1)
    assert again(usage) == usage
    assert not hasattr(usage, "__dict__")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        usage.thinking = 2  # type: ignore[misc]  # the case


def test_no_class_at_the_front_door_has_these_methods_compiled_for_itself() -> None:
    """What keeps the import short; audio formats are compared at every chunk, and may."""
    public = [getattr(unirt, name) for name in unirt.__all__]
    values = [kind for kind in public if isinstance(kind, type) and attrs.has(kind)]
    shared = {"__eq__": Value.__eq__, "__hash__": Value.__hash__, "__repr__": Value.__repr__}
    compiled = {
        kind.__name__
        for kind in values
        for name, method in shared.items()
        if vars(kind).get(name) is not method
    }
    assert len(values) > 90
    assert compiled == {"AudioFormat", "Origin"}


WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    (("a", 1.0, "here", None, b"", 5), {}),
    (("a",), {"name": "a"}),
    (("a",), {"nothing": 1}),
]


@pytest.mark.parametrize(("given", "named"), WRONG)
def test_values_refuse_what_those_of_attrs_refuse(
    given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    for _ in range(2):  # the first one is made in another way than all others
        with pytest.raises(TypeError) as ours:
            OURS(*given, **named)
        with pytest.raises(TypeError) as theirs:
            THEIRS(*given, **named)
        assert str(ours.value) == str(theirs.value)


def test_values_are_asked_for_what_those_of_attrs_are_asked_for() -> None:
    before = inspect.signature(OURS)
    OURS("a")
    assert before == inspect.signature(OURS) == inspect.signature(THEIRS)


# Of each of these attrs does one thing more than to put its arguments where they belong.


@attrs.frozen
class Listed(Value):
    names: list[str] = attrs.field(factory=list)


@attrs.frozen
class Converted(Value):
    at: float = attrs.field(default=0.0, converter=float)


@attrs.frozen
class Checked(Value):
    share: float = attrs.field(default=0.0, validator=attrs.validators.le(1))


@attrs.frozen
class Counted(Value):
    name: str
    size: int = attrs.field(init=False, default=0)


@attrs.frozen
class Finished(Value):
    name: str
    size: int = 0

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "size", len(self.name))


def test_whatever_attrs_does_with_an_argument_is_done() -> None:
    for _ in range(2):  # the first one is made in another way than all others
        one, other = Listed(), Listed()
        assert one.names == []
        assert one.names is not other.names
        assert Converted(at="1").at == 1.0
        with pytest.raises(ValueError, match="share"):
            Checked(share=2)
        assert Counted("abc").size == 0
        with pytest.raises(TypeError):
            Counted("abc", 3)  # type: ignore[call-arg]  # that is what is tried
        assert Finished("abc").size == 3


@attrs.frozen
class Place(Value):
    name: str
    at: float = 0.0


class Named(Place):
    """One that attrs has not made."""

    __slots__ = ("nick",)


def test_a_class_that_inherits_how_values_are_made_makes_its_own() -> None:
    for made in (Named("a"), Named("b", 1.0)):
        assert type(made) is Named
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            made.name = "c"  # type: ignore[misc]  # that is what is tried


def test_values_are_not_made_the_slow_way() -> None:
    """Else attrs names what it writes in another way than it did, and is not noticed any more."""
    for kind in (Place, unirt.AudioDelta, unirt.ResponseDone):
        assert inspect.unwrap(kind.__init__) is not kind.__init__


def test_a_value_is_frozen_from_the_moment_it_is_made() -> None:
    for made in (OURS("a"), OURS("b")):
        assert type(made) is OURS
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            made.name = "c"
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            del made.name
