"""The URLs of the chat: the endpoint, and files."""
