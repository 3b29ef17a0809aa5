"""The MOSS protocol: let a language model write Python against your live objects."""

from ghostos_moss._permissions import Permissions, on_host
from ghostos_moss._pycontext import PyContext
from ghostos_moss._source import ModuleSource, load_source, parse_source

__all__ = ["ModuleSource", "Permissions", "PyContext", "load_source", "on_host", "parse_source"]
