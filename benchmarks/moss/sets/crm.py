"""Customers, deals and appointments, as an agent uses them."""

from abc import ABC, abstractmethod
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

from pydantic import BaseModel, Field

Currency = Literal["EUR", "USD", "GBP"]


class Stage(Enum):
    """How far a deal is, in this order."""

    LEAD = "lead"
    QUALIFIED = "qualified"
    OFFERED = "offered"
    NEGOTIATION = "negotiation"
    WON = "won"
    LOST = "lost"


class Channel(Enum):
    MAIL = "mail"
    PHONE = "phone"
    VISIT = "visit"
    CHAT = "chat"


class Address(BaseModel):
    street: str
    city: str
    postcode: str
    country: str = Field("DE", description="ISO 3166, two letters.")


class Contact(BaseModel):
    """A person at a company."""

    id: str
    name: str
    mail: str | None = None
    phone: str | None = Field(None, description="With the country's code, such as +49 30 123.")
    role: str = ""
    may_be_mailed: bool = Field(False, description="Whether they agreed to get mail. Never mail those who did not.")


class Company(BaseModel):
    id: str
    name: str
    address: Address | None = None
    industry: str = ""
    employees: int | None = Field(None, ge=1)
    contacts: list[Contact] = Field(default_factory=list)
    owner: str = Field(description="Id of the colleague who looks after it.")


class Money(BaseModel):
    amount: Decimal = Field(description="Without tax.")
    currency: Currency = "EUR"


class Item(BaseModel):
    product_id: str
    quantity: int = Field(1, ge=1)
    discount: int = Field(0, ge=0, le=30, description="Percent.")


class Deal(BaseModel):
    id: str
    company_id: str
    title: str
    stage: Stage = Stage.LEAD
    value: Money
    probability: int = Field(10, ge=0, le=100, description="Percent, that it is won.")
    items: list[Item] = Field(default_factory=list)
    closes_at: datetime | None = Field(None, description="When a decision is expected; with a time zone.")


class Activity(BaseModel):
    """Something that happened with a customer."""

    id: str
    company_id: str
    channel: Channel
    summary: str
    happened_at: datetime
    contact_id: str | None = None


class Appointment(BaseModel):
    id: str
    title: str
    starts_at: datetime
    minutes: int = Field(30, ge=15, le=480)
    contact_ids: list[str] = Field(default_factory=list)
    place: str = Field("", description="An address, or a link for a call.")


class Product(BaseModel):
    id: str
    name: str
    price: Money
    in_stock: int = 0


class Forecast(BaseModel):
    weighted: Money = Field(description="The sum of value times probability.")
    best_case: Money
    deals: int


