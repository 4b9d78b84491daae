"""upsctl: files, stores, profiles, runs and the terminal around one universal physics surrogate."""
