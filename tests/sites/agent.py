from agents import Agent, function_tool

from chatkit_app.models import Thread
from tests.sites.model import LookingModel


@function_tool
def look() -> str:
    """Count the conversations."""
    return f"there are {Thread.objects.count()}"


agent = Agent(name="Counter", model=LookingModel(), tools=[look])
