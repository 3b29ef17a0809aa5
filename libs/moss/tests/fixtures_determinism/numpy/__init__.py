"""Of the shape of numpy: functions without signature, submodules that load when asked for, own scalar types."""

import sys
import types


class ndarray:
    """An array."""

    __module__ = "numpy"

    def sum(self, axis=None, dtype=None, out=None): ...


class ufunc:
    def __init__(self, name):
        self.__name__ = name

    def __repr__(self):
        return f"<ufunc {self.__name__!r}>"

    def __call__(self, *args, **kwargs): ...


add, multiply = ufunc("add"), ufunc("multiply")
array = len
float64 = type("float64", (float,), {"__module__": "numpy"})
pi = 3.141592653589793
inf = float("inf")
typecodes = {"All", "Float", "Integer"}


def __getattr__(name):
    if name == "linalg":
        module = sys.modules["numpy.linalg"] = types.ModuleType("numpy.linalg")
        return module
    raise AttributeError(name)


def __dir__():
    return list({"add", "multiply", "array", "linalg", "ndarray", "float64"})
