import pytest

from ghostos_common.errors import CommonError, PromptError
from ghostos_common.prompter import PromptAbleClass, PromptAbleObj, PromptNode, find_prompt


class Robot(PromptAbleClass, PromptAbleObj):
    name = "R2"

    @classmethod
    def __class_prompt__(cls) -> str:
        return f"{cls.__name__}: a robot"

    def __prompt__(self) -> str:
        return f"the robot {self.name}"


class Droid(Robot):
    pass


def test_class_is_asked_for_its_class_prompt():
    assert find_prompt(Robot) == "Robot: a robot"


def test_subclass_inherits_the_class_prompt_of_its_parent():
    assert find_prompt(Droid) == "Droid: a robot"


def test_object_is_asked_for_its_own_prompt():
    assert find_prompt(Robot()) == "the robot R2"


def test_prompt_methods_are_enough_without_inheriting():
    class Duck:
        def __prompt__(self) -> str:
            return "quack"

    assert find_prompt(Duck()) == "quack"
    assert find_prompt(Duck) is None


@pytest.mark.parametrize("value", [3, "text", int, object(), PromptAbleClass, PromptAbleObj])
def test_what_has_no_prompt_gives_none(value: object):
    assert find_prompt(value) is None


def test_empty_prompt_is_a_prompt():
    class Hidden:
        def __prompt__(self) -> str:
            return ""

    assert find_prompt(Hidden()) == ""


def test_prompt_that_is_no_text_names_class_method_and_type():
    class Broken:
        def __prompt__(self) -> int:
            return 3

    with pytest.raises(PromptError, match=r"Broken\.__prompt__\(\) returned int: return a str"):
        find_prompt(Broken())


def test_error_of_a_prompt_method_comes_through():
    class Broken:
        def __prompt__(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        find_prompt(Broken())


def test_abstract_classes_cannot_be_left_half_done():
    class Unfinished(PromptAbleObj):
        pass

    with pytest.raises(TypeError, match="__prompt__"):
        Unfinished()  # pyright: ignore[reportAbstractUsage]


def test_tree_renders_headings_one_deeper_per_level():
    tree = PromptNode("Agent", "You help.", children=[PromptNode("Tools", children=[PromptNode("draw", "Draws.")])])
    assert tree.render() == "# Agent\n\nYou help.\n\n## Tools\n\n### draw\n\nDraws."


def test_nodes_without_text_vanish_with_their_titles():
    tree = PromptNode("A", children=[PromptNode("B", children=[PromptNode("C", " \n ")]), PromptNode("D", "d")])
    assert tree.render() == "# A\n\n## D\n\nd"
    assert PromptNode("A", children=[PromptNode("B")]).render() == ""


def test_children_of_a_node_without_title_stand_at_its_level():
    group = PromptNode(children=[PromptNode("A", "a"), PromptNode("B", "b")])
    assert group.render(level=2) == "## A\n\na\n\n## B\n\nb"


def test_parts_are_one_blank_line_apart_whatever_surrounds_their_text():
    tree = PromptNode("T", "\n\n  indented\n\n\n  code\n\n\n", children=[PromptNode(text="\nnext\n")])
    assert tree.render() == "# T\n\n  indented\n\n\n  code\n\nnext"


def test_headings_are_at_most_six_deep():
    assert PromptNode("deep", "x", children=[PromptNode("deeper", "y")]).render(level=6) == (
        "###### deep\n\nx\n\n###### deeper\n\ny"
    )


def test_title_stays_on_one_line():
    assert PromptNode("two\n lines ", "x").render() == "# two lines\n\nx"


def test_level_zero_is_refused():
    with pytest.raises(PromptError, match="not 0"):
        PromptNode("a", "b").render(level=0)
    assert issubclass(PromptError, (CommonError, ValueError))


def test_later_changes_of_the_list_do_not_reach_the_tree():
    children = [PromptNode("A", "a")]
    tree = PromptNode(children=children)
    children.clear()
    assert tree.render() == "# A\n\na"
    assert hash(tree) == hash(PromptNode(children=[PromptNode("A", "a")]))
