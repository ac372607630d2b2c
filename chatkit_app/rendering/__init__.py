"""The chat in a page: the element, its texts and its files."""
