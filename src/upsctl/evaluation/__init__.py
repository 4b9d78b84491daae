"""From a checkpoint to rows of the leaderboard."""
