"""Run a recipe: solve every trajectory of a card in a pool of processes, and write the artifact in the plan's order."""

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from ups_models.registry import load_part
from upsctl.console import progress_bar
from upsctl.data.artifact_writer import ArtifactWriter
from upsctl.data.digests import source_digest
from upsctl.data.manifest import Manifest
from upsctl.data.provenance import build_provenance
from upsctl.data.solved_trajectory import read_trajectory, remove_half_written, trajectory_path, write_trajectory
from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.errors import ProfileError, ResourcesError
from upsctl.interfaces import AbstractRecipe, TrajectoryPlan

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def make_artifact(card: DatasetCard, target: Path, scratch: Path, num_processes: int) -> Manifest:
    """Solve what `scratch` does not hold yet, and write the artifact into `target`.

    Args:
        card: with a recipe as its source.
        target: an empty folder.
        scratch: keeps each solved trajectory until the artifact is complete, so that a stopped run goes on.
        num_processes: solvers at a time, one thread each.

    Raises:
        ProfileError: when the card's source is the vendor's files.
        ResourcesError: when a solving process was killed.
    """
    recipe = _recipe_class(card)
    plans = recipe().plan(card)
    scratch.mkdir(parents=True, exist_ok=True)
    remove_half_written(scratch)
    missing = [plan for plan in plans if not trajectory_path(scratch, plan).exists()]
    with progress_bar(f"solving {card.name}", len(plans), done=len(plans) - len(missing)) as bar:
        for plan in _solve_all(recipe, card, missing, scratch, num_processes):
            bar.advance(1, plan.trajectory_id)
    with ArtifactWriter(target, card) as writer:
        for plan in plans:
            writer.write(read_trajectory(trajectory_path(scratch, plan)))
        manifest = writer.finish(card, build_provenance(card, source_digest(card)))
    shutil.rmtree(scratch)
    return manifest


def _recipe_class(card: DatasetCard) -> type[AbstractRecipe]:
    if not isinstance(card.source, RecipeSource):
        raise ProfileError(f"{card.name}: source", expected="a recipe", got=f"converter {card.source.converter}")
    return load_part("upsctl.recipes", card.source.recipe, AbstractRecipe)


def _solve_all(
    recipe: type[AbstractRecipe], card: DatasetCard, plans: Sequence[TrajectoryPlan], scratch: Path, num_processes: int
) -> Iterator[TrajectoryPlan]:
    if not plans:
        return
    context = multiprocessing.get_context("spawn")
    with (
        _one_thread_each(),
        ProcessPoolExecutor(min(num_processes, len(plans)), context, initializer=_begin_worker) as pool,
    ):
        with _interrupts_later():
            futures = {pool.submit(_solve_one, recipe, card, plan, scratch): plan for plan in plans}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BrokenProcessPool:
            raise ResourcesError(
                f"{card.name}: a solving process was killed", next_step="free memory; the same command goes on"
            ) from None
        except BaseException:
            _stop(pool)
            raise


def _solve_one(recipe: type[AbstractRecipe], card: DatasetCard, plan: TrajectoryPlan, scratch: Path) -> None:
    write_trajectory(recipe().solve(card, plan), trajectory_path(scratch, plan))


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C reaches all processes: one that is starting would print where it was, so it waits till it has begun."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Ctrl-C is for the parent, which ends its workers: one that died first would look killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _stop(pool: ProcessPoolExecutor) -> None:
    """Do not wait for the trajectories under way: what is on disk is whole."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Numerical libraries read these when a process starts."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
