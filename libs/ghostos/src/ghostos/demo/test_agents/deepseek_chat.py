"""A chatbot on DeepSeek's chat model: `deepseek:deepseek-chat`."""

from ghostos.ghosts.chatbot import Chatbot

__ghost__ = Chatbot(
    name="Deep",
    description="Talks with DeepSeek's chat model.",
    instruction="You are a helpful assistant. Answer briefly, and say so when you do not know.",
    model="deepseek:deepseek-chat",
)
