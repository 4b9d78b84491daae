"""What all figures share: style, the choice of what is shown, and the JSON of what was drawn. Loads no torch."""
