"""Writers of the generated pages: `make docs` runs them, and tests keep the pages up to date."""
