"""Errors of the mathematics: raised at the door, translated to exit codes by upsctl."""


class ModelError(ValueError):
    """A part was asked for something it cannot do; the message says what was expected and what came."""


class UnknownPartError(ModelError):
    """A name that no file of a plural folder has."""


class CheckpointError(ModelError):
    """A checkpoint of another schema, or with altered or missing files."""
