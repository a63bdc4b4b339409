"""Doctors on call: a doctor may go home as long as another one stays.

Both doctors look at the same time, both see two on call, and both go home (write skew).

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001.

`txfuzz check examples/doctors_on_call/broken.py` ends with:

    Not safe: go_home × go_home at READ COMMITTED and REPEATABLE READ.
"""

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import txfuzz


class Base(DeclarativeBase):
    pass


class Doctor(Base):
    __tablename__ = "doctors"
    name: Mapped[str] = mapped_column(primary_key=True)
    on_call: Mapped[bool]


ON_CALL = select(Doctor).where(Doctor.on_call)


@txfuzz.setup
def tables(session: Session):
    Base.metadata.create_all(session.connection())
    session.add_all([Doctor(name="alice", on_call=True), Doctor(name="bob", on_call=True)])


@txfuzz.transaction(name=["alice", "bob"])
def go_home(session: Session, name: str) -> str:
    doctors = session.scalars(ON_CALL).all()
    if len(doctors) < 2:
        return "stay"
    session.get(Doctor, name).on_call = False
    return "good night"


@txfuzz.invariant
def somebody_is_on_call(session: Session):
    assert session.scalars(ON_CALL).first() is not None
