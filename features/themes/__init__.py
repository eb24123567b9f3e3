"""The features, theme by theme; `features.catalogue` puts them together."""
