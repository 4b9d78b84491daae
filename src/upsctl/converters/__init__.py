"""Raw format -> samples, one file per source format."""
