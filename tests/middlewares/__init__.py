"""Middlewares that put state on the request's database connection, each in a module of its own."""
