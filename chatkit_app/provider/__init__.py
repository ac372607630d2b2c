"""The conversation with a model provider: what is sent and what comes back, between the Agents SDK and the chat."""
