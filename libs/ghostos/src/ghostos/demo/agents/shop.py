"""A small stationery shop. You serve the customer: look things up here, sell what is in stock. Prices are in euros."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from ghostos_moss import Moss as Parent


class Product(BaseModel):
    """Something that the shop sells."""

    name: str
    price: Decimal
    delivery: int
    """how many come in one delivery"""

    def __str__(self) -> str:
        return f"{self.name:<14}{self.price:>7}"


CATALOGUE = {
    product.name: product
    for product in (
        Product(name="notebook", price=Decimal("4.50"), delivery=40),
        Product(name="pen", price=Decimal("1.80"), delivery=60),
        Product(name="fountain pen", price=Decimal("24.00"), delivery=5),
        Product(name="ink", price=Decimal("6.20"), delivery=20),
        Product(name="pencil", price=Decimal("0.90"), delivery=90),
        Product(name="ruler", price=Decimal("2.40"), delivery=25),
        Product(name="eraser", price=Decimal("0.70"), delivery=50),
        Product(name="desk lamp", price=Decimal("39.00"), delivery=4),
    )
}


def search(text: str = "", *, max_price: float | None = None) -> list[Product]:
    """Products with `text` in their name, cheapest first."""
    found = [product for product in CATALOGUE.values() if text.lower() in product.name]
    affordable = [product for product in found if max_price is None or product.price <= max_price]
    return sorted(affordable, key=lambda product: product.price)


class Bill(BaseModel):
    """What some goods cost together. Print it: it reads as a bill."""

    counts: dict[str, int]
    rows: list[tuple[str, Decimal]]
    """what each product comes to, then the discounts, which are negative"""

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.rows), Decimal("0.00"))

    def __str__(self) -> str:
        return "\n".join(f"{text:<28}{amount:>9}" for text, amount in [*self.rows, ("total", self.total)])


def make_bill(counts: dict[str, int]) -> Bill:
    """Every fourth notebook is free. Then 10 % is taken off what comes to 50 euros or more."""
    rows = [(f"{count:3} × {name}", CATALOGUE[name].price * count) for name, count in counts.items()]
    bill = Bill(counts=counts, rows=rows)
    if free := counts.get("notebook", 0) // 4:
        bill.rows.append(("every fourth notebook free", -free * CATALOGUE["notebook"].price))
    if bill.total >= 50:
        bill.rows.append(("10 % off from 50 euros", -(bill.total / 10).quantize(Decimal("0.01"))))
    return bill


class Cart(BaseModel):
    """What the customer means to buy."""

    counts: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        if name not in CATALOGUE:
            raise ValueError(f"There is no {name!r} in this shop, only {', '.join(CATALOGUE)}.")
        if count < 1:
            raise ValueError(f"{count} × {name} cannot be added: give 1 or more, or remove some.")
        self.counts[name] = self.counts.get(name, 0) + count

    def remove(self, name: str, count: int | None = None) -> int:
        """Take that many out, or all of them; returns how many it took."""
        had = self.counts.pop(name, 0)
        taken = had if count is None else min(count, had)
        if had > taken:
            self.counts[name] = had - taken
        return taken


class Order(BaseModel):
    """What was bought, with the bill of that day."""

    number: int
    bill: Bill
    status: Literal["placed", "cancelled"] = "placed"

    def __str__(self) -> str:
        return f"order {self.number}, {self.status}\n{self.bill}"


class Moss(Parent):
    cart: Cart = Cart()
    orders: list[Order] = []
    """oldest first"""
    stock: dict[str, int] = {}
    """how many of each product are on the shelf"""
    notes: list[str] = []
    """what the customer asked you to remember"""

    def order(self) -> Order:
        """Sell what is in the cart and empty it. Raises ValueError if it is empty or the shelf holds too little."""
        if not self.cart.counts:
            raise ValueError("The cart is empty.")
        for name, count in self.cart.counts.items():
            if count > self.stock[name]:
                raise ValueError(f"Only {self.stock[name]} × {name} on the shelf, {count} in the cart.")
        for name, count in self.cart.counts.items():
            self.stock[name] -= count
        self.orders.append(Order(number=len(self.orders) + 1, bill=make_bill(self.cart.counts)))
        self.cart = Cart()
        return self.orders[-1]

    def cancel(self, number: int) -> Order:
        """Cancel an order and put its goods back on the shelf."""
        order = next((order for order in self.orders if order.number == number), None)
        if order is None or order.status == "cancelled":
            raise ValueError(f"There is no order {number} to cancel.")
        order.status = "cancelled"
        for name, count in order.bill.counts.items():
            self.stock[name] += count
        return order


def stock_report(stock: dict[str, int]) -> str:
    """A table of what is on the shelf, scarcest first, and what it is worth."""
    rows = [f"{name:<14}{stock[name]:>7}" for name in sorted(CATALOGUE, key=stock.__getitem__)]
    worth = sum(product.price * stock[product.name] for product in CATALOGUE.values())
    return "\n".join([*rows, f"{'worth':<14}{worth:>7} euros"])


# <moss-hide>
# This part runs like the rest; a model is not shown it.
# ruff: noqa: S101  # tests assert


def __moss_compiled__(moss: Moss) -> None:
    """Put a delivery on the shelf of each product that the thread's stock does not know: all of them at first."""
    for product in CATALOGUE.values():
        moss.stock.setdefault(product.name, product.delivery)


# Tests of this module: `ghostos_moss.testsuite.MossTestSuite` calls each with a fresh `moss`.


def test_every_fourth_notebook_is_free_and_then_ten_percent_off() -> None:
    assert make_bill({"notebook": 3}).total == Decimal("13.50")
    assert make_bill({"notebook": 9}).total == Decimal("31.50")
    assert make_bill({"notebook": 4, "desk lamp": 1}).total == Decimal("47.25")


def test_an_order_empties_the_cart_and_a_cancelled_one_fills_the_shelf_again(moss: Moss) -> None:
    moss.cart.add("pen", 3)
    order = moss.order()
    assert (moss.cart.counts, moss.stock["pen"]) == ({}, 57)
    moss.cancel(order.number)
    assert (order.status, moss.stock["pen"]) == ("cancelled", 60)


def test_more_than_the_shelf_holds_is_not_sold(moss: Moss) -> None:
    moss.cart.add("ink", 21)
    try:
        moss.order()
    except ValueError as error:
        assert str(error) == "Only 20 × ink on the shelf, 21 in the cart."
    assert (moss.orders, moss.stock["ink"]) == ([], 20)


# </moss-hide>
