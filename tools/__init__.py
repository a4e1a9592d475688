"""The workshop: environment, execution, site, lock. Nothing in it travels with the package."""
