"""Sites as people have them, each with settings of its own. A test starts them as processes."""
