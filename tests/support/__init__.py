"""Shared by test files: servers, builders of input, and readers of what CloudZero holds."""
