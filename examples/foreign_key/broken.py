"""Foreign key by hand: look for the customer before an order is inserted, and for orders before a
customer is deleted.

The order and the deletion run at the same time, neither sees what the other does, and the order
belongs to nobody.

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001.

`txfuzz check examples/foreign_key/broken.py` ends with:

    Not safe: order × delete_customer at READ COMMITTED and REPEATABLE READ.
"""

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, delete, insert, select

import txfuzz

metadata = MetaData()
customers = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", Integer, nullable=False),
)


@txfuzz.setup
def tables(connection: Connection):
    metadata.create_all(connection)
    connection.execute(insert(customers).values(id=1, name="ann"))


@txfuzz.transaction
def order(connection: Connection, customer: int = 1) -> str:
    if connection.execute(select(customers).where(customers.c.id == customer)).first() is None:
        return "no such customer"
    connection.execute(insert(orders).values(customer_id=customer))
    return "ordered"


@txfuzz.transaction
def delete_customer(connection: Connection, customer: int = 1) -> str:
    if connection.execute(select(orders).where(orders.c.customer_id == customer)).first():
        return "has orders"
    connection.execute(delete(customers).where(customers.c.id == customer))
    return "deleted"


@txfuzz.invariant
def every_order_has_a_customer(connection: Connection):
    known = select(customers.c.id)
    return connection.execute(select(orders).where(orders.c.customer_id.not_in(known))).all()
