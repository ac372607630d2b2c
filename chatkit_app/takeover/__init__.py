"""People who answer: who has a thread, what they write in it, and what the model is told of that."""
