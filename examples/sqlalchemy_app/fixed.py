"""A shop in SQLAlchemy: place an order, cancel one, take a delivery.

The stock is counted up and down by the database, not by the application, and an order is locked
(with_for_update) before somebody looks whether it was cancelled.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; at the higher levels the second of two
may fail with 40001 and has to be tried again.

`txfuzz check examples/sqlalchemy_app/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

from sqlalchemy import ForeignKey, func, select, update
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
    left = update(Product).where(Product.name == product_name, Product.stock > 0)
    if session.execute(left.values(stock=Product.stock - 1)).rowcount == 0:
        raise SoldOut(product_name)
    session.add(Order(product_name=product_name, customer=customer))


def cancel_order(session: Session, number: int) -> None:
    order = session.get_one(Order, number, with_for_update=True)
    if order.cancelled:
        return
    order.cancelled = True
    product = update(Product).where(Product.name == order.product_name)
    session.execute(product.values(stock=Product.stock + 1))


def take_delivery(session: Session, product_name: str, pieces: int) -> None:
    product = update(Product).where(Product.name == product_name)
    session.execute(product.values(bought=Product.bought + pieces, stock=Product.stock + pieces))


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
