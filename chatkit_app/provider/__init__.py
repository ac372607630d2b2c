"""What a model provider is sent and what comes back, between the Agents SDK and the chat."""
