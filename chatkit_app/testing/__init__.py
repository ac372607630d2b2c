"""What your own tests can use. Needs no test framework."""

from .scripted_model import ScriptedModel, decode_events
from .store_contract import StoreContract

__all__ = ["ScriptedModel", "StoreContract", "decode_events"]
