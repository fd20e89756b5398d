"""What several test files share: servers, builders of input, and readers of what CloudZero holds."""
