"""Wallets in Django: transfer money, close an empty wallet.

select_for_update() locks the wallets before anybody looks into them, always in the same order, so
that two transfers do not wait for each other in a circle.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; at the higher levels the second of two
may fail with 40001 and has to be tried again.

`txfuzz check examples/django_app/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

import dj_database_url
import django
from django.conf import settings
from django.db import connection, models, transaction

import txfuzz

settings.configure(DATABASES={"default": dj_database_url.config()})
django.setup()

# -- the wallets --------------------------------------------------------------------------------


class Wallet(models.Model):
    owner = models.CharField(max_length=20, primary_key=True)
    amount = models.IntegerField()

    class Meta:
        app_label = "wallets"


class Transfer(models.Model):
    sender = models.CharField(max_length=20)
    receiver = models.CharField(max_length=20)
    amount = models.IntegerField()

    class Meta:
        app_label = "wallets"


class NotEnough(Exception):
    pass


def locked(*owners: str) -> dict[str, Wallet]:
    """By owner; always in the same order, so that two transfers do not wait for each other."""
    wallets = Wallet.objects.select_for_update().filter(owner__in=owners).order_by("owner")
    found = {wallet.owner: wallet for wallet in wallets}
    if len(found) < len(owners):
        raise Wallet.DoesNotExist
    return found


@transaction.atomic
def transfer(sender: str, receiver: str, amount: int) -> None:
    wallets = locked(sender, receiver)
    source, target = wallets[sender], wallets[receiver]
    if source.amount < amount:
        raise NotEnough(sender)
    source.amount -= amount
    source.save()
    target.amount += amount
    target.save()
    Transfer.objects.create(sender=sender, receiver=receiver, amount=amount)


@transaction.atomic
def close(owner: str) -> str:
    wallet = locked(owner)[owner]
    if wallet.amount > 0:
        return "there is money in it"
    wallet.delete()
    return "closed"


# -- what is checked ----------------------------------------------------------------------------


@txfuzz.setup
def tables():
    with connection.schema_editor() as editor:
        editor.create_model(Wallet)
        editor.create_model(Transfer)
    Wallet.objects.create(owner="ann", amount=100)
    Wallet.objects.create(owner="bob", amount=100)
    Wallet.objects.create(owner="cleo", amount=0)


@txfuzz.transaction(receiver=["bob", "cleo"])
def ann_pays(receiver: str):
    transfer("ann", receiver, 70)


@txfuzz.transaction
def bob_pays_ann():
    transfer("bob", "ann", 70)


@txfuzz.transaction
def cleo_leaves() -> str:
    return close("cleo")


@txfuzz.invariant
def no_money_comes_or_goes():
    total = Wallet.objects.aggregate(total=models.Sum("amount"))["total"]
    assert total == 200, f"{total} in all wallets"
