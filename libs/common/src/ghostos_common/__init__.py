"""Prompt trees, identity and typed persistence of Python values.

Import from the module that has what you need; each costs only itself:

- `ghostos_common.prompter`: objects and classes that describe themselves to a model, and trees of prompt text.
- `ghostos_common.identifier`: an id, a name and a description for nearly anything.
- `ghostos_common.codec`: Python values to JSON and back, their types kept.
- `ghostos_common.errors`: what the others raise.
"""
