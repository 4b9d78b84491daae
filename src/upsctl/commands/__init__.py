"""One file per verb: read arguments, call one function, show its result."""
