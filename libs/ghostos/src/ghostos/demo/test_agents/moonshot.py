"""A chatbot on Moonshot's moonshot-v1-32k: `moonshot:moonshot-v1-32k`."""

from ghostos.ghosts.chatbot import Chatbot

__ghost__ = Chatbot(
    name="Luna",
    description="Talks with Moonshot's moonshot-v1-32k.",
    instruction="You are a helpful assistant. Answer briefly, and say so when you do not know.",
    model="moonshot:moonshot-v1-32k",
)
