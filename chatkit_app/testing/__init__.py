"""Tools for your own tests. They need no test framework."""

from .scripted_model import ScriptedModel, decode_events
from .store_contract import StoreContract

__all__ = ["ScriptedModel", "StoreContract", "decode_events"]
