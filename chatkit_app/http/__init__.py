"""Bodies and responses: bounded while they arrive, harmless when they leave."""
