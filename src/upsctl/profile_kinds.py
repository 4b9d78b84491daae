"""The kinds of profiles: a folder of profiles/ each, and the model of what its files say."""

from upsctl.dataset_card import DatasetCard, Frozen
from upsctl.profiles import ModelProfile, RunProfile, StoreProfile
from upsctl.suite_profile import SuiteProfile, SweepResult

PROFILE_KINDS: dict[str, type[Frozen]] = {
    "datasets": DatasetCard,
    "models": ModelProfile,
    "runs": RunProfile,
    "suites": SuiteProfile,
    "sweeps": SweepResult,
    "stores": StoreProfile,
}
