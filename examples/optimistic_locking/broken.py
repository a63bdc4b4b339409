"""Optimistic locking: read the stock, add what has come in, write it back with the next version.

The version is written, but nobody compares it: of two deliveries at the same time one is lost
(lost update).

Breaks at READ COMMITTED; safe at REPEATABLE READ and SERIALIZABLE: there the second UPDATE fails
with 40001.

`txfuzz check examples/optimistic_locking/broken.py` ends with:

    Not safe: receive × receive at READ COMMITTED.
"""

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import txfuzz


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    stock: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)


@txfuzz.setup
def tables(session: Session):
    Base.metadata.create_all(session.connection())
    session.add(Article(id=1, stock=10))


@txfuzz.transaction(pieces=[5, 7])
def receive(session: Session, pieces: int):
    article = session.get(Article, 1)
    article.stock += pieces
    article.version += 1
