import inspect

from ghostos_common import errors


def test_every_error_has_the_root_and_is_drawn_in_the_tree():
    found = [value for value in vars(errors).values() if inspect.isclass(value)]
    found = [cls for cls in found if issubclass(cls, Exception)]
    assert sorted(cls.__name__ for cls in found) == sorted(errors.__all__)
    for cls in found:
        assert issubclass(cls, errors.CommonError)
        assert cls.__name__ in (errors.__doc__ or "")


def test_facts_are_attributes_and_the_text_is_built_from_them():
    error = errors.EncodeError(path="moss.a", type_name="socket", reason="it is open", advice="Close it")
    assert (error.path, error.type_name, error.reason, error.advice) == ("moss.a", "socket", "it is open", "Close it")
    assert error.describe_for_model() == "moss.a (socket) cannot be stored: it is open. Close it."


def test_close_matches_are_offered():
    error = errors.DecodeError(path="moss.a", reason="no class 'Pont'", class_name="Pont", matches=["Point"])
    assert str(error) == "moss.a cannot be restored: no class 'Pont'. Did you mean 'Point'?"
