"""Drawn scenarios of faults, kills and reruns, against a sandbox whose time the test drives."""
