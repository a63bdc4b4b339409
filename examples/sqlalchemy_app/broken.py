"""A shop in SQLAlchemy: place an order, cancel one, take a delivery.

Every function reads an object, changes it, and writes the result back. Of two that do so at the
same time one is lost, the last kettle is sold twice, and an order that is cancelled twice comes
back to stock twice.

Breaks at READ COMMITTED; safe at REPEATABLE READ and SERIALIZABLE: there the second UPDATE fails
with 40001.

`txfuzz check examples/sqlalchemy_app/broken.py` ends with:

    Not safe: order × order at READ COMMITTED; order × cancel at READ COMMITTED; order ×
    delivery at READ COMMITTED; cancel × cancel at READ COMMITTED; cancel × delivery at READ
    COMMITTED; delivery × delivery at READ COMMITTED.
"""

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import txfuzz

# -- the shop -----------------------------------------------------------------------------------


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    name: Mapped[str] = mapped_column(primary_key=True)
    bought: Mapped[int]
    stock: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)
    product_name: Mapped[str] = mapped_column(ForeignKey("products.name"))
    customer: Mapped[str]
    cancelled: Mapped[bool] = mapped_column(default=False)


class SoldOut(Exception):
    pass


def place_order(session: Session, customer: str, product_name: str) -> None:
    product = session.get_one(Product, product_name)
    if product.stock < 1:
        raise SoldOut(product_name)
    product.stock -= 1
    session.add(Order(product_name=product_name, customer=customer))


def cancel_order(session: Session, number: int) -> None:
    order = session.get_one(Order, number)
    if order.cancelled:
        return
    order.cancelled = True
    product = session.get_one(Product, order.product_name)
    product.stock += 1


def take_delivery(session: Session, product_name: str, pieces: int) -> None:
    product = session.get_one(Product, product_name)
    product.bought += pieces
    product.stock += pieces


# -- what is checked ----------------------------------------------------------------------------


@txfuzz.setup
def tables(session: Session):
    Base.metadata.create_all(session.connection())
    session.add(Product(name="kettle", bought=2, stock=1))
    session.flush()
    session.add(Order(number=1001, product_name="kettle", customer="cleo"))


@txfuzz.transaction(customer=["ann", "bob"])
def order(session: Session, customer: str):
    place_order(session, customer, "kettle")


@txfuzz.transaction
def cancel(session: Session):
    cancel_order(session, 1001)


@txfuzz.transaction
def delivery(session: Session, pieces: int = 10):
    take_delivery(session, "kettle", pieces)


@txfuzz.invariant
def every_kettle_is_in_stock_or_sold(session: Session):
    kettle = session.get_one(Product, "kettle")
    sold = session.scalar(select(func.count()).where(Order.cancelled.is_(False)))
    assert kettle.stock + sold == kettle.bought, f"{kettle.stock} + {sold} of {kettle.bought}"
