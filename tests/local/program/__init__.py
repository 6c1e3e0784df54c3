"""The smallest task: what the local cloud's tests run in place of the chat service."""
