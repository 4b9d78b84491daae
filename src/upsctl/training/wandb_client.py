"""W&B's client: silent, and offline where the server cannot be had. It is imported only when it is asked for."""

import hashlib
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from upsctl import console
from upsctl.profiles import TrackerProfile
from upsctl.training.run_folder import EVENTS, RunFolder

if TYPE_CHECKING:
    import wandb

INIT_SECONDS = 20.0
FINISH_SECONDS = 20.0
FLUSH_SECONDS = 1.0
# Whole seconds: W&B's client takes 0.5 for its default of 15.
SEND_SECONDS = 5.0


def open_client(run: RunFolder, profile: TrackerProfile) -> "wandb.Run | None":
    """W&B's run as the profile asks; offline where the server cannot be had, and nothing where that fails too."""
    if profile.mode == "online":
        try:
            return _start(run, profile.project, "online")
        except client_errors() as error:
            step = f"the run is recorded offline; next: `wandb sync {run.path}/wandb/offline-run-*`"
            console.warn(f"W&B: {reason_of(error)}; {step}")
            forget_service()
    if profile.mode != "off":
        try:
            return _start(run, profile.project, "offline")
        except client_errors() as error:
            console.warn(f"W&B: {reason_of(error)}; the training goes on without it; next: `upsctl doctor`")
    return None


def _start(run: RunFolder, project: str, mode: Literal["online", "offline"]) -> "wandb.Run":
    """A silent client that reads nothing but what it is given: no console, code, git state or machine."""
    import wandb
    from wandb.errors import UsageError

    wandb.setup(wandb.Settings(silent=True, console="off"))
    if mode == "online" and not wandb.login(prompt=False, verify=False):
        raise UsageError("no API key (`wandb login`, or WANDB_API_KEY)")
    settings = wandb.Settings(
        silent=True, console="off", disable_code=True, disable_git=True, disable_job_creation=True,
        x_disable_meta=True, x_disable_stats=True, x_save_requirements=False,
        init_timeout=INIT_SECONDS, finish_timeout=FINISH_SECONDS, finish_timeout_raises=True,
        x_transaction_log_flush_interval=FLUSH_SECONDS, x_file_stream_transmit_interval=SEND_SECONDS,
    )
    profile = run.profile
    client = wandb.init(
        id=_identity(run), name=run.name, project=project, dir=str(run.path.absolute()), mode=mode, resume="allow",
        reinit="create_new", config=profile.model_dump(mode="json"), settings=settings,
    )
    for stage in profile.stages:
        client.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
    return client


def _identity(run: RunFolder) -> str:
    """The folder's name, and a digest of its first event: folders of one name in two places are two runs."""
    with (run.path / EVENTS).open("rb") as stream:
        digest = hashlib.sha256(stream.readline()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', run.name)[:100]}-{digest}"


def client_errors() -> tuple[type[Exception], ...]:
    """What W&B's client raises when the network, the server, or the process that it works through fails."""
    from wandb.errors import Error
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError
    from wandb.sdk.lib.service.service_token import WandbServiceConnectionError
    from wandb.sdk.mailbox import HandleAbandonedError, MailboxClosedError
    from wandb.sdk.mailbox.mailbox_handle import ServerResponseError

    ours = (WandbApiFailedError, WandbServiceConnectionError, HandleAbandonedError, MailboxClosedError)
    return (Error, OSError, ServerResponseError, *ours)


def forget_service() -> None:
    """End W&B's own process: it holds on to a run that could not begin, and once lost, its exit hook complains."""
    import wandb

    with suppress(*client_errors()):
        wandb.teardown()


def reason_of(error: Exception) -> str:
    """An error in one line."""
    return " ".join(str(error).split()) or type(error).__name__
