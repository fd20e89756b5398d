"""Random scenarios of faults, kills and reruns, against a sandbox with a simulated clock."""