class Crm(ABC):
    """Everything about customers. Times are aware; ids are opaque."""

    @abstractmethod
    def find_companies(self, text: str = "", city: str | None = None, limit: int = 20) -> list[Company]:
        """Companies by name, industry or contact.

        Args:
            text: Words, in any order; "" for all.
            city: Only those with an address there.
            limit: How many at most.
        """

    @abstractmethod
    def get_company(self, company_id: str) -> Company:
        """One company with its contacts."""

    @abstractmethod
    def create_company(self, name: str, address: Address | None = None, industry: str = "") -> Company:
        """A new company, looked after by you."""

    @abstractmethod
    def update_company(self, company: Company) -> Company:
        """Store what was changed; contacts are changed by themselves."""

    @abstractmethod
    def merge_companies(self, keep_id: str, other_id: str) -> Company:
        """Make two companies one. Cannot be undone."""

    @abstractmethod
    def find_contacts(self, text: str, company_id: str | None = None) -> list[Contact]:
        """People by name, mail or role.

        Args:
            text: Words, in any order.
            company_id: Only those of this company.
        """

    @abstractmethod
    def add_contact(self, company_id: str, name: str, mail: str | None = None, role: str = "") -> Contact:
        """A new person at a company; they have not agreed to get mail yet."""

    @abstractmethod
    def update_contact(self, contact: Contact) -> Contact:
        """Store what was changed."""

    @abstractmethod
    def remove_contact(self, contact_id: str) -> None:
        """Forget a person, with all that they said. Cannot be undone."""

    @abstractmethod
    def find_deals(
        self, company_id: str | None = None, stages: list[Stage] | None = None, closes_before: datetime | None = None
    ) -> list[Deal]:
        """Deals, the most valuable first.

        Args:
            company_id: Of one company.
            stages: Without any, all but won and lost.
            closes_before: Expected to be decided by then.
        """

    @abstractmethod
    def get_deal(self, deal_id: str) -> Deal:
        """One deal."""

    @abstractmethod
    def create_deal(self, company_id: str, title: str, value: Money, items: list[Item] | None = None) -> Deal:
        """A new deal, a lead.

        Args:
            company_id: Whose.
            title: What it is about, in a few words.
            value: Expected; with items it is computed from them.
            items: What would be sold.
        """

    @abstractmethod
    def move_deal(self, deal_id: str, stage: Stage, reason: str = "") -> Deal:
        """Move a deal to another stage.

        Args:
            deal_id: Which.
            stage: Forward by one, back by any, or to LOST; else it raises ValueError.
            reason: Needed for LOST.
        """

    @abstractmethod
    def set_probability(self, deal_id: str, percent: int) -> Deal:
        """How likely it is won."""

    @abstractmethod
    def set_items(self, deal_id: str, items: list[Item]) -> Deal:
        """What would be sold; its value is computed anew."""

    @abstractmethod
    def delete_deal(self, deal_id: str) -> None:
        """Only of leads. Cannot be undone."""

    @abstractmethod
    def log_activity(self, company_id: str, channel: Channel, summary: str, contact_id: str | None = None) -> Activity:
        """Note what happened with a customer, now.

        Args:
            company_id: With whom.
            channel: How.
            summary: One or two sentences.
            contact_id: Who it was.
        """

    @abstractmethod
    def list_activities(self, company_id: str, since: datetime | None = None) -> list[Activity]:
        """What happened, the latest first."""

    @abstractmethod
    def list_appointments(self, day: datetime | None = None) -> list[Appointment]:
        """Yours, by time.

        Args:
            day: Of this day; without one, of the next seven days.
        """

    @abstractmethod
    def book_appointment(
        self, title: str, starts_at: datetime, contact_ids: list[str], minutes: int = 30, place: str = ""
    ) -> Appointment:
        """Book a time with people; it raises ValueError where yours is taken. Nobody is told: send a mail.

        Args:
            title: What the others read.
            starts_at: With a time zone.
            contact_ids: Who comes.
            minutes: How long.
            place: An address, or a link for a call.
        """

    @abstractmethod
    def move_appointment(self, appointment_id: str, starts_at: datetime) -> Appointment:
        """Another time for an appointment."""

    @abstractmethod
    def cancel_appointment(self, appointment_id: str) -> None:
        """Free its time."""

    @abstractmethod
    def find_free_times(self, day: datetime, minutes: int = 30) -> list[datetime]:
        """When an appointment of that length could start on a day, between 9 and 17 o'clock."""

    @abstractmethod
    def send_mail(self, contact_id: str, subject: str, text: str, deal_id: str | None = None) -> Activity:
        """Send a mail and note it.

        Args:
            contact_id: To whom; it raises PermissionError for those who may not be mailed.
            subject: One line.
            text: Plain text.
            deal_id: The deal that it is about.
        """

    @abstractmethod
    def draft_offer(self, deal_id: str, valid_days: int = 30) -> str:
        """The text of an offer for a deal's items, to be sent by mail."""

    @abstractmethod
    def list_products(self, text: str = "") -> list[Product]:
        """What can be sold, by name."""

    @abstractmethod
    def check_stock(self, product_id: str) -> int:
        """Pieces that can be delivered now."""

    @abstractmethod
    def convert(self, money: Money, currency: Currency) -> Money:
        """In another currency, at today's rate."""

    @abstractmethod
    def get_forecast(self, until: datetime) -> Forecast:
        """What the open deals that close by then may bring, in euros."""

    @abstractmethod
    def now(self) -> datetime:
        """The present, in the office's time zone."""
