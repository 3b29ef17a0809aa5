"""Chatbots that each name a model: for trying a provider out."""
