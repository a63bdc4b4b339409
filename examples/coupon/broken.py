"""Coupon in Django: count how often it was used, and use it if that is less than the limit.

Two customers redeem the last use at the same time. Neither count sees the other's row.

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001.

`txfuzz check examples/coupon/broken.py` ends with:

    Not safe: redeem × redeem at READ COMMITTED and REPEATABLE READ.
"""

import dj_database_url
import django
from django.conf import settings
from django.db import connection, models, transaction

import txfuzz

settings.configure(DATABASES={"default": dj_database_url.config()})
django.setup()


class Coupon(models.Model):
    code = models.CharField(max_length=20, primary_key=True)
    most_uses = models.IntegerField()

    class Meta:
        app_label = "shop"


class Redemption(models.Model):
    coupon = models.ForeignKey(Coupon, models.CASCADE)
    customer = models.CharField(max_length=20)

    class Meta:
        app_label = "shop"


@txfuzz.setup
def tables():
    with connection.schema_editor() as editor:
        editor.create_model(Coupon)
        editor.create_model(Redemption)
    Coupon.objects.create(code="SPRING", most_uses=1)


@txfuzz.transaction(customer=["ann", "bob"])
@transaction.atomic
def redeem(customer: str) -> str:
    coupon = Coupon.objects.get(code="SPRING")
    if Redemption.objects.filter(coupon=coupon).count() >= coupon.most_uses:
        return "used up"
    Redemption.objects.create(coupon=coupon, customer=customer)
    return "redeemed"


@txfuzz.invariant
def no_coupon_is_used_more_often_than_it_may_be():
    coupon = Coupon.objects.get(code="SPRING")
    assert Redemption.objects.filter(coupon=coupon).count() <= coupon.most_uses
