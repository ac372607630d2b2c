from agents import Agent, function_tool

from chatkit_app.models import Thread
from tests.sites.model import LookingModel


@function_tool
def look() -> str:
    """Count the conversations that can be seen."""
    return f"you have {Thread.objects.count()}"


agent = Agent(name="Counter", model=LookingModel(), tools=[look])
