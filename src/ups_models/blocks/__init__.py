"""Torch layers that know no physics."""
