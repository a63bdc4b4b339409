"""Doctors on call: lock all who are on call before one of them goes home.

The second doctor waits for the first one, and then sees that only one is left. The rows are
locked in the order of their names, so that nobody waits in a circle.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; at the higher levels the second one
fails with 40001 and has to try again.

`txfuzz check examples/doctors_on_call/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
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
    doctors = session.scalars(ON_CALL.order_by(Doctor.name).with_for_update()).all()
    if len(doctors) < 2:
        return "stay"
    session.get(Doctor, name).on_call = False
    return "good night"


@txfuzz.invariant
def somebody_is_on_call(session: Session):
    assert session.scalars(ON_CALL).first() is not None
