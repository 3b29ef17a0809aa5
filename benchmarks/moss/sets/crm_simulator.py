"""The customers of a dealer in office furniture, in memory."""

# To pyright, pydantic's Field(default) is no default.
# pyright: reportCallIssue=false
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from typing import TypeVar

from pydantic import BaseModel

from benchmarks.moss.sets.crm import (
    Activity,
    Address,
    Appointment,
    Channel,
    Company,
    Contact,
    Crm,
    Currency,
    Deal,
    Forecast,
    Item,
    Money,
    Product,
    Stage,
)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_ZONE = timezone(timedelta(hours=1), "CET")
_NOW = datetime(2026, 1, 14, 10, 0, tzinfo=_ZONE)  # a Wednesday
_ME = "u1"
_ENDED = (Stage.WON, Stage.LOST)
_OPENS, _CLOSES = 9, 17
_STEP = timedelta(minutes=15)
_CENT = Decimal("0.01")
_IN_EURO: dict[Currency, Decimal] = {"EUR": Decimal(1), "USD": Decimal("0.80"), "GBP": Decimal("1.25")}


def _on(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=_ZONE)


def _euro(amount: str) -> Money:
    return Money(amount=Decimal(amount))


# Rows are in the order of their model's fields. Eva Berg is not Eva Bergmann; c3 and c4 are one company twice.
_NORDWIND = [
    Contact(id="p1", name="Eva Berg", mail="berg@nordwind.example", role="purchasing", may_be_mailed=True),
    Contact(id="p2", name="Jonas Thiel", mail="thiel@nordwind.example", phone="+49 30 123", role="accounts"),
]
_BERGMANN = [Contact(id="p3", name="Eva Bergmann", mail="eva@bergmann.example", role="owner", may_be_mailed=True)]
_SUEDLICHT = [Contact(id="p4", name="Tom Lee", mail="lee@suedlicht.example", role="purchasing", may_be_mailed=True)]
_TWICE = [Contact(id="p5", name="Thomas Lee", phone="+49 89 456")]
_HARBOUR = [Contact(id="p6", name="Amy Clarke", mail="amy@harbour.example", role="office manager")]
_BERLIN = Address(street="Torstr. 8", city="Berlin", postcode="10119")
_HAMBURG = Address(street="Kai 3", city="Hamburg", postcode="20457")
_MUNICH = Address(street="Isarweg 21", city="Munich", postcode="80331")
_LONDON = Address(street="4 Mill Lane", city="London", postcode="SE1 2AB", country="GB")
_COMPANIES = (
    ("c1", "Nordwind GmbH", _BERLIN, "insurance", 120, _NORDWIND, _ME),
    ("c2", "Bergmann & Söhne", _HAMBURG, "crafts", 14, _BERGMANN, _ME),
    ("c3", "Südlicht AG", _MUNICH, "advertising", 60, _SUEDLICHT, _ME),
    ("c4", "Suedlicht", None, "", None, _TWICE, _ME),
    ("c5", "Harbour Trading Ltd", _LONDON, "shipping", 35, _HARBOUR, "u2"),
)
_PRODUCTS = (
    ("lamp", "Desk lamp", _euro("49.00"), 25),
    ("chair", "Office chair", _euro("220.00"), 60),
    ("desk", "Standing desk", _euro("600.00"), 12),
    ("shelf", "Shelf", _euro("120.00"), 0),
)
_LAMPS, _CHAIRS = [Item(product_id="lamp", quantity=60)], [Item(product_id="chair", quantity=20, discount=10)]
_DESKS, _SHELVES = [Item(product_id="desk", quantity=10)], [Item(product_id="shelf", quantity=15)]
_POUNDS = Money(amount=Decimal("4800.00"), currency="GBP")
# Past the day of their decision: d2 and d3.
_DEALS = (
    ("d1", "c1", "Chairs for the new office", Stage.OFFERED, _euro("3960.00"), 60, _CHAIRS, _on(2026, 1, 30, 12)),
    ("d2", "c2", "Lamps for the workshop", Stage.NEGOTIATION, _euro("2940.00"), 70, _LAMPS, _on(2026, 1, 9, 16)),
    ("d3", "c5", "Desks for London", Stage.NEGOTIATION, _POUNDS, 50, _DESKS, _on(2026, 1, 5, 12)),
    ("d4", "c3", "Showroom", Stage.NEGOTIATION, _euro("8940.00"), 40, [*_DESKS, *_LAMPS], _on(2026, 1, 28, 12)),
    ("d5", "c1", "Lamps for the lobby", Stage.WON, _euro("2940.00"), 100, _LAMPS, _on(2025, 11, 20, 12)),
    ("d6", "c3", "Shelves for the archive", Stage.LOST, _euro("1800.00"), 0, _SHELVES, _on(2025, 12, 10, 12)),
    ("d7", "c4", "Meeting room", Stage.LEAD, _euro("5000.00"), 10, [], None),
    ("d8", "c2", "Chairs for the office", Stage.QUALIFIED, _euro("3960.00"), 30, _CHAIRS, _on(2026, 2, 27, 12)),
)
_ACTIVITIES = (
    ("a1", "c2", Channel.VISIT, "Showed her the lamps in her workshop.", _on(2025, 12, 2, 11), "p3"),
    ("a2", "c5", Channel.CHAT, "She asked whether we deliver to London.", _on(2025, 12, 15, 15), "p6"),
    ("a3", "c1", Channel.MAIL, "Our offer for the chairs", _on(2025, 12, 18, 9), "p1"),
    ("a4", "c1", Channel.PHONE, "She asked when the chairs can come.", _on(2026, 1, 12, 10, 30), "p1"),
)
_APPOINTMENTS = (
    ("m1", "Call about the showroom", _on(2026, 1, 14, 14), 60, ["p4"], "https://meet.example/showroom"),
    ("m2", "Team meeting", _on(2026, 1, 15, 9), 60, [], "Room 2"),
    ("m3", "Visit to the workshop", _on(2026, 1, 20, 11), 45, ["p3"], "Kai 3, Hamburg"),
    ("m4", "Chairs on trial", _on(2026, 1, 26, 13), 90, ["p1", "p2"], "Torstr. 8, Berlin"),
)


