"""Optimistic locking in SQLAlchemy: version_id_col compares the version on every UPDATE.

If somebody else was faster, the UPDATE finds no row, and SQLAlchemy raises StaleDataError.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; where the second UPDATE fails with 40001
from REPEATABLE READ on.

`txfuzz check examples/optimistic_locking/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import txfuzz


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    stock: Mapped[int]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}


@txfuzz.setup
def tables(session: Session):
    Base.metadata.create_all(session.connection())
    session.add(Article(id=1, stock=10))


@txfuzz.transaction(pieces=[5, 7])
def receive(session: Session, pieces: int):
    article = session.get(Article, 1)
    article.stock += pieces
