"""A chatbot on OpenAI's o1-mini: `openai:o1-mini`."""

from ghostos.ghosts.chatbot import Chatbot

__ghost__ = Chatbot(
    name="Mini",
    description="Talks with OpenAI's o1-mini.",
    instruction="You are a helpful assistant. Answer briefly, and say so when you do not know.",
    model="openai:o1-mini",
)
