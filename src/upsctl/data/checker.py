"""Every rule of the artifact format, held against one unpacked artifact."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from upsctl.data.altered_file import check_altered_file
from upsctl.data.artifact import Artifact
from upsctl.data.artifact_writer import version_in_name
from upsctl.data.content_digest import content_digest
from upsctl.data.digests import card_digest, file_digest
from upsctl.data.field_statistics import FieldStatistics, StatisticsAccumulator
from upsctl.data.hdf5_checker import check_split_file
from upsctl.data.hdf5_layout import split_file
from upsctl.data.manifest import CARD_NAME, MANIFEST_NAME, STATISTICS_NAME, Manifest, read_manifest
from upsctl.data.violation import Violation
from upsctl.dataset_card import DatasetCard
from upsctl.errors import UpsctlError
from upsctl.profile_reader import load_yaml, validate
from upsctl.sample import initial_condition

_STATISTICS_TOLERANCE = 1e-6


def check_artifact(folder: Path) -> list[Violation]:
    """All rules that the artifact in `folder` breaks; none for a sound one.

    Hashes come first: where a file is not the one that the manifest lists, its inside is looked at all the same, so
    that the message can say what is wrong with it; but in another process, as HDF5 may crash or hang over it.
    """
    try:
        manifest = read_manifest(folder)
    except UpsctlError as error:
        return [Violation(MANIFEST_NAME, "", error.expected or "readable", error.problem)]
    try:
        card = validate(DatasetCard, load_yaml(folder / CARD_NAME))
    except UpsctlError as error:
        return [*_check_files(folder, manifest), Violation(CARD_NAME, "", "a dataset card", error.line)]
    violations = [*_check_files(folder, manifest), *_check_names(manifest, card), *_check_splits(manifest, card)]
    for split, ids in manifest.trajectories.items():
        path = split_file(folder, manifest.name, split)
        name = path.relative_to(folder).as_posix()
        is_altered = any(violation.file == name for violation in violations)
        violations += (check_altered_file if is_altered else check_split_file)(path, name, card, ids)
    return violations or [*_check_content(folder, manifest), *_check_statistics(folder)]


def _check_files(folder: Path, manifest: Manifest) -> Iterator[Violation]:
    for record in manifest.files:
        path = folder / record.path
        if not path.is_file():
            yield Violation(record.path, "", "a file that the manifest lists", "nothing")
        elif path.stat().st_size != record.num_bytes:
            yield Violation(record.path, "", f"{record.num_bytes} bytes", f"{path.stat().st_size} bytes")
        elif (digest := file_digest(path)) != record.sha256:
            yield Violation(record.path, "", f"SHA-256 {record.sha256}", digest)
    known = {MANIFEST_NAME, *(record.path for record in manifest.files)}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if (name := path.relative_to(folder).as_posix()) not in known:
            yield Violation(name, "", "only files that the manifest lists", "another file")


def _check_names(manifest: Manifest, card: DatasetCard) -> Iterator[Violation]:
    if manifest.name != card.name:
        yield Violation(MANIFEST_NAME, "name", f"the card's name {card.name}", manifest.name)
    elif manifest.version != version_in_name(card.name):
        yield Violation(MANIFEST_NAME, "version", f"{version_in_name(card.name)}", str(manifest.version))
    if manifest.card_digest != card_digest(card):
        yield Violation(MANIFEST_NAME, "card_digest", f"the digest of {CARD_NAME}", manifest.card_digest)


def _check_splits(manifest: Manifest, card: DatasetCard) -> Iterator[Violation]:
    """Counts as the card says, ids unique, and no initial condition (the id up to its last `/`) in two splits."""
    owners: dict[str, set[str]] = {}
    for split, ids in manifest.trajectories.items():
        for trajectory_id in ids:
            owners.setdefault(initial_condition(trajectory_id), set()).add(split)
        if len(ids) != getattr(card.splits, split):
            yield Violation(MANIFEST_NAME, f"trajectories.{split}", f"{getattr(card.splits, split)} ids", str(len(ids)))
    counts = Counter(trajectory_id for ids in manifest.trajectories.values() for trajectory_id in ids)
    for trajectory_id, count in counts.items():
        if count > 1:
            yield Violation(MANIFEST_NAME, "trajectories", "ids that are unique", f"{trajectory_id} {count} times")
    for state, splits in owners.items():
        if len(splits) > 1:
            rule = "an initial condition in one split only"
            yield Violation(MANIFEST_NAME, "trajectories", rule, f"{state} in {' and '.join(sorted(splits))}")


def _check_content(folder: Path, manifest: Manifest) -> Iterator[Violation]:
    digest = content_digest({split: split_file(folder, manifest.name, split) for split in manifest.trajectories})
    if digest != manifest.content_digest:
        yield Violation(MANIFEST_NAME, "content_digest", f"{digest}, of the decoded arrays", manifest.content_digest)


def _check_statistics(folder: Path) -> Iterator[Violation]:
    if "train" not in read_manifest(folder).trajectories:
        return
    try:
        artifact = Artifact.open(folder, ("train",))
    except UpsctlError as error:
        yield Violation(STATISTICS_NAME, "", "the six tables of The Well", error.line)
        return
    accumulator = StatisticsAccumulator()
    for index in range(len(artifact.trajectory_ids("train"))):
        accumulator.add(artifact.read_fields("train", index), artifact.read_constant_fields("train", index))
    yield from _compare_statistics(artifact.statistics, accumulator.statistics())


def _compare_statistics(stored: FieldStatistics, computed: FieldStatistics) -> Iterator[Violation]:
    for table in ("mean", "std", "rms", "mean_delta", "std_delta", "rms_delta"):
        for field, values in getattr(computed, table).items():
            got, scale = getattr(stored, table).get(field), computed.rms[field].max()
            if got is None or got.shape != values.shape:
                yield Violation(STATISTICS_NAME, f"{table}.{field}", f"{len(values)} values", str(got))
            elif np.abs(got - values).max() > _STATISTICS_TOLERANCE * scale:
                yield Violation(STATISTICS_NAME, f"{table}.{field}", f"{values} of the training split", str(got))
