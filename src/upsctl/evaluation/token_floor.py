"""The diagnostic of the tokens alone, cross-fitted on the evaluated split: no trajectory is decoded by its own fit."""

import torch

from ups_models.batch import Batch, Fields
from ups_models.interfaces import AbstractEmulator
from ups_models.token_floor import fit_token_decoder
from ups_models.universal import Universal
from upsctl.data.artifact import Artifact
from upsctl.data.loader import iter_split
from upsctl.evaluation.predictions import predict_frames
from upsctl.interfaces import Predictions
from upsctl.sample import SplitName

METRICS = ("nrmse",)


def decode_tokens_alone(
    emulator: Universal, artifact: Artifact, split: SplitName, batch_size: int, emulator_label: str,
    device: str = "cpu",
) -> Predictions:
    """Every frame of a split from its own tokens; arguments and form as of `predict_split`.

    The trajectories at odd places are decoded by what is fitted to those at even places, and the other way round.
    """
    folds = []
    with torch.inference_mode():
        for fitted in (1, 0):
            batches = (batch.map(lambda tensor: tensor.to(device)) for batch in iter_split(artifact, split, batch_size))
            halves = (_every_second(batch, fitted) for batch in batches)
            folds.append(fit_token_decoder(emulator, (half for half in halves if half.size)))

    def decode(_: AbstractEmulator, batch: Batch) -> Fields:
        after = batch.window(1, batch.num_frames)
        frames = {name: torch.empty_like(field) for name, field in after.fields.items()}
        for place, fold in enumerate(folds):
            if place < batch.size:
                for name, field in fold.decode(_every_second(after, place)).items():
                    frames[name][place::2] = field.to(frames[name].dtype)
        return frames

    return predict_frames(decode, emulator, artifact, split, batch_size, emulator_label, device)


def _every_second(batch: Batch, start: int) -> Batch:
    return batch.map(lambda tensor: tensor[start::2])
