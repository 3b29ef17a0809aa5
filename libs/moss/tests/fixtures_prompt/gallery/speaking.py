from ghostos_common.prompter import PromptAbleClass, PromptAbleObj


class Spoken(PromptAbleClass):
    @classmethod
    def __class_prompt__(cls) -> str:
        return "class Spoken:\n    '''In its own words.'''"


class Person(PromptAbleObj):
    def __init__(self, name: str) -> None:
        self.name = name

    def __prompt__(self) -> str:
        return f"{self.name} is a person, and this is no Python"


class Broken(PromptAbleClass):
    @classmethod
    def __class_prompt__(cls) -> str:
        raise ValueError("out of words")


class Silent(PromptAbleClass):
    @classmethod
    def __class_prompt__(cls) -> str:
        return ""


ada = Person("Ada")
