"""Prints all that a model may be told of `target`, found in the folder of this file: run by tests, in many processes."""

from ghostos_moss import new_compiler

LEVELS = ("full", "no_param_docs", "no_docs", "source")
BUDGETS = (200, 600, 1500, 4000)
FURTHER = ("np.ndarray", "kinds.Base.Inner", "sourceless.FromText", "moss.settings", "moss.words", "Base.get", "Nod")


def show(title: str, text: str) -> None:
    print(f"===== {title}\n{text}")


for level in LEVELS:
    with new_compiler().with_prompt(level=level, max_tokens=None).compile("target") as runtime:
        show(level, runtime.prompter().dump_module_prompt())
for budget in BUDGETS:
    with new_compiler().with_prompt(max_tokens=budget).compile("target") as runtime:
        show(str(budget), runtime.prompter().dump_module_prompt())
with new_compiler().with_prompt(max_tokens=None).compile("target") as runtime:
    for name in [*runtime.locals(), *FURTHER]:
        if not name.startswith("__"):
            show(f"describe {name}", runtime.moss().describe(name))
