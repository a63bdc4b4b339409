"""Foreign key: the same statements, and the database looks after the reference.

ForeignKey() locks the customer while an order is inserted: whoever comes second waits, and fails
with 23503.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; at the higher levels whoever comes
second may fail with 40001 instead.

`txfuzz check examples/foreign_key/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

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
    Column("customer_id", ForeignKey(customers.c.id), nullable=False),
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
