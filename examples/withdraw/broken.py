"""Withdraw: 100 may be taken from either account as long as both together hold it.

Two withdrawals at the same time both read a sum of 120, and each takes 100 from another account:
the sum is -80. Neither overwrites what the other has read and written, so snapshots do not notice
(write skew).

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001, and has to be tried again.

`txfuzz check examples/withdraw/broken.py` ends with:

    Not safe: withdraw × withdraw at READ COMMITTED and REPEATABLE READ.
"""

from sqlalchemy import func, select
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
def withdraw(session: Session, name: str) -> str:
    total = session.scalar(select(func.sum(Account.amount)))
    if total < 100:
        return "refused"
    account = session.get(Account, name)
    account.amount -= 100
    return "paid"


@txfuzz.invariant
def the_sum_is_never_negative(session: Session):
    assert session.scalar(select(func.sum(Account.amount))) >= 0
