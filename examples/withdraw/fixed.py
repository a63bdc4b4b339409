"""Withdraw: 100 may be taken from either account as long as both together hold it.

The transaction asks for SERIALIZABLE, whatever the default is, and is run again when the database
aborts it with 40001.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE, since it always runs at SERIALIZABLE.

`txfuzz check examples/withdraw/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

from psycopg.errors import SerializationFailure
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import txfuzz


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    name: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]


@txfuzz.setup
def tables(session: Session):
    Base.metadata.create_all(session.connection())
    session.add_all([Account(name="current", amount=60), Account(name="savings", amount=60)])


@txfuzz.transaction(name=["current", "savings"])
def withdraw(engine: Engine, name: str) -> str:
    serializable = engine.execution_options(isolation_level="SERIALIZABLE")
    for _ in range(5):
        try:
            with Session(serializable) as session, session.begin():
                return pay(session, name)
        except OperationalError as error:
            if not isinstance(error.orig, SerializationFailure):
                raise
    return "try again later"


def pay(session: Session, name: str) -> str:
    total = session.scalar(select(func.sum(Account.amount)))
    if total < 100:
        return "refused"
    account = session.get(Account, name)
    account.amount -= 100
    return "paid"


@txfuzz.invariant
def the_sum_is_never_negative(session: Session):
    assert session.scalar(select(func.sum(Account.amount))) >= 0
