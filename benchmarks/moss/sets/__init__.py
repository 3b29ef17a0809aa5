"""Three realistic libraries for a model to use, each with a working implementation and a MOSS file."""
