"""Everything whose description could depend on the process, its folder or its version of Python."""
