"""Wallets in Django: transfer money, close an empty wallet.

atomic() makes each function a transaction, but does not keep two of them apart: both read the
same amounts, and save() writes back what each has calculated. Money comes from nowhere, or goes
with a closed wallet; two transfers to each other can end in a deadlock (40P01).

Breaks at READ COMMITTED; safe at REPEATABLE READ and SERIALIZABLE: there the second save() fails
with 40001.

`txfuzz check examples/django_app/broken.py` ends with:

    Not safe: ann_pays × ann_pays at READ COMMITTED; ann_pays × bob_pays_ann at READ COMMITTED;
    ann_pays × cleo_leaves at READ COMMITTED; bob_pays_ann × bob_pays_ann at READ COMMITTED;
    cleo_leaves × cleo_leaves at READ COMMITTED.
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


@transaction.atomic
def transfer(sender: str, receiver: str, amount: int) -> None:
    source = Wallet.objects.get(owner=sender)
    target = Wallet.objects.get(owner=receiver)
    if source.amount < amount:
        raise NotEnough(sender)
    source.amount -= amount
    source.save()
    target.amount += amount
    target.save()
    Transfer.objects.create(sender=sender, receiver=receiver, amount=amount)


@transaction.atomic
def close(owner: str) -> str:
    wallet = Wallet.objects.get(owner=owner)
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
