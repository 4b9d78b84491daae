"""The generated pages of docs/: made from the program itself, so that they cannot be wrong for long."""