class SimulatedCrm(Crm):
    """It is always the same minute. What it returns are copies: changes count once they are stored."""

    def __init__(self) -> None:
        self.companies = _make(Company, _COMPANIES)
        self.products = _make(Product, _PRODUCTS)
        self.deals = _make(Deal, _DEALS)
        self.activities = list(_make(Activity, _ACTIVITIES).values())
        self.appointments = _make(Appointment, _APPOINTMENTS)
        self.sent: list[tuple[str, str, str]] = []
        """Mails: to whom, subject, text."""
        self.reasons = {"d6": "The shelves were too expensive."}
        """Why a deal was moved last, by its id."""
        self._numbers = count(101)

    def find_companies(self, text: str = "", city: str | None = None, limit: int = 20) -> list[Company]:
        found = [
            company.model_copy(deep=True)
            for company in self.companies.values()
            if _fits(text, company.name, company.industry, *(contact.name for contact in company.contacts))
            and (city is None or (company.address and company.address.city.casefold() == city.casefold()))
        ]
        return found[: max(limit, 0)]

    def get_company(self, company_id: str) -> Company:
        return _look_up(self.companies, company_id).model_copy(deep=True)

    def create_company(self, name: str, address: Address | None = None, industry: str = "") -> Company:
        company = Company(id=self._number("c"), name=name, address=address, industry=industry, owner=_ME)
        self.companies[company.id] = company.model_copy(deep=True)
        return company

    def update_company(self, company: Company) -> Company:
        contacts = _look_up(self.companies, company.id).contacts
        self.companies[company.id] = company.model_copy(deep=True, update={"contacts": contacts})
        return self.get_company(company.id)

    def merge_companies(self, keep_id: str, other_id: str) -> Company:
        keep, other = _look_up(self.companies, keep_id), _look_up(self.companies, other_id)
        if keep is other:
            raise ValueError(f"{keep_id} cannot be merged with itself")
        keep.contacts += other.contacts
        keep.address = keep.address or other.address
        keep.industry = keep.industry or other.industry
        keep.employees = keep.employees or other.employees
        for record in (*self.deals.values(), *self.activities):
            if record.company_id == other_id:
                record.company_id = keep_id
        del self.companies[other_id]
        return self.get_company(keep_id)

    def find_contacts(self, text: str, company_id: str | None = None) -> list[Contact]:
        return [
            contact.model_copy()
            for company in self.companies.values()
            if company_id in (None, company.id)
            for contact in company.contacts
            if _fits(text, contact.name, contact.mail or "", contact.role)
        ]

    def add_contact(self, company_id: str, name: str, mail: str | None = None, role: str = "") -> Contact:
        contact = Contact(id=self._number("p"), name=name, mail=mail, role=role)
        _look_up(self.companies, company_id).contacts.append(contact)
        return contact.model_copy()

    def update_contact(self, contact: Contact) -> Contact:
        contacts = self._employer_of(contact.id).contacts
        contacts[:] = [contact.model_copy() if each.id == contact.id else each for each in contacts]
        return contact.model_copy()

    def remove_contact(self, contact_id: str) -> None:
        company = self._employer_of(contact_id)
        company.contacts = [each for each in company.contacts if each.id != contact_id]
        self.activities = [each for each in self.activities if each.contact_id != contact_id]
        self.sent = [mail for mail in self.sent if mail[0] != contact_id]
        for appointment in self.appointments.values():
            appointment.contact_ids = [each for each in appointment.contact_ids if each != contact_id]

    def find_deals(
        self, company_id: str | None = None, stages: list[Stage] | None = None, closes_before: datetime | None = None
    ) -> list[Deal]:
        end = _localize(closes_before) if closes_before else None
        wanted = stages or [stage for stage in Stage if stage not in _ENDED]
        found = [
            deal.model_copy(deep=True)
            for deal in self.deals.values()
            if company_id in (None, deal.company_id)
            and deal.stage in wanted
            and (end is None or (deal.closes_at is not None and deal.closes_at <= end))
        ]
        return sorted(found, key=lambda deal: _in_euro(deal.value), reverse=True)

    def get_deal(self, deal_id: str) -> Deal:
        return _look_up(self.deals, deal_id).model_copy(deep=True)

    def create_deal(self, company_id: str, title: str, value: Money, items: list[Item] | None = None) -> Deal:
        company = _look_up(self.companies, company_id)
        deal = Deal(id=self._number("d"), company_id=company.id, title=title, value=value.model_copy())
        if items:
            self._sell(deal, items)
        self.deals[deal.id] = deal
        return deal.model_copy(deep=True)

    def move_deal(self, deal_id: str, stage: Stage, reason: str = "") -> Deal:
        deal = _look_up(self.deals, deal_id)
        order = list(Stage)
        steps = order.index(stage) - order.index(deal.stage)
        if stage is not Stage.LOST and (steps == 0 or steps > 1):
            raise ValueError(f"{deal_id} cannot go from {deal.stage.value} to {stage.value}: forward by one, or back")
        if stage is Stage.LOST and not reason.strip():
            raise ValueError(f"Give the reason why {deal_id} is lost")
        deal.stage = stage
        self.reasons[deal_id] = reason
        return deal.model_copy(deep=True)

    def set_probability(self, deal_id: str, percent: int) -> Deal:
        if percent not in range(101):
            raise ValueError(f"A probability is from 0 to 100 percent, not {percent}")
        deal = _look_up(self.deals, deal_id)
        deal.probability = percent
        return deal.model_copy(deep=True)

    def set_items(self, deal_id: str, items: list[Item]) -> Deal:
        deal = _look_up(self.deals, deal_id)
        self._sell(deal, items)
        return deal.model_copy(deep=True)

    def delete_deal(self, deal_id: str) -> None:
        stage = _look_up(self.deals, deal_id).stage
        if stage is not Stage.LEAD:
            raise ValueError(f"Only leads can be deleted; {deal_id} is {stage.value}")
        del self.deals[deal_id]

    def log_activity(self, company_id: str, channel: Channel, summary: str, contact_id: str | None = None) -> Activity:
        company = _look_up(self.companies, company_id)
        activity = Activity(
            id=self._number("a"), company_id=company.id, channel=channel, summary=summary, happened_at=_NOW
        )
        if contact_id is not None:
            self._employer_of(contact_id)
            activity.contact_id = contact_id
        self.activities.append(activity)
        return activity.model_copy()

    def list_activities(self, company_id: str, since: datetime | None = None) -> list[Activity]:
        company = _look_up(self.companies, company_id)
        start = _localize(since) if since else None
        found = [
            activity.model_copy()
            for activity in reversed(self.activities)  # of those of the same minute, too, the latest first
            if activity.company_id == company.id and (start is None or activity.happened_at >= start)
        ]
        return sorted(found, key=lambda activity: activity.happened_at, reverse=True)

    def list_appointments(self, day: datetime | None = None) -> list[Appointment]:
        start, end = (_NOW, _NOW + timedelta(days=7)) if day is None else (_at(day, 0), _at(day, 24))
        return [each.model_copy(deep=True) for each in self._list_between(start, end)]

    def book_appointment(
        self, title: str, starts_at: datetime, contact_ids: list[str], minutes: int = 30, place: str = ""
    ) -> Appointment:
        for contact_id in contact_ids:
            self._employer_of(contact_id)
        appointment = Appointment(
            id=self._number("m"), title=title, starts_at=_localize(starts_at), minutes=minutes, place=place
        )
        appointment.contact_ids = list(contact_ids)
        return self._keep(appointment)

    def move_appointment(self, appointment_id: str, starts_at: datetime) -> Appointment:
        appointment = _look_up(self.appointments, appointment_id)
        return self._keep(appointment.model_copy(update={"starts_at": _localize(starts_at)}))

    def cancel_appointment(self, appointment_id: str) -> None:
        _look_up(self.appointments, appointment_id)
        del self.appointments[appointment_id]

    def find_free_times(self, day: datetime, minutes: int = 30) -> list[datetime]:
        start, length, free = _at(day, _OPENS), timedelta(minutes=minutes), list[datetime]()
        while start + length <= _at(day, _CLOSES):
            if start >= _NOW and not self._list_between(start, start + length):
                free.append(start)
            start += _STEP
        return free

    def send_mail(self, contact_id: str, subject: str, text: str, deal_id: str | None = None) -> Activity:
        company = self._employer_of(contact_id)
        contact = next(each for each in company.contacts if each.id == contact_id)
        if not contact.may_be_mailed:
            raise PermissionError(f"{contact.name} has not agreed to get mail")
        if contact.mail is None:
            raise ValueError(f"There is no mail address of {contact.name}")
        about = "" if deal_id is None else f" ({_look_up(self.deals, deal_id).title}, {deal_id})"
        self.sent.append((contact_id, subject, text))
        return self.log_activity(company.id, Channel.MAIL, subject + about, contact_id)

    def draft_offer(self, deal_id: str, valid_days: int = 30) -> str:
        deal = _look_up(self.deals, deal_id)
        company, currency = _look_up(self.companies, deal.company_id), deal.value.currency
        lines = [f"Offer to {company.name}: {deal.title}", ""]
        for item in deal.items:
            product = _look_up(self.products, item.product_id)
            discount = f", {item.discount} % off" if item.discount else ""
            lines.append(f"{item.quantity} × {product.name}{discount}: {self._price(item, currency)} {currency}")
        end = _NOW + timedelta(days=valid_days)
        lines += ["", f"Total without tax: {deal.value.amount} {currency}", f"Valid until {end.date()}"]
        return "\n".join(lines)

    def list_products(self, text: str = "") -> list[Product]:
        found = [product.model_copy(deep=True) for product in self.products.values() if _fits(text, product.name)]
        return sorted(found, key=lambda product: product.name)

    def check_stock(self, product_id: str) -> int:
        return _look_up(self.products, product_id).in_stock

    def convert(self, money: Money, currency: Currency) -> Money:
        amount = _in_euro(money) / _IN_EURO[currency]
        return Money(amount=amount.quantize(_CENT), currency=currency)

    def get_forecast(self, until: datetime) -> Forecast:
        deals = self.find_deals(closes_before=until)
        weighted = sum((_in_euro(deal.value) * deal.probability / 100 for deal in deals), Decimal(0)).quantize(_CENT)
        best = sum((_in_euro(deal.value) for deal in deals), Decimal(0)).quantize(_CENT)
        return Forecast(weighted=Money(amount=weighted), best_case=Money(amount=best), deals=len(deals))

    def now(self) -> datetime:
        return _NOW

    def _number(self, kind: str) -> str:
        return f"{kind}{next(self._numbers)}"

    def _employer_of(self, contact_id: str) -> Company:
        for company in self.companies.values():
            if any(contact.id == contact_id for contact in company.contacts):
                return company
        raise KeyError(f"There is no contact {contact_id!r}")

    def _sell(self, deal: Deal, items: list[Item]) -> None:
        amount = sum((self._price(item, deal.value.currency) for item in items), Decimal(0))
        deal.items = [item.model_copy() for item in items]
        deal.value = Money(amount=amount.quantize(_CENT), currency=deal.value.currency)

    def _price(self, item: Item, currency: Currency) -> Decimal:
        price = _look_up(self.products, item.product_id).price
        whole = Money(amount=price.amount * item.quantity * (100 - item.discount) / 100, currency=price.currency)
        return self.convert(whole, currency).amount

    def _list_between(self, start: datetime, end: datetime) -> list[Appointment]:
        found = [each for each in self.appointments.values() if each.starts_at < end and start < _end_of(each)]
        return sorted(found, key=lambda appointment: appointment.starts_at)

    def _keep(self, appointment: Appointment) -> Appointment:
        for other in self._list_between(appointment.starts_at, _end_of(appointment)):
            if other.id != appointment.id:
                raise ValueError(f"{appointment.starts_at} is taken by {other.title!r} ({other.id})")
        self.appointments[appointment.id] = appointment
        return appointment.model_copy(deep=True)


def _make(kind: type[M], rows: tuple[tuple[object, ...], ...]) -> dict[str, M]:
    """The models by the first of their fields, none shared with another simulator."""
    fields = tuple(kind.model_fields)
    return {str(row[0]): kind(**dict(zip(fields, row, strict=True))).model_copy(deep=True) for row in rows}


def _look_up(records: Mapping[str, T], key: str) -> T:
    if key not in records:
        raise KeyError(f"There is nothing with the id {key!r}")
    return records[key]


def _fits(text: str, *fields: str) -> bool:
    wanted, words = (set(re.findall(r"\w+", each.casefold())) for each in (text, " ".join(fields)))
    return wanted <= words


def _in_euro(money: Money) -> Decimal:
    return money.amount * _IN_EURO[money.currency]


def _localize(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(_ZONE)


def _at(day: datetime, hour: int) -> datetime:
    return _localize(day).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)


def _end_of(appointment: Appointment) -> datetime:
    return appointment.starts_at + timedelta(minutes=appointment.minutes)
