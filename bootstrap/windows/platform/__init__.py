"""The firmware's tables as Windows gives them."""
