"""What one data folder writes to customers, and by which channels."""

from functools import cached_property
from typing import TYPE_CHECKING

from agent.wiring_messages import Messaging
from store.errors import ConfigError

if TYPE_CHECKING:
    from retention.customer_channel import CustomerChannel
    from retention.guides import Guide
    from retention.message_sender import MessageSender
    from retention.survey_asking import SurveyAsking
    from store.contacts import ContactStore
    from store.surveys import SurveyStore


class Contacting(Messaging):
    """What is told to people, and what goes to customers."""

    @cached_property
    def contacts(self) -> "ContactStore":
        """Opt-outs, coupons and messages on their way."""
        from store.sqlite_contacts import SqliteContacts

        store = SqliteContacts(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @property
    def reaches_customers(self) -> bool:
        """Whether the settings name any channel to customers."""
        return bool(self.settings.customer_gateway_url or self.settings.customer_mail_url)

    @cached_property
    def customer_channels(self) -> "dict[str, CustomerChannel]":
        """The channels of the settings, by name. ConfigError where one cannot be used."""
        found: dict[str, CustomerChannel] = {}
        settings = self.settings
        if settings.customer_gateway_url is not None:
            from retention.channel_gateway import GatewayChannel

            if settings.customer_gateway_secret is None:
                raise ConfigError(
                    "messages to the gateway are signed, and VOICELOOP_CUSTOMER_GATEWAY_SECRET is not set",
                    hint="make one: echo whsec_$(openssl rand -base64 32)",
                )
            secret = settings.customer_gateway_secret.get_secret_value()
            url = settings.customer_gateway_url.get_secret_value()
            found["gateway"] = GatewayChannel(url, secret, self.clock)
        if settings.customer_mail_url is not None:
            from retention.address_book import AddressBook
            from retention.channel_mail import MailChannel

            book = AddressBook(settings.customer_addresses or self.home / "addresses.csv")
            url = settings.customer_mail_url.get_secret_value()
            found["mail"] = MailChannel(url, settings.customer_mail_from, book.mail, self.clock)
        return found

    @property
    def guides(self) -> "tuple[Guide, ...]":
        """The company's own guides; none where the data folder has no guides.yaml."""
        from retention.guides import load_guides

        path = self.home / "guides.yaml"
        return load_guides(path) if path.exists() else ()

    @property
    def message_sender(self) -> "MessageSender":
        """Sends what is prepared for customers."""
        from retention.message_sender import MessageSender

        return MessageSender(
            contacts=self.contacts,
            facts=self.facts,
            channels=self.customer_channels,
            policies=self.policy_book.live,
            clock=self.clock,
            zone=self.settings.zone,
            guides=self.guides,
        )

    @cached_property
    def surveys(self) -> "SurveyStore":
        """Who was asked what, and what came back."""
        from store.sqlite_surveys import SqliteSurveys

        store = SqliteSurveys(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @property
    def survey_asking(self) -> "SurveyAsking":
        """Asks customers after key occasions."""
        from retention.survey_asking import SurveyAsking

        return SurveyAsking(
            facts=self.facts,
            operations=self.operations,
            contacts=self.contacts,
            surveys=self.surveys,
            policies=self.policy_book.live,
            clock=self.clock,
            zone=self.settings.zone,
            language=self.settings.language,
            address=self.settings.survey_url,
        )
