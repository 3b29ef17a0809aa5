"""The shop: its own tests, its prompt, and that what it stores is right whatever is clicked in whatever order."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ghostos.demo.agents import shop
from ghostos_moss.testsuite import MossTestSuite

from .conftest import open_demo, shuffled, talk
from .test_demos import SHOP, all_phrases

CART_CHANGES = {
    "add-notebooks": ("notebook", 2),
    "add-notebook": ("notebook", 1),
    "add-pens": ("pen", 3),
    "add-fountain-pen": ("fountain pen", 1),
    "add-lamp": ("desk lamp", 1),
    "add-ink-silently": ("ink", 1),
    "add-ruler": ("ruler", 1),
}


@dataclass
class Ledger:
    """What the shop must hold after each scene, kept by other means than the shop's own code."""

    cart: dict[str, int] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=lambda: {p.name: p.delivery for p in shop.CATALOGUE.values()})
    orders: list[tuple[dict[str, int], str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def play(self, scene: str) -> None:
        if scene in CART_CHANGES:
            name, count = CART_CHANGES[scene]
            self.cart = {**self.cart, name: self.cart.get(name, 0) + count}
        effects = {
            "remove-notebooks": self._remove_notebooks,
            "remove-lamp": self._remove_lamp,
            "empty-cart": lambda: setattr(self, "cart", {}),
            "order": self._order,
            "order-again": self._order_again,
            "cancel": self._cancel_last,
            "cancel-first": lambda: self._cancel(0),
            "delivery": self._deliver,
            "take-note": lambda: setattr(self, "notes", ["likes blue ink"]),
            "forget": lambda: setattr(self, "notes", []),
        }
        if scene in effects:
            effects[scene]()

    def _remove_notebooks(self) -> None:
        self.cart = {name: count for name, count in self.cart.items() if name != "notebook"}

    def _remove_lamp(self) -> None:
        left = {name: count - (name == "desk lamp") for name, count in self.cart.items()}
        self.cart = {name: count for name, count in left.items() if count}

    def _order_again(self) -> None:
        again = self.orders[-1][0] if self.orders else {}
        self.cart = {name: self.cart.get(name, 0) + again.get(name, 0) for name in {**self.cart, **again}}

    def _deliver(self) -> None:
        self.stock = {name: count + shop.CATALOGUE[name].delivery for name, count in self.stock.items()}

    def _order(self) -> None:
        if self.cart and all(self.stock[name] >= count for name, count in self.cart.items()):
            self.orders.append((self.cart, "placed"))
            self.stock = {name: count - self.cart.get(name, 0) for name, count in self.stock.items()}
            self.cart = {}

    def _cancel_last(self) -> None:
        placed = [index for index, (_, status) in enumerate(self.orders) if status == "placed"]
        if placed:
            self._cancel(placed[-1])

    def _cancel(self, index: int) -> None:
        if index < len(self.orders) and self.orders[index][1] == "placed":
            counts, _ = self.orders[index]
            self.orders[index] = (counts, "cancelled")
            self.stock = {name: count + counts.get(name, 0) for name, count in self.stock.items()}


def plain(stored: Any) -> Any:
    """Stored values without the names of their types."""
    match stored:
        case {"$type": "decimal", "value": str(number)}:
            return Decimal(number)
        case {"$type": _, "value": value}:
            return plain(value)
        case dict():
            return {key: plain(value) for key, value in stored.items()}
        case list():
            return [plain(value) for value in stored]
        case _:
            return stored


def total_of(counts: dict[str, int]) -> Decimal:
    cents = sum(int(shop.CATALOGUE[name].price * 100) * count for name, count in counts.items())
    cents -= counts.get("notebook", 0) // 4 * 450
    return Decimal(cents) / 100 if cents < 5000 else (Decimal(cents) * Decimal("0.9")).quantize(Decimal(1)) / 100


def test_its_own_tests_pass():
    results = MossTestSuite().run_module_tests(SHOP)
    assert len(results) == 3
    assert [name for name, execution in results.items() if execution.error] == []


def test_a_model_is_shown_the_shop_and_nothing_that_is_hidden():
    prompt = MossTestSuite().dump_prompt(SHOP)
    for shown in (
        "class Product(BaseModel):",
        "CATALOGUE = {",
        "def search(",
        "class Moss(Parent):",
        "def order(self)",
    ):
        assert shown in prompt
    for hidden in ("moss-hide", "test_", "__moss_compiled__", "noqa"):
        assert hidden not in prompt
    assert len(prompt) < 6000


def test_stored_values_are_right_whatever_is_said_in_whatever_order(matrix):
    conversation = open_demo(matrix, SHOP)
    ledger = Ledger()
    clicks = [(scene.id, phrase) for scene, phrase in all_phrases(SHOP) if scene.id != "hello-again"]
    sales = [(scene, phrase) for scene, phrase in clicks if scene in {*CART_CHANGES, "order", "cancel", "cancel-first"}]
    # One order before all else, of nothing: from then on every phrase can be said.
    for scene, phrase in [("order", "Place my order"), *shuffled(clicks + sales, seed=7)]:
        talk(conversation, phrase)
        ledger.play(scene)
        check(conversation.get_task().pycontext, ledger, after=phrase)
    assert ledger.orders


def check(pycontext: Any, ledger: Ledger, *, after: str) -> None:
    if pycontext is None:
        assert ledger == Ledger(), after
        return
    values = plain(pycontext["values"])
    assert values.keys() == {"cart", "orders", "stock", "notes"}, after
    assert (values["cart"]["counts"], values["stock"], values["notes"]) == (ledger.cart, ledger.stock, ledger.notes)
    orders = [(entry["bill"]["counts"], entry["status"]) for entry in values["orders"]]
    assert orders == ledger.orders, after
    for number, entry in enumerate(values["orders"], start=1):
        assert entry["number"] == number
        assert sum(amount for _, amount in entry["bill"]["rows"]) == total_of(entry["bill"]["counts"])


def test_what_code_prints_is_about_the_cart_as_it_is(matrix):
    conversation = open_demo(matrix, SHOP)
    for phrase in ("Put two notebooks in my cart", "Add two notebooks", "Add a desk lamp"):
        talk(conversation, phrase)
    ((_, bill),) = talk(conversation, "What is in my cart?").outputs
    assert [" ".join(line.split()) for line in bill.splitlines()] == [
        "4 × notebook 18.00",
        "1 × desk lamp 39.00",
        "every fourth notebook free -4.50",
        "10 % off from 50 euros -5.25",
        "total 47.25",
    ]
    assert talk(conversation, "What is the total?").outputs == [("ok", "47.25 euros to pay, 9.75 euros saved")]


def test_code_that_raises_leaves_the_cart_and_shows_why(matrix):
    conversation = open_demo(matrix, SHOP)
    talk(conversation, "Add two notebooks")
    (refused, seen) = talk(conversation, "Order a million pencils").outputs
    assert "Only 90 × pencil on the shelf, 1000000 in the cart." in refused[1]
    assert seen == ("ok", "90 pencils on the shelf; in the cart: {'notebook': 2}")


def test_more_than_the_shelf_holds_is_refused_at_the_till(matrix):
    conversation = open_demo(matrix, SHOP)
    for _ in range(5):
        talk(conversation, "Add a desk lamp")
    refused = ("ok", "Nothing was sold. Only 4 × desk lamp on the shelf, 5 in the cart.")
    assert talk(conversation, "Place my order").outputs == [refused]
    talk(conversation, "Remove one desk lamp")
    assert "order 1, placed" in talk(conversation, "Place my order").outputs[0][1]


def test_the_first_order_is_known_to_another_process(start, tmp_path):
    first = start(tmp_path)
    conversation = open_demo(first, SHOP, thread="mine")
    talk(conversation, "Put a fountain pen in my cart")
    talk(conversation, "Place my order")
    first.close()

    again = open_demo(start(tmp_path), SHOP, thread="mine")
    ((status, printed),) = talk(again, "What did I order first?").outputs
    assert (status, printed.splitlines()[0]) == ("ok", "order 1, placed")
    assert "fountain pen" in printed
    assert talk(again, "The same again please").outputs == [("ok", "in the cart: {'fountain pen': 1}")]
